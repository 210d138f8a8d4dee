/** The Node object of this agent: what it says about itself, and how it gets into the API. */

import { nodes } from '../apis/core/node.ts'
import type { Node, NodeCondition, NodeStatus } from '../apis/core/types.gen.ts'
import { deepEqual } from '../base/deep-equal.ts'
import type { Client, New } from '../client/client.ts'
import { retryOnConflict } from '../client/retry-on-conflict.ts'
import { isAlreadyExists } from '../machinery/meta/api-error.ts'
import { formatTime, parseTime } from '../machinery/meta/time.ts'
import type { ImageStatus } from './runtime/runtime.ts'

/** What the machine is, read once at start. */
export interface MachineFacts {
  readonly architecture: 'amd64' | 'arm64'
  readonly operatingSystem: 'linux'
  readonly osImage: string
  readonly kernelVersion: string
  readonly machineId: string
  readonly bootId: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly diskBytes: number
}

export interface NodeDescription {
  readonly name: string
  readonly machine: MachineFacts
  readonly ip: string
  readonly podsMax: number
  /** `docker://20.10.24`. */
  readonly containerRuntimeVersion: string
  readonly kubeletVersion: string
  readonly kubeletPort: number
  readonly labels: Readonly<Record<string, string>>
  readonly taints: NonNullable<Node['spec']>['taints']
  /** Overrides of the machine's capacity: simulated nodes have any size. */
  readonly capacity: Readonly<Record<string, string>>
}

/** How the node is, as far as it can tell itself. */
export interface NodeHealth {
  readonly ready: boolean
  /** Why not, for the Ready condition. */
  readonly message?: string
}

export const HEALTHY: NodeHealth = { ready: true }

export interface NodeReport {
  /** Undefined: cannot be told now, so those of the last report stay. */
  readonly images: readonly ImageStatus[] | undefined
  readonly health: NodeHealth
  readonly nowMs: number
}

/** How often the node looks whether its status has changed, and how often it is written in any case. As upstream. */
export const STATUS_CHECK_MS = 10_000
const STATUS_REPORT_MS = 300_000

/** Images that a node's status lists, the largest first; as upstream's default. */
const IMAGES_MAX = 50

export function newNode(description: NodeDescription): New<Node> {
  const { name, machine, labels, taints } = description
  return {
    metadata: {
      name,
      labels: {
        'beta.kubernetes.io/arch': machine.architecture,
        'beta.kubernetes.io/os': machine.operatingSystem,
        'kubernetes.io/arch': machine.architecture,
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': machine.operatingSystem,
        ...labels,
      },
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: { taints },
    status: {},
  }
}

export function nodeStatus(
  description: NodeDescription,
  previous: NodeStatus | undefined,
  { images, health, nowMs }: NodeReport,
): NodeStatus {
  const { machine, ip, name } = description
  const capacity = capacityOf(description)
  return {
    ...previous,
    // What others added (extended resources) stays.
    capacity: { ...previous?.capacity, ...capacity },
    allocatable: { ...previous?.allocatable, ...capacity },
    addresses: [
      { type: 'InternalIP', address: ip },
      { type: 'Hostname', address: name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: description.kubeletPort } },
    conditions: conditions(previous?.conditions ?? [], health, nowMs),
    images: images ? imageList(images) : previous?.images,
    nodeInfo: {
      architecture: machine.architecture,
      bootID: machine.bootId,
      containerRuntimeVersion: description.containerRuntimeVersion,
      kernelVersion: machine.kernelVersion,
      kubeProxyVersion: '',
      kubeletVersion: description.kubeletVersion,
      machineID: machine.machineId,
      operatingSystem: machine.operatingSystem,
      osImage: machine.osImage,
      systemUUID: machine.machineId,
    },
  }
}

export function capacityOf({ machine, podsMax, capacity }: NodeDescription): Readonly<Record<string, string>> {
  return {
    cpu: String(machine.cpus),
    memory: `${Math.floor(machine.memoryBytes / 1024)}Ki`,
    'ephemeral-storage': `${Math.floor(machine.diskBytes / 1024)}Ki`,
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    pods: String(podsMax),
    ...capacity,
  }
}

function imageList(images: readonly ImageStatus[]): NodeStatus['images'] {
  return [...images]
    .sort((left, right) => right.sizeBytes - left.sizeBytes)
    .slice(0, IMAGES_MAX)
    .map(({ tags, digests, sizeBytes }) => ({ names: [...digests, ...tags], sizeBytes }))
    .filter(({ names }) => names.length > 0)
}

type Row = readonly [type: string, status: 'True' | 'False', reason: string, message: string]

const PRESSURES: readonly Row[] = [
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
]

function readyRow({ ready, message = '' }: NodeHealth): Row {
  if (ready) return ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status']
  return ['Ready', 'False', 'KubeletNotReady', message]
}

/** Conditions of others (the network's, an operator's) stay. */
function conditions(previous: readonly NodeCondition[], health: NodeHealth, nowMs: number): readonly NodeCondition[] {
  const now = formatTime(nowMs)
  const own = [...PRESSURES, readyRow(health)].map(([type, status, reason, message]): NodeCondition => {
    const before = previous.find((condition) => condition.type === type)
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now
    return { type, status, reason, message, lastHeartbeatTime: now, lastTransitionTime }
  })
  return [...previous.filter(({ type }) => !own.some((condition) => condition.type === type)), ...own]
}

/**
 * Creates the Node, or brings the labels of the one that exists up to date; taints of an existing node stay. Gives the
 * Node as it is then.
 */
export async function register(client: Client, description: NodeDescription): Promise<Node> {
  const desired = newNode(description)
  try {
    return await client.of(nodes).create(desired)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const labels = { metadata: { labels: desired.metadata.labels } }
    return await client.of(nodes).patch({ name: description.name }, { type: 'merge', body: labels })
  }
}

/** Writes the status when something about it changed, or when it was not written for long. */
export async function reportStatus(client: Client, description: NodeDescription, report: NodeReport): Promise<void> {
  await retryOnConflict(async () => {
    const node = await client.of(nodes).get({ name: description.name })
    const status = nodeStatus(description, node.status, report)
    if (isCurrent(node.status, status, report.nowMs)) return
    await client.of(nodes).update({ ...node, status }, { subresource: 'status' })
  })
}

function isCurrent(previous: NodeStatus | undefined, next: NodeStatus, nowMs: number): boolean {
  const heartbeat = previous?.conditions?.find(({ type }) => type === 'Ready')?.lastHeartbeatTime
  const writtenMs = heartbeat ? parseTime(heartbeat) : undefined
  if (writtenMs === undefined || nowMs - writtenMs >= STATUS_REPORT_MS) return false
  return deepEqual(withoutHeartbeats(previous), withoutHeartbeats(next))
}

function withoutHeartbeats(status: NodeStatus | undefined): NodeStatus {
  return {
    ...status,
    conditions: status?.conditions?.map((condition) => ({ ...condition, lastHeartbeatTime: undefined })),
  }
}
