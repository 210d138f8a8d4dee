/**
 * Who belongs to a controller: what its selector picks and nobody else controls. Orphans are adopted, what is picked
 * no more is released. Identity is the UID: an owner or object of the same name is another one.
 */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import type { Selector } from '../../machinery/meta/labels.ts'
import { type KubeObject, keyOf, type OwnerReference } from '../../machinery/meta/object.ts'
import { controllerOf, ownerReferenceTo } from '../../machinery/meta/owner.ts'
import type { Action } from './action.ts'
import type { Cache } from './controller.ts'

export interface ClaimRequest<T extends KubeObject> {
  readonly owner: KubeObject
  readonly ownerDefinition: ResourceDefinition
  readonly definition: ResourceDefinition<T>
  readonly selector: Selector
  /** Further conditions on what may belong to the owner. */
  readonly accepts?: ((object: T) => boolean) | undefined
  /** See `claimCandidates`; what others control is ignored. */
  readonly candidates: readonly T[]
  /** Put on what is adopted, taken from what is released. */
  readonly finalizer?: string | undefined
}

export interface Claimed<T extends KubeObject> {
  /** What the owner controls and picks already. */
  readonly owned: readonly T[]
  /** Adoptions and releases that must be done first: the picture is complete when there are none. */
  readonly actions: readonly Action[]
}

/** Objects without a controller, by namespace. */
const ORPHAN_INDEX = 'metadata.ownerReferences.none'

/** What the owner controls, and the orphans of its namespace. */
export function claimCandidates<T extends KubeObject>(
  cache: Cache,
  definition: ResourceDefinition<T>,
  owner: KubeObject,
): readonly T[] {
  return [...cache.controlledBy(definition, owner), ...orphans(cache, definition, owner.metadata.namespace ?? '')]
}

export function orphans<T extends KubeObject>(
  cache: Cache,
  definition: ResourceDefinition<T>,
  namespace: string,
): readonly T[] {
  const informer = cache.informer(definition)
  informer.addIndex(ORPHAN_INDEX, (object) => (controllerOf(object) ? [] : [object.metadata.namespace ?? '']))
  return informer.byIndex(ORPHAN_INDEX, namespace)
}

export function claim<T extends KubeObject>(request: ClaimRequest<T>): Claimed<T> {
  const { owner, selector, candidates, accepts = () => true } = request
  const isDeleting = Boolean(owner.metadata.deletionTimestamp)
  const owned: T[] = []
  const actions: Action[] = []
  for (const object of candidates) {
    const controller = controllerOf(object)
    const isPicked = selector.matches(object.metadata.labels) && accepts(object)
    if (controller && controller.uid !== owner.metadata.uid) continue
    if (controller && isPicked) owned.push(object)
    else if (isDeleting) continue
    else if (controller) actions.push(release(request, object))
    else if (isPicked && !object.metadata.deletionTimestamp) actions.push(adopt(request, object))
  }
  return { owned, actions }
}

/** The reference that a controller puts on what it makes or adopts. */
export function ownedBy(definition: ResourceDefinition, owner: KubeObject): OwnerReference {
  return ownerReferenceTo(owner, { apiVersion: apiVersionOf(definition), kind: definition.kind })
}

/** The uid in a patch is a precondition: the server refuses it for another object of the same name. */
function adopt<T extends KubeObject>(request: ClaimRequest<T>, object: T): Action {
  const { owner, ownerDefinition, definition, finalizer } = request
  const finalizers = finalizer === undefined ? {} : { finalizers: [finalizer] }
  const metadata = { ownerReferences: [ownedBy(ownerDefinition, owner)], uid: object.metadata.uid, ...finalizers }
  return {
    do: 'patch',
    definition,
    key: keyOf(object),
    patch: { type: 'strategic', body: { metadata } },
    requires: { definition: ownerDefinition, object: owner },
  }
}

function release<T extends KubeObject>({ owner, definition, finalizer }: ClaimRequest<T>, object: T): Action {
  const ownerReferences = [{ $patch: 'delete', uid: owner.metadata.uid }]
  const finalizers = finalizer === undefined ? {} : { '$deleteFromPrimitiveList/finalizers': [finalizer] }
  const metadata = { ownerReferences, uid: object.metadata.uid, ...finalizers }
  return { do: 'patch', definition, key: keyOf(object), patch: { type: 'strategic', body: { metadata } } }
}
