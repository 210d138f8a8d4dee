/**
 * Which pods go first when there are too many. In this order: without a node, early in their life, not ready, cheap
 * to delete, doubled up on a node, ready for the shortest time, restarted the most, newest.
 */

import { isPodActive, isPodReady, isRestartableInit, podCondition } from '../../apis/core/pod/pod-status.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import { parseTime } from '../../machinery/meta/time.ts'

/** Users' word on what a pod costs: a whole number, lower goes first. */
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'
const DELETION_COST_MAX = 2 ** 31 - 1

type Comparison = (left: Pod, right: Pod) => number

/**
 * The `count` pods that are missed least. `related` are pods that do the same job, those of an older template
 * included: a node with many of them can spare one.
 */
export function podsToDelete(
  pods: readonly Pod[],
  related: readonly Pod[],
  count: number,
  nowMs: number,
): readonly Pod[] {
  if (count >= pods.length) return pods
  return [...pods].sort(leastMissedFirst(related, nowMs)).slice(0, count)
}

function leastMissedFirst(related: readonly Pod[], nowMs: number): Comparison {
  const comparisons: readonly Comparison[] = [
    (left, right) => hasNode(left) - hasNode(right),
    (left, right) => phaseOrder(left) - phaseOrder(right),
    (left, right) => Number(isPodReady(left)) - Number(isPodReady(right)),
    (left, right) => deletionCost(left) - deletionCost(right),
    moreNeighboursFirst(related),
    (left, right) => youngerFirst(readySince(left), readySince(right), left, right, nowMs),
    (left, right) => restarts(right).containers - restarts(left).containers,
    (left, right) => restarts(right).sidecars - restarts(left).sidecars,
    (left, right) => youngerFirst(createdAt(left), createdAt(right), left, right, nowMs),
  ]
  return (left, right) => {
    for (const compare of comparisons) {
      const order = compare(left, right)
      if (order !== 0) return order
    }
    return 0
  }
}

function hasNode({ spec }: Pod): number {
  return spec?.nodeName ? 1 : 0
}

function phaseOrder({ status }: Pod): number {
  return ['Pending', 'Unknown', 'Running'].indexOf(status?.phase ?? 'Pending')
}

function deletionCost({ metadata }: Pod): number {
  const text = metadata.annotations?.[DELETION_COST] ?? '0'
  const cost = /^(0|-?[1-9]\d{0,9})$/.test(text) ? Number(text) : 0
  return Math.abs(cost) <= DELETION_COST_MAX ? cost : 0
}

function moreNeighboursFirst(related: readonly Pod[]): Comparison {
  const podsOnNode = new Map<string, number>()
  for (const pod of related) {
    const node = pod.spec?.nodeName ?? ''
    if (isPodActive(pod)) podsOnNode.set(node, (podsOnNode.get(node) ?? 0) + 1)
  }
  const neighbours = ({ spec }: Pod) => podsOnNode.get(spec?.nodeName ?? '') ?? 0
  return (left, right) => neighbours(right) - neighbours(left)
}

/** Undefined: not ready. */
function readySince(pod: Pod): number | undefined {
  return isPodReady(pod) ? parseTime(podCondition(pod, 'Ready')?.lastTransitionTime) : undefined
}

function createdAt({ metadata }: Pod): number | undefined {
  return parseTime(metadata.creationTimestamp)
}

/**
 * Ages count in powers of two and equal ones are drawn by uid, so that not always the newest goes: it may be the
 * one in the zone that needs it.
 */
function youngerFirst(
  left: number | undefined,
  right: number | undefined,
  leftPod: Pod,
  rightPod: Pod,
  nowMs: number,
): number {
  if (left === right) return 0
  if (left === undefined) return -1
  if (right === undefined) return 1
  const order = ageOrder(nowMs - left) - ageOrder(nowMs - right)
  return order !== 0 ? order : byCodeUnit(leftPod.metadata.uid ?? '', rightPod.metadata.uid ?? '')
}

/** Nanoseconds, as upstream counts. */
function ageOrder(ageMs: number): number {
  return ageMs > 0 ? Math.floor(Math.log2(ageMs * 1e6)) : -1
}

function restarts({ spec, status }: Pod): { readonly containers: number; readonly sidecars: number } {
  const sidecars = new Set(spec?.initContainers?.filter(isRestartableInit).map(({ name }) => name))
  const most = (counts: readonly number[]) => Math.max(0, ...counts)
  return {
    containers: most((status?.containerStatuses ?? []).map(({ restartCount }) => restartCount)),
    sidecars: most(
      (status?.initContainerStatuses ?? [])
        .filter(({ name }) => sidecars.has(name))
        .map(({ restartCount }) => restartCount),
    ),
  }
}
