/**
 * Which of a StatefulSet's pods are made, deleted or put right next. OrderedReady works on one pod at a time, up in
 * the order of ordinals and down in reverse, and waits until it is available; Parallel works on all. An update
 * replaces one pod at a time in both.
 */

import { statefulSets } from '../../../apis/apps/stateful-set.ts'
import type { StatefulSet } from '../../../apis/apps/types.gen.ts'
import { persistentVolumeClaims } from '../../../apis/core/persistent-volume-claim.ts'
import { pods as podDefinition } from '../../../apis/core/pod/definition.ts'
import { isPodAvailable, isPodTerminal, isPodTerminating } from '../../../apis/core/pod/pod-status.ts'
import type { PersistentVolumeClaim, Pod, PodTemplateSpec } from '../../../apis/core/types.gen.ts'
import type { New } from '../../../client/client.ts'
import { isAlreadyExists } from '../../../machinery/meta/api-error.ts'
import { type Action, createAction, deleteAction, updateAction } from '../../runtime/action.ts'
import { isNamespaceTerminating, plannedEvent } from '../../runtime/status.ts'
import { type Claims, leavingClaim, misownedClaims, missingClaims } from './claims.ts'
import {
  isInRange,
  newPod,
  ordinalOf,
  ordinalsOf,
  podName,
  revisionOf,
  startOrdinal,
  withIdentity,
} from './identity.ts'
import { isRunningAndReady, type Revisions } from './status.ts'

export interface UpdateView {
  readonly set: StatefulSet
  /** The set's pods. */
  readonly pods: readonly Pod[]
  readonly claims: Claims
  readonly revisions: Revisions
  readonly currentTemplate: PodTemplateSpec
  readonly updateTemplate: PodTemplateSpec
  readonly nowMs: number
}

export interface PodPlan {
  readonly actions: readonly Action[]
  /** Pods that are deleted for an update. */
  readonly updating: number
}

/** One place in the set, with the pod that has it. */
interface Slot {
  readonly ordinal: number
  readonly pod: Pod | undefined
}

/** What to do about one place or pod, and whether those after it must wait. */
interface Step {
  readonly actions: readonly Action[]
  readonly blocks: boolean
}

const NOTHING: Step = { actions: [], blocks: false }
const WAIT: Step = { actions: [], blocks: true }

export function planPods(view: UpdateView): PodPlan {
  const { set, pods } = view
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod), pod]))
  const slots = ordinalsOf(set).map((ordinal): Slot => ({ ordinal, pod: byOrdinal.get(ordinal) }))
  const condemned = condemnedPods(view)
  const replicas = inOrder(view, slots, (slot) => replicaStep(view, slot))
  if (replicas.blocks) return { actions: replicas.actions, updating: 0 }
  const disowned = condemned.flatMap(({ ordinal, pod }) => claimOwnerActions(view, ordinal, pod))
  if (disowned.length > 0) return { actions: [...replicas.actions, ...disowned], updating: 0 }
  const first = firstUnavailable(view, slots, condemned)
  const removals = inOrder(view, condemned, (slot) => condemnedStep(view, slot, first))
  const actions = [...replicas.actions, ...removals.actions]
  const outdated = removals.blocks ? undefined : outdatedPod(view, slots)
  if (!outdated) return { actions, updating: 0 }
  return {
    actions: [...actions, deletePod(set, outdated)],
    updating: revisionOf(outdated) === view.revisions.current ? 1 : 0,
  }
}

/** OrderedReady stops at the first step that blocks; Parallel does not wait. */
function inOrder<T>({ set }: UpdateView, items: readonly T[], stepOf: (item: T) => Step): Step {
  const isParallel = set.spec.podManagementPolicy === 'Parallel'
  const actions: Action[] = []
  for (const item of items) {
    const step = stepOf(item)
    actions.push(...step.actions)
    if (step.blocks && !isParallel) return { actions, blocks: true }
  }
  return { actions, blocks: false }
}

interface OccupiedSlot {
  readonly ordinal: number
  readonly pod: Pod
}

/** Pods beyond the wanted number, highest ordinal first. */
function condemnedPods({ set, pods }: UpdateView): readonly OccupiedSlot[] {
  return pods
    .map((pod) => ({ pod, ordinal: ordinalOf(set, pod) ?? -1 }))
    .filter(({ ordinal }) => ordinal >= 0 && !isInRange(set, ordinal))
    .sort((left, right) => right.ordinal - left.ordinal)
}

function replicaStep(view: UpdateView, { ordinal, pod }: Slot): Step {
  const { set, claims } = view
  if (!pod) return creationStep(view, ordinal)
  if (isPodTerminal(pod)) return { actions: isPodTerminating(pod) ? [] : [deletePod(set, pod)], blocks: true }
  const missing =
    pod.status?.phase === 'Pending'
      ? missingClaims(set, ordinal, claims).map((claim) => createClaim(set, ordinal, claim))
      : []
  const owners = claimOwnerActions(view, ordinal, pod)
  if (isPodTerminating(pod) || !isAvailable(view, pod)) return { actions: [...missing, ...owners], blocks: true }
  return { actions: [...owners, ...identityActions(set, pod, ordinal)], blocks: false }
}

function isAvailable({ set, nowMs }: UpdateView, pod: Pod): boolean {
  return isRunningAndReady(pod) && isPodAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs)
}

