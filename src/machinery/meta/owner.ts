/** Owner references: who controls an object, and how an owner is referred to. Identity is the UID. */

import type { KubeObject, OwnerReference } from './object.ts'

/** The one reference with `controller: true`. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find(({ controller }) => controller === true)
}

export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  const uid = owner.metadata.uid
  return uid !== undefined && controllerOf(object)?.uid === uid
}

export interface OwnerKind {
  readonly apiVersion: string
  readonly kind: string
}

/** What a controller puts on objects it makes. Cached objects may lack their kind, so it is given. */
export function ownerReferenceTo(owner: KubeObject, { apiVersion, kind }: OwnerKind): OwnerReference {
  const { name = '', uid = '' } = owner.metadata
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}
