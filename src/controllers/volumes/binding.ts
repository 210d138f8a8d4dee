/** How a claim names its volume, how both report it, and how a volume becomes nobody's again. */

import {
  annotated,
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  hasAnnotation,
} from '../../apis/core/persistent-volume/volume-binding.ts'
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimStatus } from '../../apis/core/types.gen.ts'
import { compareQuantities, quantityOf } from '../../machinery/meta/quantity.ts'

/** The size a volume had before it grew, for as long as its file system has not. */
const SIZE_BEFORE_RESIZE = 'volume.alpha.kubernetes.io/pre-resize-capacity'

/** The same claim when it names the volume already. */
export function boundClaim(claim: PersistentVolumeClaim, { metadata }: PersistentVolume): PersistentVolumeClaim {
  const chosen =
    claim.spec.volumeName === metadata.name
      ? claim
      : annotated({ ...claim, spec: { ...claim.spec, volumeName: metadata.name } }, BOUND_BY_CONTROLLER)
  return annotated(chosen, BIND_COMPLETED)
}

/** The volume as nobody's, or as meant for a claim of that name where the user said so. */
export function unboundVolume(volume: PersistentVolume): PersistentVolume {
  const { claimRef, ...spec } = volume.spec ?? {}
  if (!hasAnnotation(volume, BOUND_BY_CONTROLLER)) {
    const { uid: _uid, ...reference } = claimRef ?? {}
    return { ...volume, spec: { ...spec, claimRef: reference } }
  }
  const { [BOUND_BY_CONTROLLER]: _bound, ...annotations } = volume.metadata.annotations ?? {}
  return { ...volume, metadata: { ...volume.metadata, annotations }, spec }
}

export function boundStatus(
  { status = {} }: PersistentVolumeClaim,
  { metadata, spec }: PersistentVolume,
): PersistentVolumeClaimStatus {
  const bound = { ...status, phase: 'Bound', accessModes: spec?.accessModes } as const
  if (status.phase === 'Bound') return bound
  const before = metadata.annotations?.[SIZE_BEFORE_RESIZE]
  const size = quantityOf(spec?.capacity?.storage)
  const same =
    status.capacity?.storage !== undefined && compareQuantities(quantityOf(status.capacity.storage), size) === 0
  const capacity =
    before === undefined ? (same ? status.capacity : spec?.capacity) : { ...status.capacity, storage: before }
  const attributes = spec?.volumeAttributesClassName
  const current =
    status.phase === 'Pending' && attributes !== undefined ? { currentVolumeAttributesClassName: attributes } : {}
  return { ...bound, capacity, ...current }
}

/** What a claim without a volume reports. */
export function unboundStatus(
  { status = {} }: PersistentVolumeClaim,
  phase: 'Pending' | 'Lost',
): PersistentVolumeClaimStatus {
  const { accessModes: _modes, capacity: _capacity, currentVolumeAttributesClassName: _class, ...rest } = status
  return { ...rest, phase }
}
