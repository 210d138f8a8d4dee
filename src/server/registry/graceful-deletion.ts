/**
 * What a delete means for an object, decided without I/O: gone at once, marked and waited for, or nothing new
 * because it is on its way already.
 *
 *   no grace, no finalizer           → remove
 *   finalizers (asked for or there)  → mark: deletionTimestamp now, grace 0; whoever takes the last one removes it
 *   grace > 0 (pods on a node)       → mark: deletionTimestamp in `grace` seconds; the node removes it
 *   marked, shorter grace            → mark again, earlier
 *   marked, anything else            → keep
 */

import type { DeletionRules, PropagationPolicy, ResourceDefinition } from '../../apis/definition.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from '../../machinery/meta/finalizers.ts'
import type { KubeObject, ObjectMeta } from '../../machinery/meta/object.ts'
import { formatTime, parseTime } from '../../machinery/meta/time.ts'

export interface DeletionWish {
  readonly gracePeriodSeconds?: number | undefined
  readonly propagationPolicy?: PropagationPolicy | undefined
  /** The old way to say Orphan (true) or Background (false). */
  readonly orphanDependents?: boolean | undefined
}

export type DeletionPlan<T extends KubeObject> =
  | { readonly step: 'remove'; readonly object: T }
  /** Write the object; `thenRemove`: and remove it right after, so that watchers see that it was deleted, and how. */
  | { readonly step: 'mark'; readonly object: T; readonly thenRemove: boolean }
  | { readonly step: 'keep' }

export function planDeletion<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  object: T,
  wish: DeletionWish,
  nowMs: number,
): DeletionPlan<T> {
  const finalizers = finalizersAfter(definition.deletion, object.metadata.finalizers ?? [], wish)
  const finalized = withFinalizers(object, finalizers)
  const marking = definition.deletion.graceSeconds
    ? gracefully(definition.deletion, finalized, wish, nowMs)
    : 'ungraceful'
  if (marking === 'pending')
    return finalized === object ? { step: 'keep' } : { step: 'mark', object: finalized, thenRemove: false }
  const held = finalizers.length > 0 || (definition.deletion.isHeld?.(finalized) ?? false)
  if (marking === 'ungraceful') {
    if (!held) return { step: 'remove', object: finalized }
    const marked = markedForDeletion(definition.deletion, finalized, nowMs)
    return deepEqual(marked, object) ? { step: 'keep' } : { step: 'mark', object: marked, thenRemove: false }
  }
  const { deletionGracePeriodSeconds: grace = 0 } = marking.metadata
  return { step: 'mark', object: marking, thenRemove: grace === 0 && !held }
}

/** Whether an object with these finalizers is removed as it is, whatever else it says: most need not be looked at. */
export function goesAsItIs<T extends KubeObject>(
  { deletion }: ResourceDefinition<T>,
  finalizers: readonly string[] | undefined,
  wish: DeletionWish,
): boolean {
  if ((finalizers?.length ?? 0) > 0 || deletion.graceSeconds || deletion.isHeld) return false
  return (wishedPolicy(wish) ?? deletion.propagation) === 'Background'
}

/** An update that takes the last reason to stay lets a deleted object go. */
export function goesWithUpdate<T extends KubeObject>({ deletion }: ResourceDefinition<T>, object: T): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata
  if (!deletionTimestamp || finalizers.length > 0 || deletionGracePeriodSeconds > 0) return false
  return !(deletion.isHeld?.(object) ?? false)
}

/** `pending`: it is on its way and nothing gets shorter. `ungraceful`: no grace (any more). */
function gracefully<T extends KubeObject>(
  rules: DeletionRules<T>,
  object: T,
  { gracePeriodSeconds: wished }: DeletionWish,
  nowMs: number,
): T | 'pending' | 'ungraceful' {
  const { deletionTimestamp, deletionGracePeriodSeconds: pending } = object.metadata
  const deletionMs = parseTime(deletionTimestamp)
  if (deletionMs !== undefined) {
    if (pending === undefined) return 'ungraceful'
    if (wished === undefined || wished >= pending) return 'pending'
    return withDeletion(object, deletionMs + (Math.max(0, wished) - pending) * 1_000, Math.max(0, wished))
  }
  const usual = rules.graceSeconds?.(object) ?? 0
  const grace = usual === 0 ? 0 : (wished ?? usual)
  const seconds = grace < 0 ? 1 : grace
  return nextGeneration(withDeletion(object, nowMs + seconds * 1_000, seconds))
}

function markedForDeletion<T extends KubeObject>(rules: DeletionRules<T>, object: T, nowMs: number): T {
  const { deletionTimestamp, deletionGracePeriodSeconds: pending } = object.metadata
  if (deletionTimestamp) return pending === undefined ? object : withDeletionGrace(object, 0)
  const marked = nextGeneration(withDeletion(object, nowMs, 0))
  return rules.markDeleting?.(marked) ?? marked
}

function withDeletion<T extends KubeObject>(object: T, atMs: number, graceSeconds: number): T {
  const metadata: ObjectMeta = {
    ...object.metadata,
    deletionTimestamp: formatTime(atMs),
    deletionGracePeriodSeconds: graceSeconds,
  }
  return { ...object, metadata }
}

function withDeletionGrace<T extends KubeObject>(object: T, graceSeconds: number): T {
  if (object.metadata.deletionGracePeriodSeconds === graceSeconds) return object
  return { ...object, metadata: { ...object.metadata, deletionGracePeriodSeconds: graceSeconds } }
}

function nextGeneration<T extends KubeObject>(object: T): T {
  const { generation = 0 } = object.metadata
  return generation > 0 ? { ...object, metadata: { ...object.metadata, generation: generation + 1 } } : object
}

/** The finalizers that the garbage collector works for follow the wish, else what is there, else the default. */
function finalizersAfter(
  { propagation }: Pick<DeletionRules, 'propagation'>,
  finalizers: readonly string[],
  wish: DeletionWish,
): readonly string[] {
  const policy = wishedPolicy(wish) ?? setPolicy(finalizers) ?? propagation
  const others = finalizers.filter((name) => name !== ORPHAN_FINALIZER && name !== FOREGROUND_FINALIZER)
  const wanted = policy === 'Orphan' ? ORPHAN_FINALIZER : policy === 'Foreground' ? FOREGROUND_FINALIZER : undefined
  if (wanted === undefined) return others.length === finalizers.length ? finalizers : others
  return finalizers.length === others.length + 1 && finalizers.includes(wanted) ? finalizers : [...others, wanted]
}

function wishedPolicy({ propagationPolicy, orphanDependents }: DeletionWish): PropagationPolicy | undefined {
  if (propagationPolicy !== undefined) return propagationPolicy
  if (orphanDependents === undefined) return undefined
  return orphanDependents ? 'Orphan' : 'Background'
}

function setPolicy(finalizers: readonly string[]): PropagationPolicy | undefined {
  if (finalizers.includes(ORPHAN_FINALIZER)) return 'Orphan'
  return finalizers.includes(FOREGROUND_FINALIZER) ? 'Foreground' : undefined
}

function withFinalizers<T extends KubeObject>(object: T, finalizers: readonly string[]): T {
  const { finalizers: present = [], ...metadata } = object.metadata
  if (finalizers === present || (finalizers.length === 0 && present.length === 0)) return object
  return { ...object, metadata: finalizers.length === 0 ? metadata : { ...metadata, finalizers } }
}
