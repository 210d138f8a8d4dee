/** What the garbage collector decides, without asking anybody: whom a change concerns, and what becomes of an object. */

import type { PropagationPolicy } from '../../apis/definition.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import type { OwnerReference } from '../../machinery/meta/object.ts'
import { type GraphNode, mayOwn, type OwnerGraph, refersTo } from './owner-graph.ts'

/** Whom to look at after a change, by uid. */
export interface Concerned {
  readonly check: readonly string[]
  /** Its dependents are to forget it. */
  readonly orphan?: string | undefined
  /** References across namespaces: worth an event. */
  readonly misplaced: readonly Misplaced[]
}

export interface Misplaced {
  readonly dependent: GraphNode
  readonly reference: OwnerReference
}

/** `next` is in the graph already; `previous` is what stood there before. */
export function concernedByChange(graph: OwnerGraph, next: GraphNode, previous: GraphNode | undefined): Concerned {
  if (isAlone(graph, next, previous)) return NOBODY
  const check = new Set<string>()
  const misplaced: Misplaced[] = []
  if (!isSettled(graph, next) && !deepEqual(previous?.owners, next.owners)) check.add(next.uid)
  const known = new Set(previous?.owners.map(({ uid }) => uid))
  for (const reference of next.owners) {
    const owner = graph.get(reference.uid)
    if (owner && !mayOwn(owner, next) && !known.has(reference.uid)) misplaced.push({ dependent: next, reference })
  }
  for (const owner of unblockedOwners(previous, next)) if (graph.get(owner)?.deletion === 'foreground') check.add(owner)
  const dependents = previous ? [] : graph.dependentsOf(next.uid)
  for (const dependent of dependents) {
    const wrong = dependent.owners
      .filter(({ uid }) => uid === next.uid)
      .filter((own) => !refersTo(own, dependent, next))
    if (wrong.length > 0) check.add(dependent.uid)
    if (!mayOwn(next, dependent)) misplaced.push(...wrong.map((reference) => ({ dependent, reference })))
  }
  const begins = next.deletion !== previous?.deletion
  if (begins && next.deletion === 'foreground') {
    for (const { uid } of graph.dependentsOf(next.uid)) check.add(uid)
    check.add(next.uid)
  }
  return { check: [...check], orphan: begins && next.deletion === 'orphan' ? next.uid : undefined, misplaced }
}

const NOBODY: Concerned = { check: [], orphan: undefined, misplaced: [] }

/** Neither owners nor an end, before and now, nor dependents that came first: as most objects are that change. */
function isAlone(graph: OwnerGraph, next: GraphNode, previous: GraphNode | undefined): boolean {
  if (next.owners.length > 0 || next.deletion !== 'none') return false
  return previous ? previous.owners.length === 0 && previous.deletion === 'none' : !graph.hasDependents(next.uid)
}

/** `gone` is no longer in the graph. */
export function concernedByRemoval(graph: OwnerGraph, gone: GraphNode): Concerned {
  const waiting = gone.owners.filter(({ uid }) => graph.get(uid)?.deletion === 'foreground').map(({ uid }) => uid)
  return { check: [...graph.dependentsOf(gone.uid).map(({ uid }) => uid), ...waiting], misplaced: [] }
}

/** All of its owners are there and none of them waits for it: nothing to find out. */
export function isSettled(graph: OwnerGraph, node: GraphNode): boolean {
  if (node.deletion === 'foreground') return false
  if (node.deletion !== 'none') return true
  return node.owners.every((reference) => {
    const owner = graph.get(reference.uid)
    return owner !== undefined && owner.deletion !== 'foreground' && refersTo(reference, node, owner)
  })
}

/** Owners that `previous` kept from going and `next` no longer does. */
function unblockedOwners(previous: GraphNode | undefined, next: GraphNode): readonly string[] {
  const blocked = (previous?.owners ?? []).filter(({ blockOwnerDeletion }) => blockOwnerDeletion === true)
  const blocking = new Set(next.owners.filter((own) => own.blockOwnerDeletion === true).map(({ uid }) => uid))
  return blocked.map(({ uid }) => uid).filter((uid) => !blocking.has(uid))
}

export type ForegroundDecision =
  /** Nothing blocks any more: the finalizer goes, and the object with it. */
  { readonly do: 'release' } | { readonly do: 'wait'; readonly check: readonly string[] }

/** For an object whose deletion waits for its dependents. */
export function planForeground({ uid }: GraphNode, dependents: readonly GraphNode[]): ForegroundDecision {
  const blocking = dependents.filter(({ owners }) =>
    owners.some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
  )
  if (blocking.length === 0) return { do: 'release' }
  return { do: 'wait', check: blocking.filter(({ deletion }) => deletion !== 'foreground').map((node) => node.uid) }
}

/** `waiting`: it is being deleted and waits for its dependents. */
export type OwnerState = 'solid' | 'absent' | 'waiting'

export interface ItemView {
  /** From the server, not from the graph. */
  readonly owners: readonly { readonly reference: OwnerReference; readonly state: OwnerState }[]
  /** A policy that the object's finalizers ask for already. */
  readonly asked: PropagationPolicy | undefined
  readonly dependents: readonly GraphNode[]
}

export type ItemDecision =
  | { readonly do: 'keep' }
  /** It has another owner; these it loses. */
  | { readonly do: 'drop-owners'; readonly uids: ReadonlySet<string> }
  | { readonly do: 'delete'; readonly propagation: PropagationPolicy; readonly unblockFirst: boolean }

export function planItem({ owners, asked, dependents }: ItemView): ItemDecision {
  if (owners.length === 0) return { do: 'keep' }
  const lost = owners.filter(({ state }) => state !== 'solid')
  if (lost.length < owners.length) {
    const uids = new Set(lost.map(({ reference }) => reference.uid))
    return lost.length === 0 ? { do: 'keep' } : { do: 'drop-owners', uids }
  }
  if (dependents.length > 0 && owners.some(({ state }) => state === 'waiting')) {
    // A dependent that waits as well may be an owner of this one's owner: without a reference that blocks, no circle.
    const unblockFirst = dependents.some(({ deletion }) => deletion === 'foreground')
    return { do: 'delete', propagation: 'Foreground', unblockFirst }
  }
  return { do: 'delete', propagation: asked ?? 'Background', unblockFirst: false }
}
