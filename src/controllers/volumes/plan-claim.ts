/**
 * What happens to a claim, decided purely and a step at a time: the volume names the claim, the claim names the volume,
 * the claim's status says so. After each step the claim is looked at again.
 */

import { claimClassName, hasClaimClass } from '../../apis/core/persistent-volume/claim-class.ts'
import { persistentVolumes } from '../../apis/core/persistent-volume/definition.ts'
import {
  annotated,
  BIND_COMPLETED,
  boundVolume,
  hasAnnotation,
  SELECTED_NODE,
} from '../../apis/core/persistent-volume/volume-binding.ts'
import { findVolume, isMeantFor, mismatch } from '../../apis/core/persistent-volume/volume-matching.ts'
import { persistentVolumeClaims } from '../../apis/core/persistent-volume-claim.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../apis/core/types.gen.ts'
import type { StorageClass } from '../../apis/storage/types.gen.ts'
import { type Action, type PlannedEvent, updateAction } from '../runtime/action.ts'
import type { Plan } from '../runtime/controller.ts'
import { plannedEvent, statusActions } from '../runtime/status.ts'
import { boundClaim, boundStatus, unboundStatus } from './binding.ts'

export interface ClaimView {
  readonly claim: PersistentVolumeClaim
  /** The volume that the claim names. */
  readonly named: PersistentVolume | undefined
  /** Volumes that the claim might get when it names none. */
  readonly candidates: readonly PersistentVolume[]
  readonly storageClass: StorageClass | undefined
  /** What claims without a class get. */
  readonly defaultClass: StorageClass | undefined
  /** Pods that use the claim and have no node yet. */
  readonly waitingPods: readonly string[]
}

const PROVISIONER = 'volume.kubernetes.io/storage-provisioner'
const BETA_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner'
/** Provisioners of this name are in the controller itself; here there are none. */
const OWN_PREFIX = 'kubernetes.io/'

export function planClaim(view: ClaimView): Plan {
  const { claim } = view
  if (hasAnnotation(claim, BIND_COMPLETED)) return { actions: planBound(view) }
  return { actions: claim.spec.volumeName ? planNamed(view) : planUnbound(view) }
}

/** A claim that had its volume. */
function planBound({ claim, named }: ClaimView): readonly Action[] {
  if (!claim.spec.volumeName)
    return lost(claim, 'ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!')
  if (!named) return lost(claim, 'ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
  const reference = named.spec?.claimRef
  if (!reference || reference.uid === claim.metadata.uid) return bind(claim, named)
  return lost(claim, 'ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
}

/** A claim that asks for a certain volume. */
function planNamed({ claim, named }: ClaimView): readonly Action[] {
  if (!named) return pending(claim)
  if (isMeantFor(named, claim)) return bind(claim, named)
  const name = named.metadata.name
  if (named.spec?.claimRef) {
    const message = `volume "${name}" already bound to a different claim.`
    return [warning(claim, 'FailedBinding', message), ...pending(claim)]
  }
  const obstacle = mismatch(named, claim)
  if (obstacle === undefined) return bind(claim, named)
  const message = `Cannot bind to requested volume "${name}": ${obstacle}`
  return [warning(claim, 'VolumeMismatch', message), ...pending(claim)]
}

function planUnbound(view: ClaimView): readonly Action[] {
  const { claim, candidates, storageClass, defaultClass } = view
  const delayed = storageClass?.volumeBindingMode === 'WaitForFirstConsumer'
  const found = findVolume(claim, candidates, delayed)
  if (found) return bind(claim, found)
  if (!hasClaimClass(claim) && defaultClass) {
    const spec = { ...claim.spec, storageClassName: defaultClass.metadata.name }
    return [updateAction(persistentVolumeClaims, { ...claim, spec })]
  }
  if (delayed && !hasAnnotation(claim, SELECTED_NODE)) return [waiting(view), ...pending(claim)]
  if (claimClassName(claim) !== '') return provision(view)
  const message = 'no persistent volumes available for this claim and no storage class is set'
  return [event(claim, { type: 'Normal', reason: 'FailedBinding', message }), ...pending(claim)]
}

/** Somebody else makes the volume, and is told by an annotation that it is asked to. */
function provision({ claim, storageClass }: ClaimView): readonly Action[] {
  const name = claimClassName(claim)
  if (!storageClass) return [warning(claim, 'ProvisioningFailed', `storageclass.storage.k8s.io "${name}" not found`)]
  const { provisioner } = storageClass
  if (provisioner.startsWith(OWN_PREFIX))
    return [warning(claim, 'ProvisioningFailed', `no volume plugin matched name: ${provisioner}`)]
  const asked = annotated(annotated(claim, BETA_PROVISIONER, provisioner), PROVISIONER, provisioner)
  const message =
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' ` +
    'or manually by the system administrator. If volume creation is delayed, please verify that ' +
    'the provisioner is running and correctly registered.'
  const told = event(claim, { type: 'Normal', reason: 'ExternalProvisioning', message })
  return asked === claim ? [told] : [updateAction(persistentVolumeClaims, asked), told]
}

function bind(claim: PersistentVolumeClaim, volume: PersistentVolume): readonly Action[] {
  const volumeOfClaim = boundVolume(volume, claim)
  if (volumeOfClaim !== volume) return [updateAction(persistentVolumes, volumeOfClaim)]
  const claimOfVolume = boundClaim(claim, volume)
  if (claimOfVolume !== claim) return [updateAction(persistentVolumeClaims, claimOfVolume)]
  return statusActions(persistentVolumeClaims, claim, boundStatus(claim, volume))
}

function pending(claim: PersistentVolumeClaim): readonly Action[] {
  return statusActions(persistentVolumeClaims, claim, unboundStatus(claim, 'Pending'))
}

function lost(claim: PersistentVolumeClaim, reason: string, message: string): readonly Action[] {
  if (claim.status?.phase === 'Lost') return []
  return [
    ...statusActions(persistentVolumeClaims, claim, unboundStatus(claim, 'Lost')),
    warning(claim, reason, message),
  ]
}

function waiting({ claim, waitingPods }: ClaimView): Action {
  if (waitingPods.length === 0) {
    const message = 'waiting for first consumer to be created before binding'
    return event(claim, { type: 'Normal', reason: 'WaitForFirstConsumer', message })
  }
  const pods = `${waitingPods.length > 1 ? 'pods' : 'pod'} ${waitingPods.join(',')}`
  return event(claim, { type: 'Normal', reason: 'WaitForPodScheduled', message: `waiting for ${pods} to be scheduled` })
}

function warning(claim: PersistentVolumeClaim, reason: string, message: string): Action {
  return event(claim, { type: 'Warning', reason, message })
}

function event(claim: PersistentVolumeClaim, what: Omit<PlannedEvent, 'regarding'>): Action {
  return { do: 'event', event: plannedEvent(persistentVolumeClaims, claim, what) }
}
