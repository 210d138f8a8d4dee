/** How a volume is given to a claim: the volume names the claim first, so that nobody else takes it. */

import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../types.gen.ts'
import { isMeantFor } from './volume-matching.ts'

/** The claim has had its volume: what was bound once is never bound to another one. */
export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
/** A controller has chosen, not the user: it may undo its choice. */
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller'
/** The node for which a volume is to be made. */
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
/** The provisioner of classes whose volumes somebody makes by hand. */
export const NO_PROVISIONER = 'kubernetes.io/no-provisioner'

/** The same volume when it names the claim already. */
export function boundVolume(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const { name, namespace, uid, resourceVersion } = claim.metadata
  const reference = volume.spec?.claimRef
  if (isMeantFor(volume, claim) && reference?.uid === uid) return volume
  const claimRef = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid, resourceVersion }
  const bound = { ...volume, spec: { ...volume.spec, claimRef } }
  return isMeantFor(volume, claim) ? bound : annotated(bound, BOUND_BY_CONTROLLER)
}

/** The claim names its volume, and the volume it. */
export function isBound(claim: PersistentVolumeClaim, volume: PersistentVolume | undefined): boolean {
  if (!hasAnnotation(claim, BIND_COMPLETED) || !claim.spec.volumeName) return false
  return volume?.spec?.claimRef?.uid === claim.metadata.uid
}

export function hasAnnotation({ metadata }: KubeObject, name: string): boolean {
  return metadata.annotations?.[name] !== undefined
}

/** The same object when it has the annotation, whatever its value. */
export function annotated<T extends KubeObject>(object: T, name: string, value = 'yes'): T {
  if (hasAnnotation(object, name)) return object
  const annotations = { ...object.metadata.annotations, [name]: value }
  return { ...object, metadata: { ...object.metadata, annotations } }
}
