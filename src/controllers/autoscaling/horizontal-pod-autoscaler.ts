/**
 * horizontal-pod-autoscaler-controller: every 15 seconds looks at what autoscalers are told to look at, and writes the
 * scale of their workloads. It remembers, in memory only, what it wanted and did: windows and rates follow from that.
 */

import { horizontalPodAutoscalers } from '../../apis/autoscaling/horizontal-pod-autoscaler.ts'
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus } from '../../apis/autoscaling/types.gen.ts'
import type { Scale } from '../../apis/autoscaling/types-v1.gen.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import { AssertionError } from '../../base/assert.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import type { Client } from '../../client/client.ts'
import { discover, type ServedResource } from '../../client/discovery.ts'
import { rawObject } from '../../client/raw-object.ts'
import { retryOnConflict } from '../../client/retry-on-conflict.ts'
import { ApiError } from '../../machinery/meta/api-error.ts'
import { parseApiVersion } from '../../machinery/meta/group-version.ts'
import { parseLabelSelector, type Selector } from '../../machinery/meta/labels.ts'
import { keyOf, keyText, type ObjectKey, parseKeyText } from '../../machinery/meta/object.ts'
import type { ControllerParts, LoopController } from '../runtime/controller.ts'
import { plannedEvent } from '../runtime/status.ts'
import { WorkQueue } from '../runtime/work-queue.ts'
import { type MetricOutcome, proposalFor, toleranceOf } from './metric-proposal.ts'
import { readMetric } from './metrics-source.ts'
import {
  failedRescaleStatus,
  needsMetrics,
  noScaleStatus,
  planScaling,
  rescaledStatus,
  type ScalingNews,
  type SelectorTrouble,
} from './plan-scaling.ts'
import { initialHistory, type ScalingHistory, withChange } from './scaling-history.ts'

const PERIOD_MS = 15_000
/** Autoscalers that are looked at at the same time; upstream's. */
const WORKERS = 5

interface Shared {
  readonly parts: ControllerParts
  readonly queue: WorkQueue
  /** By the autoscaler's key. */
  readonly histories: Map<string, ScalingHistory>
  /** Which pods each autoscaler is about, as far as that is known: no pod shall have two. */
  readonly selectors: Map<string, Selector>
  readonly signal: AbortSignal
}

export const horizontalPodAutoscalerController: LoopController = {
  name: 'horizontal-pod-autoscaler-controller',
  async run(parts, signal) {
    const queue = new WorkQueue(parts.clock)
    const stop = () => queue.close()
    signal.addEventListener('abort', stop, { once: true })
    const enqueue = (autoscaler: HorizontalPodAutoscaler) => queue.add(keyText(keyOf(autoscaler)))
    const unsubscribe = parts.informers.of(horizontalPodAutoscalers).subscribe({
      added: enqueue,
      updated: (autoscaler, previous) => {
        if (!deepEqual(autoscaler.spec, previous.spec)) enqueue(autoscaler)
      },
      deleted: enqueue,
    })
    parts.informers.of(pods)
    const shared: Shared = { parts, queue, histories: new Map(), selectors: new Map(), signal }
    try {
      await parts.informers.whenSynced(signal).catch(() => {})
      await Promise.all(Array.from({ length: WORKERS }, () => work(shared)))
    } finally {
      queue.close()
      signal.removeEventListener('abort', stop)
      unsubscribe()
    }
  },
}

async function work(shared: Shared): Promise<void> {
  const { parts, queue, signal } = shared
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    try {
      if (await reconcile(shared, parseKeyText(key))) queue.addAfter(key, PERIOD_MS)
    } catch (error) {
      if (error instanceof AssertionError) throw error
      if (signal.aborted) return
      parts.log.info('an autoscaler could not be served', { autoscaler: key, error: String(error) })
      queue.addAfter(key, PERIOD_MS)
    } finally {
      queue.done(key)
    }
  }
}

/** False when the autoscaler is gone. */
async function reconcile(shared: Shared, key: ObjectKey): Promise<boolean> {
  const { parts, histories, selectors } = shared
  const autoscaler = parts.cache.get(horizontalPodAutoscalers, key)
  if (!autoscaler) {
    histories.delete(keyText(key))
    selectors.delete(keyText(key))
    return false
  }
  const about = `${horizontalPodAutoscalers.resource}.${horizontalPodAutoscalers.group} ${keyText(key)}`
  const revision = Number(autoscaler.metadata.resourceVersion)
  const client = parts.client.because({ by: horizontalPodAutoscalerController.name, about, revision })
  const found = await scaleOf(client, autoscaler, shared.signal)
  if (typeof found === 'string') {
    tell(shared, autoscaler, { type: 'Warning', reason: 'FailedGetScale', message: found })
    await writeStatus(client, autoscaler, noScaleStatus(autoscaler, found, parts.clock.now()))
    return true
  }
  await follow(shared, client, autoscaler, found)
  return true
}

interface Target {
  readonly path: string
  readonly scale: Scale
  readonly kinds: readonly ServedResource[]
}

/** Why there is no scale, as text. */
async function scaleOf(
  client: Client,
  { metadata, spec }: HorizontalPodAutoscaler,
  signal: AbortSignal,
): Promise<Target | string> {
  const { apiVersion = 'v1', kind, name } = spec.scaleTargetRef
  const parsed = parseApiVersion(apiVersion)
  if (!parsed) return `unexpected GroupVersion string: ${apiVersion}`
  try {
    const { kinds } = await discover(client, signal)
    const ofKind = kinds.filter((served) => served.group === parsed.group && served.kind === kind)
    const served = ofKind.find(({ version }) => version === parsed.version) ?? ofKind[0]
    if (!served) return `no matches for kind "${kind}" in group "${parsed.group}"`
    const { group, version, resource } = served
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    const path = `${root}/namespaces/${metadata.namespace}/${resource}/${name}/scale`
    return { path, scale: await rawObject<Scale>(client, { path, signal }), kinds }
  } catch (error) {
    if (error instanceof ApiError) return error.message
    throw error
  }
}

