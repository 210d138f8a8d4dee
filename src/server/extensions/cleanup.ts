/**
 * The end of a CustomResourceDefinition: its objects are deleted, waited for, and then its finalizer is taken. What
 * became of that is a condition of the definition, so that whoever waits sees why.
 */

import { CLEANUP_FINALIZER, withDefinitionCondition } from '../../apis/apiextensions/custom-resource-definition.ts'
import type { CustomResourceDefinition } from '../../apis/apiextensions/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import { deadline } from '../../base/deadline.ts'
import { messageOf } from '../../base/error-text.ts'
import { isConditionTrue } from '../../machinery/meta/conditions.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import type { WriteOptions } from '../registry/context.ts'
import { ALL_NOW } from '../registry/list.ts'
import type { Registry } from '../registry/registry.ts'

/** How long objects are waited for before the definition says that they are still there, in ms; upstream's. */
const OBJECTS_WAIT_MS = 60_000

const EVERYTHING = { ...ALL_NOW, namespace: '' }

export interface CleanupParts {
  /** Changes the status and finalizers of a definition. */
  change(name: string, change: (live: CustomResourceDefinition) => CustomResourceDefinition): Promise<void>
  /** The objects of a definition; undefined when it was never served. */
  objectsOf(crd: CustomResourceDefinition): Registry | undefined
  readonly clock: Clock
  readonly options: WriteOptions
}

export function needsCleanup({ metadata }: CustomResourceDefinition): boolean {
  return Boolean(metadata.deletionTimestamp) && (metadata.finalizers ?? []).includes(CLEANUP_FINALIZER)
}

/** Resolves when the finalizer is gone. Throws when objects stay; the definition says which step failed. */
export async function cleanUp(parts: CleanupParts, crd: CustomResourceDefinition, signal: AbortSignal): Promise<void> {
  const { name = '' } = crd.metadata
  const say = (status: 'True' | 'False', reason: string, message: string, done = false): Promise<void> =>
    parts.change(name, (live) => {
      const condition = { type: 'Terminating', status, reason, message }
      const told = withDefinitionCondition(live, condition, formatTime(parts.clock.now()))
      return done ? withoutFinalizer(told) : told
    })
  await say('True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress')
  const objects = parts.objectsOf(crd)
  if (objects === undefined || !isConditionTrue(crd.status?.conditions ?? [], 'Established'))
    return say('False', 'NeverEstablished', 'resource was never established', true)
  const failed = await deleteAll(parts, objects, signal)
  if (failed !== undefined) {
    await say('True', failed.reason, failed.message)
    throw new Error(failed.message)
  }
  await say('False', 'InstanceDeletionCompleted', 'removed all instances', true)
}

function withoutFinalizer(crd: CustomResourceDefinition): CustomResourceDefinition {
  const finalizers = (crd.metadata.finalizers ?? []).filter((finalizer) => finalizer !== CLEANUP_FINALIZER)
  return { ...crd, metadata: { ...crd.metadata, finalizers } }
}

interface Failure {
  readonly reason: string
  readonly message: string
}

async function deleteAll(
  { clock, options }: CleanupParts,
  objects: Registry,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  try {
    await objects.deleteCollection(EVERYTHING, {}, options)
  } catch (error) {
    return { reason: 'InstanceDeletionFailed', message: `could not issue all deletes: ${messageOf(error)}` }
  }
  try {
    await allGone(objects, clock, signal)
    return undefined
  } catch (error) {
    signal.throwIfAborted()
    const message = `could not confirm zero CustomResources remaining: ${messageOf(error)}`
    return { reason: 'InstanceDeletionCheck', message }
  }
}

/** Finalizers of the objects may take their time. */
async function allGone(objects: Registry, clock: Clock, signal: AbortSignal): Promise<void> {
  using wait = deadline(clock, OBJECTS_WAIT_MS, signal)
  while (true) {
    const { items, metadata } = await objects.list(EVERYTHING)
    if (items.length === 0) return
    const { resourceVersion = '' } = metadata
    const watcher = await objects.watch({
      ...EVERYTHING,
      resourceVersion,
      sendInitialEvents: undefined,
      allowBookmarks: false,
      signal: wait.signal,
    })
    await watcher.next()
    watcher.end()
    wait.signal.throwIfAborted()
  }
}
