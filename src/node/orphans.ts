/** Removes what is left of pods that the node no longer knows: those deleted while its agent did not run, above all. */

import type { Logger } from '../base/log.ts'
import type { PodDirectory } from './pod-directory.ts'
import { isRunning } from './pod-view.ts'
import type { ContainerRuntime } from './runtime/runtime.ts'
import type { PodVolumes } from './volumes/volume.ts'

export interface OrphansParts {
  readonly runtime: ContainerRuntime
  readonly volumes: PodVolumes
  readonly directory: PodDirectory
  readonly log: Logger
}

/** Nobody is left to say how long a process may take to end. */
const GRACE_SECONDS = 1

/** One that cannot be removed does not keep the others; the first error is thrown in the end. */
export async function removeOrphans(parts: OrphansParts, isKnown: (podUid: string) => boolean): Promise<void> {
  const { runtime, directory, log } = parts
  const [sandboxes, containers, folders] = await Promise.all([
    runtime.sandboxes(),
    runtime.containers(),
    directory.pods(),
  ])
  const uids = new Set([...sandboxes, ...containers].map(({ pod }) => pod.uid).concat(folders))
  const failures: unknown[] = []
  for (const uid of uids) {
    if (isKnown(uid)) continue
    log.info('removing what is left of a pod that is gone', { podUid: uid })
    await removeAll(parts, uid).catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
}

async function removeAll({ runtime, volumes, directory }: OrphansParts, uid: string): Promise<void> {
  const containers = await runtime.containers(uid)
  await Promise.all(containers.filter(isRunning).map(({ id }) => runtime.stopContainer(id, GRACE_SECONDS)))
  for (const { id } of await runtime.sandboxes(uid)) await runtime.removeSandbox(id)
  for (const { id } of containers) await runtime.removeContainer(id)
  await volumes.tearDown(uid)
  await directory.remove(uid)
}
