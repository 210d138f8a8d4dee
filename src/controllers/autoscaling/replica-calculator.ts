/**
 * How many replicas a measured value asks for, decided purely. Pods that are not ready, or have not been measured, are
 * counted so that they never make a change larger than it would be without them. Amounts are thousandths.
 */

import { podRequests } from '../../apis/core/pod/pod-resources.ts'
import { isPodReady, isPodTerminating, isRestartableInit, podCondition } from '../../apis/core/pod/pod-status.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import { milliValue, quantityMilliValue } from '../../machinery/meta/quantity.ts'
import { parseTime } from '../../machinery/meta/time.ts'

/** What one pod used. */
export interface Measure {
  readonly milli: number
  readonly atMs: number
  readonly windowMs: number
}

export type Measures = ReadonlyMap<string, Measure>

/** By how much of the target a value may be off without a change. */
export interface Tolerance {
  readonly down: number
  readonly up: number
}

export interface Workload {
  readonly replicas: number
  /** Those that the workload selects. */
  readonly pods: readonly Pod[]
  readonly tolerance: Tolerance
  readonly nowMs: number
}

export interface Proposal {
  readonly replicas: number
  /** The average that was measured. */
  readonly milli: number
  /** The same as a percentage of what was requested, where that is the target. */
  readonly percent?: number | undefined
}

export type Calculated = Proposal | { readonly error: string }

/** A pod that has just started uses the processor for starting: what is measured then says nothing. Upstream's. */
const CPU_INITIALIZATION_MS = 300_000
/** A pod that has not been ready since this long after its start has never been. Upstream's. */
const INITIAL_READINESS_MS = 30_000
const REPLICAS_MAX = 2 ** 31 - 1

const NO_PODS = 'no pods returned by selector while calculating replica count'
const NO_MEASURES = 'did not receive metrics for targeted pods (pods might be unready)'

export interface UtilizationTarget {
  readonly resource: string
  /** One container of each pod instead of the whole. */
  readonly container?: string | undefined
  readonly percent: number
}

/** For a target in percent of what the pods request. */
export function replicasForUtilization(workload: Workload, measures: Measures, target: UtilizationTarget): Calculated {
  const groups = grouped(workload, measures, target.resource)
  if (typeof groups === 'string') return { error: groups }
  const requests = requestsOf(workload.pods, target)
  if (typeof requests === 'string') return { error: requests }
  const utilization = (measured: ReadonlyMap<string, number>) => utilizationOf(measured, requests)
  const now = utilization(groups.measured)
  if (now === undefined) return { error: 'no metrics returned matched known pods' }
  const fallback = Math.max(100, target.percent)
  const replicas = replicasFor(workload, groups, {
    ratio: (measured) => (utilization(measured)?.percent ?? 0) / target.percent,
    missing: (name) => Math.trunc(((requests.get(name) ?? 0) * fallback) / 100),
  })
  return { replicas, milli: now.average, percent: now.percent }
}

/** For a target as an average amount per pod; `resource` is undefined for what is no resource of the pod. */
export function replicasForAverage(
  workload: Workload,
  measures: Measures,
  target: { readonly milli: number; readonly resource?: string | undefined },
): Calculated {
  const groups = grouped(workload, measures, target.resource)
  if (typeof groups === 'string') return { error: groups }
  const replicas = replicasFor(workload, groups, {
    ratio: (measured) => averageOf(measured) / target.milli,
    missing: () => target.milli,
  })
  return { replicas, milli: averageOf(groups.measured) }
}

/** For a target of one value that all replicas share the work of. */
export function replicasForValue(workload: Workload, milli: number, targetMilli: number): Calculated {
  const ratio = milli / targetMilli
  if (workload.replicas === 0) return { replicas: Math.min(Math.ceil(ratio), REPLICAS_MAX), milli }
  if (isWithin(ratio, workload.tolerance)) return { replicas: workload.replicas, milli }
  if (workload.pods.length === 0) return { error: `unable to calculate ready pods: ${NO_PODS}` }
  const ready = workload.pods.filter((pod) => pod.status?.phase === 'Running' && isPodReady(pod)).length
  return { replicas: Math.min(Math.ceil(ratio * ready), REPLICAS_MAX), milli }
}

/** For a value that is divided among the replicas there are. */
export function replicasForShare(
  { replicas, tolerance }: Pick<Workload, 'replicas' | 'tolerance'>,
  milli: number,
  targetMilli: number,
): Proposal {
  const wanted = Math.min(Math.ceil(milli / targetMilli), REPLICAS_MAX)
  const share = Math.min(Math.ceil(milli / replicas), Number.MAX_SAFE_INTEGER)
  return { replicas: isWithin(milli / (targetMilli * replicas), tolerance) ? replicas : wanted, milli: share }
}

interface Groups {
  /** What the pods that count used. */
  readonly measured: ReadonlyMap<string, number>
  readonly ready: number
  readonly unready: readonly string[]
  readonly missing: readonly string[]
}