async function follow(
  shared: Shared,
  client: Client,
  autoscaler: HorizontalPodAutoscaler,
  target: Target,
): Promise<void> {
  const { parts, histories } = shared
  const key = keyText(keyOf(autoscaler))
  const current = target.scale.spec.replicas ?? 0
  const startedMs = parts.clock.now()
  const history = histories.get(key) ?? initialHistory(current, startedMs)
  const metrics = needsMetrics(autoscaler, current) ? await measured(shared, client, autoscaler, target) : []
  const nowMs = parts.clock.now()
  const plan = planScaling({ autoscaler, current, metrics, history }, nowMs)
  histories.set(key, plan.history)
  for (const news of plan.events) tell(shared, autoscaler, news)
  if (!plan.rescale) return writeStatus(client, autoscaler, plan.status)
  const { replicas, reason } = plan.rescale
  const size = `New size: ${replicas}; reason: ${reason}`
  try {
    await rescale(client, target, replicas)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    tell(shared, autoscaler, { type: 'Warning', reason: 'FailedRescale', message: `${size}; error: ${error.message}` })
    return writeStatus(client, autoscaler, failedRescaleStatus(autoscaler, plan.status, error.message, nowMs))
  }
  tell(shared, autoscaler, { type: 'Normal', reason: 'SuccessfulRescale', message: size })
  histories.set(key, withChange(plan.history, current, replicas, nowMs))
  await writeStatus(client, autoscaler, rescaledStatus(plan.status, replicas, nowMs))
}

/** What the metrics say, or why the workload's pods cannot be told. */
async function measured(
  shared: Shared,
  client: Client,
  autoscaler: HorizontalPodAutoscaler,
  { scale, kinds }: Target,
): Promise<readonly MetricOutcome[] | SelectorTrouble> {
  const { parts, signal } = shared
  const text = scale.status?.selector ?? ''
  const selector = selectorOf(text)
  if ('eventReason' in selector) return selector
  const { namespace = '' } = autoscaler.metadata
  const selected = parts.cache.list(pods, namespace).filter(({ metadata }) => selector.matches(metadata.labels))
  shared.selectors.set(keyText(keyOf(autoscaler)), selector)
  const rivals = rivalsFor(
    shared,
    namespace,
    selected.map(({ metadata }) => metadata.labels ?? {}),
  )
  if (rivals.length > 1) return ambiguous(text, rivals)
  const specs = autoscaler.spec.metrics ?? []
  const request = { client, namespace, selector: text, kinds, signal }
  const readings = await Promise.all(specs.map(async (spec) => ({ spec, reading: await readMetric(spec, request) })))
  const workload = {
    replicas: scale.spec.replicas ?? 0,
    statusReplicas: scale.status?.replicas ?? 0,
    pods: selected,
    tolerance: toleranceOf(autoscaler),
    nowMs: parts.clock.now(),
  }
  return readings.map(({ spec, reading }) => proposalFor(spec, reading, workload))
}

function selectorOf(text: string): Selector | SelectorTrouble {
  if (text === '') {
    return {
      eventReason: 'SelectorRequired',
      conditionReason: 'InvalidSelector',
      event: 'selector is required',
      condition: "the HPA target's scale is missing a selector",
    }
  }
  try {
    return parseLabelSelector(text)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const message = `couldn't convert selector into a corresponding internal selector object: ${error.message}`
    return { eventReason: 'InvalidSelector', conditionReason: 'InvalidSelector', event: message, condition: message }
  }
}

/** The autoscalers of the namespace that are about one of these pods. */
function rivalsFor(
  { selectors }: Shared,
  namespace: string,
  labels: readonly Readonly<Record<string, string>>[],
): readonly string[] {
  return [...selectors]
    .map(([key, selector]) => ({ ...parseKeyText(key), selector }))
    .filter((rival) => rival.namespace === namespace && labels.some((own) => rival.selector.matches(own)))
    .map(({ name }) => `{${name} ${namespace}}`)
    .toSorted(byCodeUnit)
}

function ambiguous(selector: string, rivals: readonly string[]): SelectorTrouble {
  const message = `pods by selector ${selector} are controlled by multiple HPAs: [${rivals.join(' ')}]`
  return { eventReason: 'AmbiguousSelector', conditionReason: 'AmbiguousSelector', event: message, condition: message }
}

async function rescale(client: Client, { path, scale }: Target, replicas: number): Promise<void> {
  let latest: Scale | undefined = scale
  await retryOnConflict(async () => {
    const {
      kind = 'Scale',
      apiVersion = 'autoscaling/v1',
      metadata,
      spec,
    } = latest ?? (await rawObject<Scale>(client, { path }))
    latest = undefined
    const object = { kind, apiVersion, metadata, spec: { ...spec, replicas } }
    await rawObject<Scale>(client, { method: 'PUT', path, object })
  })
}

async function writeStatus(
  client: Client,
  autoscaler: HorizontalPodAutoscaler,
  status: HorizontalPodAutoscalerStatus,
): Promise<void> {
  if (deepEqual(autoscaler.status ?? {}, status)) return
  await client.of(horizontalPodAutoscalers).update({ ...autoscaler, status }, { subresource: 'status' })
}

function tell({ parts }: Shared, autoscaler: HorizontalPodAutoscaler, news: ScalingNews): void {
  const { regarding, type, reason, message } = plannedEvent(horizontalPodAutoscalers, autoscaler, news)
  parts.events.event(regarding, type, reason, message)
}
