/** What happens to a volume, decided purely: its phase, and what becomes of it when its claim is gone. */

import { persistentVolumes } from '../../apis/core/persistent-volume/definition.ts'
import { hasSameMode } from '../../apis/core/persistent-volume/volume-matching.ts'
import { persistentVolumeClaims } from '../../apis/core/persistent-volume-claim.ts'
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeStatus } from '../../apis/core/types.gen.ts'
import { type Action, updateAction } from '../runtime/action.ts'
import type { Plan } from '../runtime/controller.ts'
import { plannedEvent, statusActions } from '../runtime/status.ts'
import { unboundVolume } from './binding.ts'

export interface VolumeView {
  readonly volume: PersistentVolume
  /** The claim that the volume names, if it still is the same one. */
  readonly claim: PersistentVolumeClaim | undefined
  /** Pods that still use a claim of that name, as `namespace/name`. */
  readonly users: readonly string[]
}

/** Whoever made a volume from a claim puts its name here, and deletes the volume. */
const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by'
const MIGRATED_TO = 'pv.kubernetes.io/migrated-to'

export function planVolume(view: VolumeView): Plan {
  const { volume, claim } = view
  const reference = volume.spec?.claimRef
  if (!reference?.uid) return { actions: phaseActions(volume, 'Available') }
  if (!claim) return { actions: planReleased(view) }
  const { volumeName } = claim.spec
  if (volumeName === volume.metadata.name) return { actions: phaseActions(volume, 'Bound') }
  if (volumeName) return { actions: planForsaken(view) }
  // The claim names the volume as soon as it is looked at, unless the two cannot go together.
  return { actions: hasSameMode(volume, claim) ? [] : modeMismatch(volume, claim) }
}

/** The claim is gone. */
function planReleased(view: VolumeView): readonly Action[] {
  const { volume } = view
  const phase = volume.status?.phase
  if (phase !== 'Released' && phase !== 'Failed') return phaseActions(volume, 'Released')
  return reclaim(view)
}

/** The claim has another volume. */
function planForsaken(view: VolumeView): readonly Action[] {
  const { volume } = view
  const isMade = volume.metadata.annotations?.[PROVISIONED_BY] !== undefined
  if (isMade && volume.spec?.persistentVolumeReclaimPolicy === 'Delete') return planReleased(view)
  return [updateAction(persistentVolumes, unboundVolume(volume))]
}

function reclaim({ volume, users }: VolumeView): readonly Action[] {
  const { annotations = {}, name } = volume.metadata
  if (annotations[MIGRATED_TO]) return []
  switch (volume.spec?.persistentVolumeReclaimPolicy) {
    case 'Delete': {
      const maker = annotations[PROVISIONED_BY] ?? ''
      const isExternal = (maker !== '' && !maker.startsWith('kubernetes.io/')) || volume.spec.csi
      if (isExternal) return []
      const message = `error getting deleter volume plugin for volume "${name}": no volume plugin matched`
      return failed(volume, 'VolumeFailedDelete', message)
    }
    case 'Recycle': {
      if (users.length === 0) return failed(volume, 'VolumeFailedRecycle', 'No recycler plugin found for the volume!')
      const message = `Volume is used by pods: ${users.join(',')}`
      const what = { type: 'Normal', reason: 'VolumeFailedRecycle', message } as const
      return [{ do: 'event', event: plannedEvent(persistentVolumes, volume, what) }]
    }
    default:
      return []
  }
}

function failed(volume: PersistentVolume, reason: string, message: string): readonly Action[] {
  if (volume.status?.phase === 'Failed') return []
  const what = { type: 'Warning', reason, message } as const
  return [
    ...phaseActions(volume, 'Failed', message),
    { do: 'event', event: plannedEvent(persistentVolumes, volume, what) },
  ]
}

function modeMismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): readonly Action[] {
  const ofVolume =
    `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${claim.metadata.name}" ` +
    'due to incompatible volumeMode.'
  const ofClaim =
    `Cannot bind PersistentVolume "${volume.metadata.name}" to requested PersistentVolumeClaim ` +
    'due to incompatible volumeMode.'
  const what = (message: string) => ({ type: 'Warning', reason: 'VolumeMismatch', message }) as const
  return [
    { do: 'event', event: plannedEvent(persistentVolumes, volume, what(ofVolume)) },
    { do: 'event', event: plannedEvent(persistentVolumeClaims, claim, what(ofClaim)) },
  ]
}

function phaseActions(
  volume: PersistentVolume,
  phase: NonNullable<PersistentVolumeStatus['phase']>,
  message?: string,
): readonly Action[] {
  if (volume.status?.phase === phase) return []
  const { message: _, ...status } = volume.status ?? {}
  return statusActions(persistentVolumes, volume, { ...status, phase, ...(message ? { message } : {}) })
}