/** Why nothing can be said, as text. */
function grouped({ pods, nowMs }: Workload, measures: Measures, resource: string | undefined): Groups | string {
  if (pods.length === 0) return NO_PODS
  const measured = new Map([...measures].map(([name, { milli }]) => [name, milli]))
  const unready: string[] = []
  const missing: string[] = []
  let ready = 0
  for (const pod of pods) {
    const { name = '' } = pod.metadata
    const measure = measures.get(name)
    if (isPodTerminating(pod) || pod.status?.phase === 'Failed') measured.delete(name)
    else if (pod.status?.phase === 'Pending') unready.push(name)
    else if (!measure) missing.push(name)
    else if (resource === 'cpu' && !isCpuTelling(pod, measure, nowMs)) unready.push(name)
    else ready++
  }
  for (const name of unready) measured.delete(name)
  return measured.size === 0 ? NO_MEASURES : { measured, ready, unready, missing }
}

/** Whether what a pod used of the processor tells of its work, and not of its start. */
function isCpuTelling(pod: Pod, { atMs, windowMs }: Measure, nowMs: number): boolean {
  const condition = podCondition(pod, 'Ready')
  const startMs = parseTime(pod.status?.startTime)
  if (!condition || startMs === undefined) return false
  const changedMs = parseTime(condition.lastTransitionTime) ?? 0
  if (startMs + CPU_INITIALIZATION_MS > nowMs) return condition.status !== 'False' && atMs >= changedMs + windowMs
  return condition.status !== 'False' || startMs + INITIAL_READINESS_MS <= changedMs
}

interface Measuring {
  ratio(measured: ReadonlyMap<string, number>): number
  /** What a pod that was not measured is taken to use when there is less to do. */
  missing(name: string): number
}

function replicasFor({ replicas, tolerance }: Workload, groups: Groups, { ratio, missing }: Measuring): number {
  const first = ratio(groups.measured)
  const growsUnready = groups.unready.length > 0 && first > 1
  if (!growsUnready && groups.missing.length === 0)
    return isWithin(first, tolerance) ? replicas : Math.ceil(first * groups.ready)
  const measured = new Map(groups.measured)
  if (first !== 1) for (const name of groups.missing) measured.set(name, first < 1 ? missing(name) : 0)
  if (growsUnready) for (const name of groups.unready) measured.set(name, 0)
  const second = ratio(measured)
  const turns = (first < 1 && second > 1) || (first > 1 && second < 1)
  if (turns || isWithin(second, tolerance)) return replicas
  const wanted = Math.ceil(second * measured.size)
  const contradicts = (second < 1 && wanted > replicas) || (second > 1 && wanted < replicas)
  return contradicts ? replicas : wanted
}

function isWithin(ratio: number, { down, up }: Tolerance): boolean {
  return 1 - down <= ratio && ratio <= 1 + up
}

function averageOf(measured: ReadonlyMap<string, number>): number {
  const total = [...measured.values()].reduce((sum, milli) => sum + milli, 0)
  return Math.trunc(total / measured.size)
}

/** Of the pods that are both measured and known. */
function utilizationOf(
  measured: ReadonlyMap<string, number>,
  requests: ReadonlyMap<string, number>,
): { readonly percent: number; readonly average: number } | undefined {
  const known = [...measured].filter(([name]) => requests.has(name))
  const used = known.reduce((sum, [, milli]) => sum + milli, 0)
  const requested = known.reduce((sum, [name]) => sum + (requests.get(name) ?? 0), 0)
  if (requested === 0) return undefined
  return { percent: Math.trunc((used * 100) / requested), average: Math.trunc(used / known.length) }
}

/** What each pod requests, in thousandths; why that cannot be told, as text. */
function requestsOf(
  pods: readonly Pod[],
  { resource, container }: UtilizationTarget,
): ReadonlyMap<string, number> | string {
  const requests = new Map<string, number>()
  for (const pod of pods) {
    const request = container === undefined ? requestOfPod(pod, resource) : requestOfContainer(pod, resource, container)
    if (typeof request === 'string') return request
    requests.set(pod.metadata.name ?? '', request)
  }
  return requests
}

function requestOfPod(pod: Pod, resource: string): number | string {
  const whole = pod.spec?.resources?.requests
  if (!whole || Object.keys(whole).length === 0) return requestOfContainer(pod, resource, undefined)
  const total = podRequests(pod).get(resource)
  if (total === undefined) return `missing pod-level request for ${resource} in Pod ${pod.metadata.name}`
  return quantityMilliValue(total)
}

/** Of all containers that run with the pod, where none is named. */
function requestOfContainer({ metadata, spec }: Pod, resource: string, wanted: string | undefined): number | string {
  const running = [...(spec?.containers ?? []), ...(spec?.initContainers ?? []).filter(isRestartableInit)]
  const chosen = wanted === undefined ? running : running.filter(({ name }) => name === wanted)
  if (chosen.length === 0 && wanted !== undefined) return `container ${wanted} not found in Pod ${metadata.name}`
  let sum = 0
  for (const { name, resources } of chosen) {
    const request = resources?.requests?.[resource]
    if (request === undefined) return `missing request for ${resource} in container ${name} of Pod ${metadata.name}`
    sum += milliValue(request)
  }
  return sum
}
