/** The containers of one logical node: created into sandboxes, started, stopped, and reported as the engine sees them. */

import { readFile } from 'node:fs/promises'
import type { ContainerCreateOptions } from 'dockerode'
import { LruMap } from '../../base/lru.ts'
import { cgroupUsage } from './cgroup-usage.ts'
import { containerCreateOptions, type Ownership, type SandboxFacts, updateOptions } from './container-config.ts'
import {
  type DockerEngine,
  ignoring,
  isStatus,
  labelFilter,
  labels,
  messageOf,
  removeContainer,
} from './docker-engine.ts'
import { createInventory } from './docker-inventory.ts'
import { statusOfInspected } from './docker-status.ts'
import {
  type ContainerConfig,
  type ContainerResources,
  type ContainerStatus,
  type ContainerUsage,
  RuntimeError,
} from './runtime.ts'
import type { SecurityFacts } from './security-context.ts'

/** Exited containers never change, so they are asked for once. About 1 KiB each. */
const STATUSES_MAX = 5_000

export interface DockerContainers {
  list(podUid?: string): Promise<readonly ContainerStatus[]>
  create(sandboxId: string, config: ContainerConfig): Promise<string>
  start(id: string): Promise<void>
  stop(id: string, graceSeconds: number): Promise<void>
  /** Ends what runs in a sandbox, at once. */
  kill(sandbox: SandboxFacts): Promise<void>
  remove(id: string): Promise<void>
  update(id: string, resources: ContainerResources): Promise<void>
  usage(id: string): Promise<ContainerUsage | undefined>
  /** One of its processes was killed for its memory: the engine forgets that where it sees the end first. */
  outOfMemory(id: string): void
}

export interface DockerContainersOptions {
  readonly engine: DockerEngine
  readonly owner: Ownership
  /** Undefined: it is gone. */
  readonly sandbox: (id: string) => Promise<SandboxFacts | undefined>
}

export function createDockerContainers({ engine, owner, sandbox }: DockerContainersOptions): DockerContainers {
  const { docker } = engine
  /** Of exited containers, by id. */
  const statuses = new LruMap<string, ContainerStatus>(STATUSES_MAX)
  const outOfMemory = new LruMap<string, true>(STATUSES_MAX)
  const filter = labelFilter(
    [labels.cluster, owner.clusterName],
    [labels.node, owner.nodeName],
    [labels.kind, 'container'],
  )
  const inventory = createInventory(engine, filter)
  const statusOf = async (id: string): Promise<ContainerStatus | undefined> => {
    const known = statuses.get(id)
    if (known) return known
    const info = await inventory.inspect(id)
    const status = info && statusOfInspected(info, outOfMemory.get(id) === true)
    if (status?.state === 'exited') statuses.set(id, status)
    return status
  }
  const list = async (podUid?: string): Promise<readonly ContainerStatus[]> => {
    const found = await Promise.all((await inventory.ids(podUid)).map(statusOf))
    return found.filter((status) => status !== undefined)
  }
  const make = async (options: ContainerCreateOptions): Promise<string> => {
    try {
      return (await docker.createContainer(options)).id
    } catch (error) {
      if (!isStatus(error, 409)) throw error
      const existing = await docker.getContainer(options.name ?? '').inspect()
      if (existing.State.Status !== 'created') return existing.Id
      // Left behind by a try that did not come to start it: its config may be out of date.
      await removeContainer(docker, existing.Id)
      return (await docker.createContainer(options)).id
    }
  }
  const create = async (sandboxId: string, config: ContainerConfig): Promise<string> => {
    const [facts, security] = await Promise.all([sandbox(sandboxId), securityFacts(engine, config)])
    if (!facts) throw new Error(`No such container: ${sandboxId}`)
    const id = await make(containerCreateOptions(owner, facts, config, security))
    inventory.add(facts.pod.uid, id)
    return id
  }
  return {
    list,
    create: (sandboxId, config) => orFail('CreateContainerError', create(sandboxId, config)),
    start: (id) =>
      engine.starts('container', () => orFail('RunContainerError', ignoring([304], docker.getContainer(id).start()))),
    stop: (id, graceSeconds) => ignoring([304, 404], docker.getContainer(id).stop({ t: Math.ceil(graceSeconds) })),
    async kill({ id, pod }) {
      const members = (await list(pod.uid)).filter(({ sandboxId, state }) => sandboxId === id && state === 'running')
      await Promise.all(members.map((member) => ignoring([404, 409], docker.getContainer(member.id).kill())))
    },
    async remove(id) {
      await removeContainer(docker, id)
      inventory.forget(id)
    },
    async update(id, resources) {
      await orFail('ResizeContainerError', docker.getContainer(id).update(updateOptions(resources)))
    },
    async usage(id) {
      const info = await inventory.inspect(id)
      return info?.State.Running ? await cgroupUsage(info.State.Pid) : undefined
    },
    outOfMemory(id) {
      outOfMemory.set(id, true)
      statuses.delete(id)
    },
  }
}

async function securityFacts(engine: DockerEngine, { imageId, security }: ContainerConfig): Promise<SecurityFacts> {
  const needsUser = security.user === undefined && security.group !== undefined
  const image = needsUser ? await engine.docker.getImage(imageId).inspect() : undefined
  const { seccomp } = security
  return {
    capabilities: engine.capabilities,
    imageUser: image?.Config?.User ?? '',
    localSeccompProfile: typeof seccomp === 'object' ? await readFile(seccomp.localhostProfile, 'utf8') : undefined,
  }
}

async function orFail<T>(reason: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof RuntimeError) throw error
    throw new RuntimeError(reason, messageOf(error))
  }
}
