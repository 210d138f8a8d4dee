/** The containers of one logical node: created into sandboxes, started, stopped, and reported as the engine sees them. */

import { readFile } from 'node:fs/promises'
import type { ContainerInfo } from 'dockerode'
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
  ofPod,
  removeContainer,
} from './docker-engine.ts'
import { podOf, sharingOf, statusOfInspected, statusOfListed } from './docker-status.ts'
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
  remove(id: string): Promise<void>
  update(id: string, resources: ContainerResources): Promise<void>
  usage(id: string): Promise<ContainerUsage | undefined>
}

export function createDockerContainers(engine: DockerEngine, owner: Ownership): DockerContainers {
  const { docker } = engine
  /**
   * Of exited containers, by id. The others are inspected each time: the engine's list lags behind its events, so what
   * it calls running may have ended.
   */
  const statuses = new LruMap<string, ContainerStatus>(STATUSES_MAX)
  const filters = labelFilter(
    [labels.cluster, owner.clusterName],
    [labels.node, owner.nodeName],
    [labels.kind, 'container'],
  )

  const statusOf = async (info: ContainerInfo): Promise<ContainerStatus | undefined> => {
    const known = statuses.get(info.Id)
    if (known) return known
    try {
      const status = statusOfInspected(await docker.getContainer(info.Id).inspect())
      if (status.state === 'exited') statuses.set(info.Id, status)
      return status
    } catch (error) {
      if (isStatus(error, 404)) return undefined
      return statusOfListed(info)
    }
  }

  const sandboxFacts = async (sandboxId: string): Promise<SandboxFacts> => {
    const { Config } = await docker.getContainer(sandboxId).inspect()
    return { id: sandboxId, pod: podOf(Config.Labels), sharing: sharingOf(Config.Labels) }
  }

  const create = async (sandboxId: string, config: ContainerConfig): Promise<string> => {
    const [sandbox, facts] = await Promise.all([sandboxFacts(sandboxId), securityFacts(engine, config)])
    const options = containerCreateOptions(owner, sandbox, config, facts)
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

  return {
    async list(podUid) {
      const found = await docker.listContainers({ all: true, filters: ofPod(filters, podUid) })
      return (await Promise.all(found.map(statusOf))).filter((status) => status !== undefined)
    },
    create: (sandboxId, config) => orFail('CreateContainerError', create(sandboxId, config)),
    start: (id) => orFail('RunContainerError', ignoring([304], docker.getContainer(id).start())),
    stop: (id, graceSeconds) => ignoring([304, 404], docker.getContainer(id).stop({ t: Math.ceil(graceSeconds) })),
    remove: (id) => removeContainer(docker, id),
    async update(id, resources) {
      await orFail('ResizeContainerError', docker.getContainer(id).update(updateOptions(resources)))
    },
    async usage(id) {
      try {
        const { State } = await docker.getContainer(id).inspect()
        return State.Running ? await cgroupUsage(State.Pid) : undefined
      } catch (error) {
        if (isStatus(error, 404)) return undefined
        throw error
      }
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
