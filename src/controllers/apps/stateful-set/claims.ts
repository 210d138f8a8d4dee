/**
 * The volume claims of a StatefulSet's pods: made before their pod, kept when it goes, and deleted with the pod or
 * the set only where the retention policy says so. Deleting is the garbage collector's: owner references tell it.
 */

import { statefulSets } from '../../../apis/apps/stateful-set.ts'
import type { StatefulSet } from '../../../apis/apps/types.gen.ts'
import { pods } from '../../../apis/core/pod/definition.ts'
import type { PersistentVolumeClaim, Pod } from '../../../apis/core/types.gen.ts'
import type { ResourceDefinition } from '../../../apis/definition.ts'
import { deepEqual } from '../../../base/deep-equal.ts'
import type { New } from '../../../client/client.ts'
import { apiVersionOf } from '../../../machinery/meta/group-version.ts'
import type { KubeObject, OwnerReference } from '../../../machinery/meta/object.ts'
import { ownedBy } from '../../runtime/claim.ts'
import { claimName, isInRange, podName } from './identity.ts'

/** Existing claims by name. */
export type Claims = ReadonlyMap<string, PersistentVolumeClaim>

export function claimNames(set: StatefulSet, ordinal: number): readonly string[] {
  return (set.spec.volumeClaimTemplates ?? []).map((template) => claimName(set, template, ordinal))
}

/** Claims that a pod needs and that are not there. */
export function missingClaims(
  set: StatefulSet,
  ordinal: number,
  claims: Claims,
): readonly New<PersistentVolumeClaim>[] {
  return (set.spec.volumeClaimTemplates ?? [])
    .map((template) => newClaim(set, template, ordinal))
    .filter(({ metadata }) => !claims.has(metadata.name ?? ''))
}

function newClaim(
  set: StatefulSet,
  { metadata, spec }: PersistentVolumeClaim,
  ordinal: number,
): New<PersistentVolumeClaim> {
  const { labels, annotations, finalizers } = metadata
  const name = claimName(set, { metadata, spec }, ordinal)
  const { namespace } = set.metadata
  return {
    metadata: { name, namespace, labels: { ...labels, ...set.spec.selector.matchLabels }, annotations, finalizers },
    spec,
  }
}

/** The name of a claim that is on its way out and must be gone before the pod can have a new one. */
export function leavingClaim(set: StatefulSet, ordinal: number, claims: Claims): string | undefined {
  return claimNames(set, ordinal).find((name) => {
    const claim = claims.get(name)
    return claim?.metadata.deletionTimestamp || (claim && belongsToFormerPod(set, claim, ordinal))
  })
}

/** Where scaling down deletes claims, one that an earlier pod of this name owns goes with that pod. */
function belongsToFormerPod(set: StatefulSet, claim: PersistentVolumeClaim, ordinal: number): boolean {
  if (policyOf(set).whenScaled !== 'Delete') return false
  return referencesOf(claim).some((reference) => isNamed(reference, pods, podName(set, ordinal)))
}

/** The pod's claims whose owners are not as the retention policy wants them, put right. */
export function misownedClaims(
  set: StatefulSet,
  pod: Pod,
  ordinal: number,
  claims: Claims,
): readonly PersistentVolumeClaim[] {
  return claimNames(set, ordinal).flatMap((name) => {
    const claim = claims.get(name)
    if (!claim || isStale(claim, set, pod)) return []
    const ownerReferences = wantedReferences(claim, set, pod, ordinal)
    if (deepEqual(referencesOf(claim), ownerReferences)) return []
    return [{ ...claim, metadata: { ...claim.metadata, ownerReferences } }]
  })
}

/** Owned by a former set or pod of the same name: it is the garbage collector's, or nobody's business. */
function isStale(claim: PersistentVolumeClaim, set: StatefulSet, pod: Pod): boolean {
  return referencesOf(claim).some((reference) => isOurs(reference, set, pod) && !isBy(reference, set, pod))
}

function wantedReferences(
  claim: PersistentVolumeClaim,
  set: StatefulSet,
  pod: Pod,
  ordinal: number,
): readonly OwnerReference[] {
  const { whenScaled, whenDeleted } = policyOf(set)
  const others = referencesOf(claim).filter((reference) => !isOurs(reference, set, pod))
  const isManaged = whenScaled === 'Delete' || whenDeleted === 'Delete'
  if (!isManaged || others.some(({ controller }) => controller === true)) return others
  const isScaledDown = whenScaled === 'Delete' && !isInRange(set, ordinal)
  if (isScaledDown) return [...others, ownedBy(pods, pod)]
  return whenDeleted === 'Delete' ? [...others, ownedBy(statefulSets, set)] : others
}

function policyOf({ spec }: StatefulSet): { readonly whenScaled: string; readonly whenDeleted: string } {
  const { whenScaled = 'Retain', whenDeleted = 'Retain' } = spec.persistentVolumeClaimRetentionPolicy ?? {}
  return { whenScaled, whenDeleted }
}

function referencesOf({ metadata }: KubeObject): readonly OwnerReference[] {
  return metadata.ownerReferences ?? []
}

function isOurs(reference: OwnerReference, set: StatefulSet, pod: Pod): boolean {
  return isNamed(reference, statefulSets, set.metadata.name) || isNamed(reference, pods, pod.metadata.name)
}

function isBy({ uid }: OwnerReference, set: StatefulSet, pod: Pod): boolean {
  return uid === set.metadata.uid || uid === pod.metadata.uid
}

function isNamed(reference: OwnerReference, definition: ResourceDefinition, name: string | undefined): boolean {
  return (
    reference.name === name && reference.kind === definition.kind && reference.apiVersion === apiVersionOf(definition)
  )
}
