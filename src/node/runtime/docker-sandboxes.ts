/**
 * The pod sandboxes of one logical node. The engine's labels are the only memory: after a restart the sandboxes are
 * found by them, and connected again where the network has forgotten them.
 */

import type Docker from 'dockerode'
import type { ContainerInfo } from 'dockerode'
import { type Ownership, sandboxCreateOptions } from './container-config.ts'
import {
  type DockerEngine,
  ignoring,
  isStatus,
  labelFilter,
  labels,
  messageOf,
  ofPod,
  removeContainer,
} from './docker-engine.ts'
import type { DockerNode } from './docker-nodes.ts'
import { attemptOf, podOf } from './docker-status.ts'
import type { PodNetwork } from './pod-network.ts'
import { RuntimeError, type SandboxConfig, type SandboxStatus } from './runtime.ts'

export interface DockerSandboxes {
  list(podUid?: string): Promise<readonly SandboxStatus[]>
  run(config: SandboxConfig): Promise<SandboxStatus>
  remove(id: string): Promise<void>
  /** Host process id inside the sandbox's namespaces. */
  pid(id: string): Promise<number>
}

export interface DockerSandboxesOptions {
  readonly engine: DockerEngine
  readonly owner: Ownership
  readonly node: DockerNode
  readonly network: PodNetwork
}

export function createDockerSandboxes({ engine, owner, node, network }: DockerSandboxesOptions): DockerSandboxes {
  const { docker } = engine
  const addresses = new Map<string, readonly string[]>()
  const filters = labelFilter(
    [labels.cluster, owner.clusterName],
    [labels.node, owner.nodeName],
    [labels.kind, 'sandbox'],
  )

  const pid = (id: string) => processOf(docker, id)

  /** Undefined: the sandbox is no use any more. Inspected, because the engine's list lags behind its events. */
  const addressesOf = async (info: ContainerInfo): Promise<readonly string[] | undefined> => {
    const pidNow = await pid(info.Id).catch(() => 0)
    if (pidNow === 0) return undefined
    // A node that was made anew has another namespace: who was connected to the old one has lost its network.
    if ((info.Labels[labels.nodeContainer] ?? node.containerId) !== node.containerId) return undefined
    if (info.HostConfig.NetworkMode !== 'none') return []
    const known = addresses.get(info.Id)
    if (known) return known
    const ips = await connect(docker, network, info, pidNow)
    if (ips) addresses.set(info.Id, ips)
    return ips
  }

  const statusOf = async (info: ContainerInfo): Promise<SandboxStatus> => {
    const ips = await addressesOf(info)
    return {
      id: info.Id,
      pod: podOf(info.Labels),
      attempt: attemptOf(info.Labels),
      state: ips ? 'ready' : 'not-ready',
      createdAtMs: info.Created * 1000,
      ips: ips ?? [],
      hostNetwork: info.HostConfig.NetworkMode !== 'none',
    }
  }

  return {
    pid,
    async list(podUid) {
      const found = await docker.listContainers({ all: true, filters: ofPod(filters, podUid) })
      return Promise.all(found.map(statusOf))
    },
    async run(config) {
      const sandbox = await runSandbox({ engine, owner, node, network }, config)
      if (!config.hostNetwork) addresses.set(sandbox.id, sandbox.ips)
      return sandbox
    },
    async remove(id) {
      const members = await docker.listContainers({ filters: labelFilter([labels.sandbox, id]) })
      await Promise.all(members.map((member) => ignoring([404, 409], docker.getContainer(member.Id).kill())))
      const [info] = await docker.listContainers({ all: true, filters: { ...filters, id: [id] } })
      if (!info) return
      await removeContainer(docker, id)
      addresses.delete(id)
      const pod = podOf(info.Labels)
      const others = await docker.listContainers({ filters: ofPod(filters, pod.uid) })
      if (others.length === 0) await network.detach(pod.uid)
    },
  }
}

async function runSandbox(options: DockerSandboxesOptions, config: SandboxConfig): Promise<SandboxStatus> {
  const { docker } = options.engine
  const { pod, attempt, hostNetwork } = config
  let id: string | undefined
  try {
    id = await createSandbox(options, config)
    const container = docker.getContainer(id)
    await container.start()
    const { State, Created } = await container.inspect()
    const ips = hostNetwork ? [] : (await options.network.attach({ ...pod, pid: State.Pid })).ips
    return { id, pod, attempt, state: 'ready', createdAtMs: Date.parse(Created), ips, hostNetwork }
  } catch (error) {
    if (id !== undefined) await removeContainer(docker, id)
    throw new RuntimeError('CreatePodSandboxError', messageOf(error))
  }
}

async function createSandbox({ engine, owner, node }: DockerSandboxesOptions, config: SandboxConfig): Promise<string> {
  const { docker, capabilities } = engine
  const options = sandboxCreateOptions(owner, config, node.containerId, capabilities)
  try {
    return (await docker.createContainer(options)).id
  } catch (error) {
    if (!isStatus(error, 409)) throw error
    // The same attempt was begun before and not seen through.
    await removeContainer(docker, options.name ?? '')
    return (await docker.createContainer(options)).id
  }
}

async function processOf(docker: Docker, id: string): Promise<number> {
  return (await docker.getContainer(id).inspect()).State.Pid
}

/** Undefined: the sandbox ended meanwhile, which is no failure of the network. */
async function connect(
  docker: Docker,
  network: PodNetwork,
  info: ContainerInfo,
  pid: number,
): Promise<readonly string[] | undefined> {
  try {
    return (await network.attach({ ...podOf(info.Labels), pid })).ips
  } catch (error) {
    if ((await processOf(docker, info.Id).catch(() => 0)) !== pid) return undefined
    throw error
  }
}
