/** Which volume suits a claim, decided purely: the one meant for it, else the smallest that is large enough. */

import { byCodeUnit } from '../../../base/group-by.ts'
import { selectorFromLabelSelector } from '../../../machinery/meta/labels.ts'
import { compareQuantities, type Quantity, quantityOf } from '../../../machinery/meta/quantity.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../types.gen.ts'
import { claimClassName, volumeClassName } from './claim-class.ts'

/** The volume says that it is this claim's: by the name, and by the uid once that is known. */
export function isMeantFor({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const reference = spec?.claimRef
  if (!reference || reference.name !== metadata.name || reference.namespace !== metadata.namespace) return false
  return !reference.uid || reference.uid === metadata.uid
}

/**
 * Volumes with no more access modes than needed are looked at first. With `delayed`, only a volume that is meant for
 * the claim counts: which of the others is taken is decided with the node of the pod.
 */
export function findVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  delayed: boolean,
): PersistentVolume | undefined {
  const suitable = volumes.filter((volume) => couldBeTaken(volume, claim))
  const counts = [...new Set(suitable.map(modeCount))].toSorted((left, right) => left - right)
  for (const count of counts) {
    const group = suitable.filter((volume) => modeCount(volume) === count)
    const meant = group.find((volume) => isMeantFor(volume, claim))
    if (meant) return meant
    const [smallest] = delayed ? [] : group.filter((volume) => isFreeFor(volume, claim)).toSorted(bySize)
    if (smallest) return smallest
  }
  return undefined
}

/**
 * On a node that has been chosen: of the volumes that can be used there (`suits`) the one that is meant for the claim,
 * which is the only one if there is one, else the smallest.
 */
export function findVolumeForNode(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  suits: (volume: PersistentVolume) => boolean,
): PersistentVolume | undefined {
  const suitable = volumes.filter((volume) => couldBeTaken(volume, claim))
  const meant = suitable.find((volume) => isMeantFor(volume, claim))
  if (meant) return suits(meant) ? meant : undefined
  return suitable.filter((volume) => isFreeFor(volume, claim) && suits(volume)).toSorted(bySize)[0]
}

/** What every volume of a claim must be, also one that is meant for it. */
function couldBeTaken(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  if (volume.spec?.claimRef && !isMeantFor(volume, claim)) return false
  return (
    !volume.metadata.deletionTimestamp &&
    compareQuantities(sizeOf(volume), requestOf(claim)) >= 0 &&
    hasSameMode(volume, claim) &&
    hasAccessModes(volume, claim) &&
    (volume.spec?.volumeAttributesClassName ?? '') === (claim.spec.volumeAttributesClassName ?? '')
  )
}

function isFreeFor(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  if (volume.status?.phase !== 'Available' || volumeClassName(volume) !== claimClassName(claim)) return false
  return !claim.spec.selector || selectorFromLabelSelector(claim.spec.selector).matches(volume.metadata.labels)
}

/** Why a volume that the claim asks for by name cannot be had; undefined: it can. */
export function mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (volume.metadata.deletionTimestamp) return `the volume is marked for deletion "${volume.metadata.name}"`
  if (compareQuantities(sizeOf(volume), requestOf(claim)) < 0) return 'requested PV is too small'
  if (volumeClassName(volume) !== claimClassName(claim)) return 'storageClassName does not match'
  if ((volume.spec?.volumeAttributesClassName ?? '') !== (claim.spec.volumeAttributesClassName ?? ''))
    return 'volumeAttributesClassName does not match'
  if (!hasSameMode(volume, claim)) return 'incompatible volumeMode'
  return hasAccessModes(volume, claim) ? undefined : 'incompatible accessMode'
}

export function hasSameMode({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return (spec?.volumeMode ?? 'Filesystem') === (claim.spec.volumeMode ?? 'Filesystem')
}

function hasAccessModes({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return (claim.spec.accessModes ?? []).every((mode) => spec?.accessModes?.includes(mode))
}

function sizeOf({ spec }: PersistentVolume): Quantity {
  return quantityOf(spec?.capacity?.storage)
}

function requestOf({ spec }: PersistentVolumeClaim): Quantity {
  return quantityOf(spec.resources?.requests?.storage)
}

function modeCount({ spec }: PersistentVolume): number {
  return new Set(spec?.accessModes ?? []).size
}

function bySize(left: PersistentVolume, right: PersistentVolume): number {
  return (
    compareQuantities(sizeOf(left), sizeOf(right)) || byCodeUnit(left.metadata.name ?? '', right.metadata.name ?? '')
  )
}
