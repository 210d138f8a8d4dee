/** Looks at one object: asks the server what the plan needs to know, and does what the plan says. */

import type { PropagationPolicy } from '../../apis/definition.ts'
import type { Client } from '../../client/client.ts'
import { FOREGROUND_FINALIZER, hasFinalizer, ORPHAN_FINALIZER } from '../../machinery/meta/finalizers.ts'
import type { KubeObject, OwnerReference } from '../../machinery/meta/object.ts'
import type { AbsentOwnerCache } from './absent-owner-cache.ts'
import { changeOwners, deleteObject, readLive, removeFinalizer } from './effects.ts'
import type { Kinds } from './kinds.ts'
import { type GraphNode, graphNode, type OwnerGraph } from './owner-graph.ts'
import { type ItemView, isSettled, type OwnerState, planForeground, planItem } from './plan.ts'

export interface CollectorParts {
  readonly client: Client
  readonly graph: OwnerGraph
  readonly absent: AbsentOwnerCache
  /** As served now. */
  readonly kinds: () => Kinds
  /** Puts objects into the queue, by uid. */
  readonly check: (uids: readonly string[]) => void
}

/** A kind that is not served, or not yet: nobody can say whether the owner exists. */
export class UnknownOwnerKind extends Error {
  override readonly name = 'UnknownOwnerKind'
}

/** Dependents that are told to forget an owner at the same time. */
const CONCURRENT_ORPHANS_MAX = 16

/** Throws what makes the object come back later. */
export async function checkObject(parts: CollectorParts, uid: string): Promise<void> {
  const { client, graph } = parts
  const node = graph.get(uid)
  if (!node || isSettled(graph, node)) return
  // When it is gone, its removal from the graph is on the way.
  const live = await readLive(client, node)
  if (!live) return
  if (node.deletion === 'foreground') await proceedInForeground(parts, node)
  else await collect(parts, node, live)
}

async function proceedInForeground({ client, graph, check }: CollectorParts, node: GraphNode): Promise<void> {
  const decision = planForeground(node, graph.dependentsOf(node.uid))
  if (decision.do === 'release') await removeFinalizer(client, node, FOREGROUND_FINALIZER)
  else check(decision.check)
}

async function collect(parts: CollectorParts, node: GraphNode, live: KubeObject): Promise<void> {
  const { client, graph } = parts
  const references = live.metadata.ownerReferences ?? []
  const owners: ItemView['owners'][number][] = []
  for (const reference of references) {
    const state = await ownerState(parts, node, reference)
    // A reference that can never be right tells nothing about its object.
    if (state === undefined) return
    owners.push({ reference, state })
  }
  const decision = planItem({ owners, asked: askedPolicy(live), dependents: graph.dependentsOf(node.uid) })
  switch (decision.do) {
    case 'keep':
      return
    case 'drop-owners':
      return changeOwners(client, node, (current) => current.filter((reference) => !decision.uids.has(reference.uid)))
    case 'delete': {
      if (!decision.unblockFirst) return deleteObject(client, node, live, decision.propagation)
      await changeOwners(client, node, (current) => current.map(unblocked))
      const fresh = await readLive(client, node)
      if (fresh) await deleteObject(client, node, fresh, decision.propagation)
    }
  }
}

function unblocked(reference: OwnerReference): OwnerReference {
  return reference.blockOwnerDeletion === true ? { ...reference, blockOwnerDeletion: false } : reference
}

function askedPolicy(live: KubeObject): PropagationPolicy | undefined {
  if (hasFinalizer(live, ORPHAN_FINALIZER)) return 'Orphan'
  return hasFinalizer(live, FOREGROUND_FINALIZER) ? 'Foreground' : undefined
}

/** Undefined: an object without namespace cannot have an owner with one. */
async function ownerState(
  { client, absent, kinds }: CollectorParts,
  { namespace: home }: GraphNode,
  reference: OwnerReference,
): Promise<OwnerState | undefined> {
  if (absent.has(reference, undefined) || absent.has(reference, home)) return 'absent'
  const resource = kinds().resourceOf(reference)
  if (!resource) throw new UnknownOwnerKind(`no resource serves ${reference.kind} of ${reference.apiVersion}`)
  if (resource.scope === 'Namespaced' && home === undefined) return undefined
  const namespace = resource.scope === 'Namespaced' ? home : undefined
  const { name, uid } = reference
  const live = await readLive(client, { uid, resource, namespace, name, owners: [], deletion: 'none' })
  if (live) return graphNode(resource, live).deletion === 'foreground' ? 'waiting' : 'solid'
  absent.add(reference, namespace)
  return 'absent'
}

/** Every dependent forgets the owner; then the owner may go. */
export async function orphanDependents({ client, graph }: CollectorParts, uid: string): Promise<void> {
  const owner = graph.get(uid)
  if (owner?.deletion !== 'orphan') return
  const done = new Set<string>()
  const next = () => graph.dependentsOf(uid).filter((dependent) => !done.has(dependent.uid))
  // Again until there are none: dependents that were made shortly before may show up in the meantime.
  for (let waiting = next(); waiting.length > 0; waiting = next()) {
    for (const dependent of waiting) done.add(dependent.uid)
    const queue = [...waiting]
    const work = async (): Promise<void> => {
      for (let dependent = queue.shift(); dependent; dependent = queue.shift())
        await changeOwners(client, dependent, (current) => current.filter((reference) => reference.uid !== uid))
    }
    await Promise.all(Array.from({ length: CONCURRENT_ORPHANS_MAX }, work))
  }
  await removeFinalizer(client, owner, ORPHAN_FINALIZER)
}