/** Claims first: the pod follows when all are there. */
function creationStep(view: UpdateView, ordinal: number): Step {
  const { set, claims } = view
  const leaving = leavingClaim(set, ordinal, claims)
  if (leaving !== undefined) {
    const event = podEvent(set, 'Create', podName(set, ordinal), new Error(`pvc ${leaving} is being deleted`))
    return { actions: [{ do: 'event', event }], blocks: true }
  }
  const missing = missingClaims(set, ordinal, claims)
  if (missing.length > 0) return { actions: missing.map((claim) => createClaim(set, ordinal, claim)), blocks: true }
  return { actions: [createPod(view, ordinal)], blocks: true }
}

function createPod({ set, revisions, currentTemplate, updateTemplate }: UpdateView, ordinal: number): Action {
  const pod = keepsCurrent(set, ordinal)
    ? newPod(set, currentTemplate, revisions.current, ordinal)
    : newPod(set, updateTemplate, revisions.update, ordinal)
  return createAction(podDefinition, pod, {
    success: () => podEvent(set, 'Create', podName(set, ordinal)),
    failure: (error) =>
      isAlreadyExists(error) || isNamespaceTerminating(error)
        ? undefined
        : podEvent(set, 'Create', podName(set, ordinal), error),
  })
}

/** Below the partition, or not reached by the update yet, a pod comes back as it was. */
function keepsCurrent(set: StatefulSet, ordinal: number): boolean {
  const { updateStrategy: { type, rollingUpdate } = {} } = set.spec
  if (rollingUpdate) return ordinal < startOrdinal(set) + (rollingUpdate.partition ?? 0)
  return type === 'RollingUpdate' && ordinal < startOrdinal(set) + (set.status?.currentReplicas ?? 0)
}

function createClaim(set: StatefulSet, ordinal: number, claim: New<PersistentVolumeClaim>): Action {
  const about = (link: string) =>
    `Create Claim ${claim.metadata.name} ${link} ${podName(set, ordinal)} in StatefulSet ${set.metadata.name}`
  return createAction(persistentVolumeClaims, claim, {
    success: () =>
      plannedEvent(statefulSets, set, {
        type: 'Normal',
        reason: 'SuccessfulCreate',
        message: `${about('Pod')} success`,
      }),
    failure: (error) =>
      isAlreadyExists(error) || isNamespaceTerminating(error)
        ? undefined
        : plannedEvent(statefulSets, set, {
            type: 'Warning',
            reason: 'FailedCreate',
            message: `${about('for Pod')} failed error: ${error.message}`,
          }),
  })
}

function claimOwnerActions({ set, claims }: UpdateView, ordinal: number, pod: Pod): readonly Action[] {
  return misownedClaims(set, pod, ordinal, claims).map((claim) => updateAction(persistentVolumeClaims, claim))
}

function identityActions(set: StatefulSet, pod: Pod, ordinal: number): readonly Action[] {
  const identified = withIdentity(set, pod, ordinal)
  if (identified === pod) return []
  return [updateAction(podDefinition, identified, { success: () => podEvent(set, 'Update', podName(set, ordinal)) })]
}

/** A pod that is unwell may go before its turn, but only the first of them. */
function condemnedStep(view: UpdateView, { pod }: OccupiedSlot, first: Pod | undefined): Step {
  const isOrdered = view.set.spec.podManagementPolicy !== 'Parallel'
  if (isPodTerminating(pod)) return isOrdered ? WAIT : NOTHING
  if (isOrdered && !isAvailable(view, pod) && pod !== first) return WAIT
  return { actions: [deletePod(view.set, pod)], blocks: true }
}

function firstUnavailable(
  view: UpdateView,
  slots: readonly Slot[],
  condemned: readonly OccupiedSlot[],
): Pod | undefined {
  const ascending = [...slots, ...condemned.toReversed()]
  return ascending.find(({ pod }) => !pod || isUnavailable(view, pod))?.pod
}

function isUnavailable({ set, nowMs }: UpdateView, pod: Pod): boolean {
  return isPodTerminating(pod) || !isPodAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs)
}

/** The pod with the highest ordinal that is not of the update's revision, unless one above it is not available. */
function outdatedPod(view: UpdateView, slots: readonly Slot[]): Pod | undefined {
  const { set, revisions } = view
  const { updateStrategy: { type, rollingUpdate } = {} } = set.spec
  if (type === 'OnDelete') return undefined
  for (const { pod } of slots.slice(rollingUpdate?.partition ?? 0).toReversed()) {
    if (!pod) return undefined
    if (revisionOf(pod) !== revisions.update && !isPodTerminating(pod)) return pod
    if (isUnavailable(view, pod)) return undefined
  }
  return undefined
}

function deletePod(set: StatefulSet, pod: Pod): Action {
  const name = pod.metadata.name ?? ''
  return deleteAction(podDefinition, pod, {
    success: () => podEvent(set, 'Delete', name),
    failure: (error) => podEvent(set, 'Delete', name, error),
  })
}

function podEvent(set: StatefulSet, verb: 'Create' | 'Update' | 'Delete', name: string, error?: Error) {
  const about = `${verb} Pod ${name} in StatefulSet ${set.metadata.name}`
  return plannedEvent(
    statefulSets,
    set,
    error
      ? { type: 'Warning', reason: `Failed${verb}`, message: `${about} failed error: ${error.message}` }
      : { type: 'Normal', reason: `Successful${verb}`, message: `${about} successful` },
  )
}
