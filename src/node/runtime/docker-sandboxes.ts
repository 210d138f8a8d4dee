/**
 * The pod sandboxes of one logical node. The engine's labels are the only memory: after a restart the sandboxes are
 * found by them, and connected again where the network has forgotten them.
 */

import type Docker from 'dockerode'
import type { ContainerInspectInfo } from 'dockerode'
import { LruMap } from '../../base/lru.ts'
import { OWN_NETWORK, type Ownership, type SandboxFacts, sandboxCreateOptions, sharingIn } from './container-config.ts'
import { type DockerEngine, isStatus, labelFilter, labels, messageOf, removeContainer } from './docker-engine.ts'
import { createInventory, type DockerInventory } from './docker-inventory.ts'
import type { DockerNode } from './docker-nodes.ts'
import { attemptOf, podOf, sharingOf } from './docker-status.ts'
import type { PodNetwork } from './pod-network.ts'
import { type PodIdentity, RuntimeError, type SandboxConfig, type SandboxStatus } from './runtime.ts'

export interface DockerSandboxes {
  list(podUid?: string): Promise<readonly SandboxStatus[]>
  run(config: SandboxConfig): Promise<SandboxStatus>
  /** What containers need to know of their sandbox. Undefined: it is gone. */
  facts(id: string): Promise<SandboxFacts | undefined>
  remove(sandbox: SandboxFacts): Promise<void>
  /** Host process id inside the sandbox's namespaces. */
  pid(id: string): Promise<number>
}

export interface DockerSandboxesOptions {
  readonly engine: DockerEngine
  readonly owner: Ownership
  readonly node: DockerNode
  readonly network: PodNetwork
}

export function createDockerSandboxes(options: DockerSandboxesOptions): DockerSandboxes {
  const { engine, owner, node, network } = options
  const { docker } = engine
  const addresses = new Map<string, readonly string[]>()
  const filter = labelFilter(
    [labels.cluster, owner.clusterName],
    [labels.node, owner.nodeName],
    [labels.kind, 'sandbox'],
  )
  const inventory = createInventory(engine, filter)
  const facts = createFacts(inventory)

  /** Undefined: the sandbox is no use any more. */
  const addressesOf = async ({ Id, State, Config, HostConfig }: ContainerInspectInfo) => {
    if (State.Pid === 0) return undefined
    // A node that was made anew has another namespace: who was connected to the old one has lost its network.
    if ((Config.Labels[labels.nodeContainer] ?? node.containerId) !== node.containerId) return undefined
    if (HostConfig.NetworkMode !== OWN_NETWORK) return []
    const known = addresses.get(Id)
    if (known) return known
    const ips = await connect(docker, network, podOf(Config.Labels), { id: Id, pid: State.Pid })
    if (ips) addresses.set(Id, ips)
    return ips
  }

  const statusOf = async (id: string): Promise<SandboxStatus | undefined> => {
    const info = await inventory.inspect(id)
    if (!info) return undefined
    const ips = await addressesOf(info)
    return {
      id,
      pod: podOf(info.Config.Labels),
      attempt: attemptOf(info.Config.Labels),
      state: ips ? 'ready' : 'not-ready',
      createdAtMs: Date.parse(info.Created),
      ips: ips ?? [],
      hostNetwork: info.HostConfig.NetworkMode !== OWN_NETWORK,
    }
  }

  return {
    pid: (id) => processOf(docker, id),
    async list(podUid) {
      const found = await Promise.all((await inventory.ids(podUid)).map(statusOf))
      return found.filter((status) => status !== undefined)
    },
    async run(config) {
      const { pod } = config
      const created = (id: string) => inventory.add(pod.uid, id)
      const sandbox = await engine.starts('sandbox', () => runSandbox(options, config, created))
      if (!config.hostNetwork) addresses.set(sandbox.id, sandbox.ips)
      facts.set({ id: sandbox.id, pod, sharing: sharingIn(config) })
      return sandbox
    },
    facts: facts.of,
    async remove({ id, pod }) {
      await removeContainer(docker, id)
      addresses.delete(id)
      facts.forget(id)
      inventory.forget(id)
      if ((await inventory.ids(pod.uid)).length === 0) await network.detach(pod.uid)
    },
  }
}

interface Facts {
  of(id: string): Promise<SandboxFacts | undefined>
  set(facts: SandboxFacts): void
  forget(id: string): void
}

/** Of how many sandboxes they are remembered. About 0.5 KiB each. */
const FACTS_MAX = 5_000

/** They never change, so they are asked for once. */
function createFacts(inventory: DockerInventory): Facts {
  const known = new LruMap<string, SandboxFacts>(FACTS_MAX)
  return {
    async of(id) {
      const remembered = known.get(id)
      if (remembered) return remembered
      const info = await inventory.inspect(id)
      if (!info) return undefined
      const facts = { id, pod: podOf(info.Config.Labels), sharing: sharingOf(info.Config.Labels) }
      known.set(id, facts)
      return facts
    },
    set: (facts) => known.set(facts.id, facts),
    forget: (id) => known.delete(id),
  }
}

async function runSandbox(
  options: DockerSandboxesOptions,
  config: SandboxConfig,
  created: (id: string) => void,
): Promise<SandboxStatus> {
  const { docker } = options.engine
  const { pod, attempt, hostNetwork } = config
  let id: string | undefined
  try {
    id = await createSandbox(options, config)
    created(id)
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
  pod: PodIdentity,
  { id, pid }: { readonly id: string; readonly pid: number },
): Promise<readonly string[] | undefined> {
  try {
    return (await network.attach({ ...pod, pid })).ips
  } catch (error) {
    if ((await processOf(docker, id).catch(() => 0)) !== pid) return undefined
    throw error
  }
}
