/**
 * Which volumes a pod's claims get on a node, decided purely. Claims that have their volume only say where it can be
 * used; claims of classes that wait for their first consumer get one now: one that is there, or one that is made for
 * the node.
 */

import { claimClassName } from '../apis/core/persistent-volume/claim-class.ts'
import { podClaims } from '../apis/core/persistent-volume/pod-claims.ts'
import { hasAnnotation, isBound, NO_PROVISIONER, SELECTED_NODE } from '../apis/core/persistent-volume/volume-binding.ts'
import { findVolumeForNode } from '../apis/core/persistent-volume/volume-matching.ts'
import { matchesTerm } from '../apis/core/pod/node-fit.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../apis/core/types.gen.ts'
import type { StorageClass } from '../apis/storage/types.gen.ts'
import { controllerOf } from '../machinery/meta/owner.ts'
import { compareQuantities, quantityOf } from '../machinery/meta/quantity.ts'
import type { VolumeLookups } from './volume-lookups.ts'

/** A pod's claims by what has to happen to them. */
export interface PodVolumes {
  readonly bound: readonly PersistentVolumeClaim[]
  /** Those that get their volume with the node. */
  readonly waiting: readonly PersistentVolumeClaim[]
}

/** What is to be written before the pod can go to the node. */
export interface VolumePlan {
  readonly given: readonly { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[]
  /** Claims for which somebody makes a volume once the node is known. */
  readonly made: readonly PersistentVolumeClaim[]
}

export const NODE_CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
export const NO_MATCH = "node(s) didn't find available persistent volumes to bind"
export const VOLUME_MISSING = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'

/** Why no node will do, as text. */
export function volumesOf(pod: Pod, lookups: VolumeLookups): PodVolumes | string {
  const bound: PersistentVolumeClaim[] = []
  const waiting: PersistentVolumeClaim[] = []
  for (const { name, ephemeral } of podClaims(pod)) {
    const claim = lookups.claim(pod.metadata.namespace ?? '', name)
    const obstacle = obstacleOf(pod, name, ephemeral, claim)
    if (!claim || obstacle !== undefined) return obstacle ?? ''
    const volume = claim.spec.volumeName ? lookups.volume(claim.spec.volumeName) : undefined
    if (isBound(claim, volume) || (claim.spec.volumeName && hasAnnotation(claim, 'pv.kubernetes.io/bind-completed')))
      bound.push(claim)
    else if (isDelayed(claim, lookups)) waiting.push(claim)
    else return 'pod has unbound immediate PersistentVolumeClaims'
  }
  return { bound, waiting }
}

function obstacleOf(
  pod: Pod,
  name: string,
  ephemeral: boolean,
  claim: PersistentVolumeClaim | undefined,
): string | undefined {
  if (!claim)
    return ephemeral
      ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
      : `persistentvolumeclaim "${name}" not found`
  if (claim.status?.phase === 'Lost')
    return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName ?? ''}"`
  if (claim.metadata.deletionTimestamp) return `persistentvolumeclaim "${name}" is being deleted`
  if (!ephemeral || controllerOf(claim)?.uid === pod.metadata.uid) return undefined
  const { namespace } = pod.metadata
  return `PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`
}

function isDelayed(claim: PersistentVolumeClaim, lookups: VolumeLookups): boolean {
  // A claim that names its volume is bound by the controller alone.
  if (claim.spec.volumeName) return false
  return lookups.storageClass(claimClassName(claim))?.volumeBindingMode === 'WaitForFirstConsumer'
}

/** Why the node will not do, in upstream's words. */
export function planVolumes(
  { bound, waiting }: PodVolumes,
  node: Node,
  lookups: VolumeLookups,
): VolumePlan | { readonly reasons: readonly string[] } {
  const reasons: string[] = []
  const volumes = bound.map((claim) => lookups.volume(claim.spec.volumeName ?? ''))
  if (volumes.some((volume) => volume && !isUsableOn(volume, node))) reasons.push(NODE_CONFLICT)
  const plan = waiting.length === 0 ? { given: [], made: [] } : planWaiting(waiting, node, lookups)
  if (!plan) reasons.push(NO_MATCH)
  if (volumes.includes(undefined)) reasons.push(VOLUME_MISSING)
  return plan && reasons.length === 0 ? plan : { reasons }
}

/** The smallest claims choose first, so that they do not take the volumes that only the larger ones need. */
function planWaiting(
  waiting: readonly PersistentVolumeClaim[],
  node: Node,
  lookups: VolumeLookups,
): VolumePlan | undefined {
  const given: { claim: PersistentVolumeClaim; volume: PersistentVolume }[] = []
  const made: PersistentVolumeClaim[] = []
  for (const claim of waiting.toSorted(bySize)) {
    const selected = claim.metadata.annotations?.[SELECTED_NODE]
    if (selected !== undefined && selected !== node.metadata.name) return undefined
    const free = lookups.candidates(claim).filter((volume) => !given.some((other) => other.volume === volume))
    const suits = (volume: PersistentVolume) => isUsableOn(volume, node)
    const volume = selected === undefined ? findVolumeForNode(claim, free, suits) : undefined
    if (volume) given.push({ claim, volume })
    else if (canBeMade(lookups.storageClass(claimClassName(claim)), node)) made.push(claim)
    else return undefined
  }
  return { given, made }
}

function bySize({ spec: left }: PersistentVolumeClaim, { spec: right }: PersistentVolumeClaim): number {
  return compareQuantities(
    quantityOf(left.resources?.requests?.storage),
    quantityOf(right.resources?.requests?.storage),
  )
}

export function isUsableOn({ spec }: PersistentVolume, node: Node): boolean {
  const required = spec?.nodeAffinity?.required
  return !required || required.nodeSelectorTerms.some((term) => matchesTerm(term, node))
}

function canBeMade(storageClass: StorageClass | undefined, { metadata }: Node): boolean {
  if (!storageClass || storageClass.provisioner === NO_PROVISIONER) return false
  const terms = storageClass.allowedTopologies ?? []
  if (terms.length === 0) return true
  const labels = metadata.labels ?? {}
  return terms.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => Object.hasOwn(labels, key) && values.includes(labels[key] ?? '')),
  )
}
