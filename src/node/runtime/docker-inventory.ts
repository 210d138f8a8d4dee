/**
 * Which of the engine's containers are this node's, by pod. The engine's list goes over everything that it has, and a
 * pod that starts is looked at ten times: so the list is read once, and when all pods are wanted. Between, only this
 * process makes containers of the node, and one that is gone says so when it is asked for.
 */

import type { ContainerInspectInfo } from 'dockerode'
import { type DockerEngine, isStatus, type labelFilter, labels } from './docker-engine.ts'

export interface DockerInventory {
  /** The ids of a pod's, or of all: those are read anew. */
  ids(podUid?: string): Promise<readonly string[]>
  add(podUid: string, id: string): void
  forget(id: string): void
  /** As the engine has it now. Undefined: it is gone, or half removed. */
  inspect(id: string): Promise<ContainerInspectInfo | undefined>
}

export function createInventory({ docker }: DockerEngine, filter: ReturnType<typeof labelFilter>): DockerInventory {
  const byPod = new Map<string, Set<string>>()
  const podOf = new Map<string, string>()
  let first: Promise<void> | undefined

  const add = (podUid: string, id: string) => {
    podOf.set(id, podUid)
    const ids = byPod.get(podUid)
    if (ids) ids.add(id)
    else byPod.set(podUid, new Set([id]))
  }
  const forget = (id: string) => {
    const podUid = podOf.get(id) ?? ''
    podOf.delete(id)
    const ids = byPod.get(podUid)
    ids?.delete(id)
    if (ids?.size === 0) byPod.delete(podUid)
  }
  /** What is made while the engine answers may not be in its list, and stays. */
  const read = async (): Promise<void> => {
    const before = [...podOf.keys()]
    const found = await docker.listContainers({ all: true, filters: filter })
    const present = new Set(found.map(({ Id }) => Id))
    for (const { Id, Labels } of found) add(Labels[labels.podUid] ?? '', Id)
    for (const id of before) if (!present.has(id)) forget(id)
  }
  const readOnce = (): Promise<void> => {
    first ??= read().catch((error: unknown) => {
      first = undefined
      throw error
    })
    return first
  }

  return {
    async ids(podUid) {
      if (podUid === undefined) {
        await read()
        return [...podOf.keys()]
      }
      await readOnce()
      return [...(byPod.get(podUid) ?? [])]
    },
    add,
    forget,
    async inspect(id) {
      try {
        return await docker.getContainer(id).inspect()
      } catch (error) {
        if (isStatus(error, 404)) forget(id)
        else if (!isStatus(error, 500)) throw error
        return undefined
      }
    },
  }
}
