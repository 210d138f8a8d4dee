/**
 * The pod sandboxes of one logical node. The engine's labels are the only memory: after a restart the sandboxes are
 * found by them, and connected again where the network has forgotten them.
 */

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

  const pid = async (id: string): Promise<number> => (await docker.getContainer(id).inspect()).State.Pid

  /** Undefined: the sandbox is no use any more. Inspected, because the engine's list lags behind its events. */
  const addressesOf = async (info: ContainerInfo): Promise<readonly string[] | undefined> => {
    const pidNow = await pid(info.Id).catch(() => 0)
    if (pidNow === 0) return undefined
    const networkMode = info.HostConfig.NetworkMode
    // A node that was made anew has another namespace: who joined the old one has lost its network.
    if (networkMode !== 'none') return networkMode === `container:${node.containerId}` ? [] : undefined
    const known = addresses.get(info.Id)
    if (known) return known
    const { ips } = await network.attach({ ...podOf(info.Labels), pid: pidNow })
    addresses.set(info.Id, ips)
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

  const create = async (config: SandboxConfig): Promise<string> => {
    const options = sandboxCreateOptions(owner, config, node.containerId, engine.capabilities)
    try {
      return (await docker.createContainer(options)).id
    } catch (error) {
      if (!isStatus(error, 409)) throw error
      // The same attempt was begun before and not seen through.
      await removeContainer(docker, options.name ?? '')
      return (await docker.createContainer(options)).id
    }
  }

  return {
    pid,
    async list(podUid) {
      const found = await docker.listContainers({ all: true, filters: ofPod(filters, podUid) })
      return Promise.all(found.map(statusOf))
    },
    async run(config) {
      let id: string | undefined
      try {
        id = await create(config)
        await docker.getContainer(id).start()
        const state = await docker.getContainer(id).inspect()
        if (!config.hostNetwork) {
          const { ips } = await network.attach({ ...config.pod, pid: state.State.Pid })
          addresses.set(id, ips)
        }
        return {
          id,
          pod: config.pod,
          attempt: config.attempt,
          state: 'ready',
          createdAtMs: Date.parse(state.Created),
          ips: addresses.get(id) ?? [],
          hostNetwork: config.hostNetwork,
        }
      } catch (error) {
        if (id !== undefined) await removeContainer(docker, id)
        throw new RuntimeError('CreatePodSandboxError', messageOf(error))
      }
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
