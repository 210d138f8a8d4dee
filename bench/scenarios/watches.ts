/** E1: one change to many watchers, as fast as it goes and now and then. E2: everybody comes back at once. */

import { pod, sentConfigMap } from '../objects.ts'
import { BEST_TUNING, onSides } from '../on-sides.ts'
import type { Sample, ScenarioParts } from '../scenario.ts'
import { costOf, prepared } from './measure.ts'

const PODS = '/api/v1/namespaces/default/pods'
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const WATCHERS = [1, 100, 1_000]
const WRITERS = 4
/** How long the last event may take to reach the last watcher, in ms. */
const SETTLE_MS = 60_000
const MICRO = 1_000
/** Events before those that count, where they are rare. */
const RARE_WARM_UP = 10
const NOBODY = 'nobody'

export interface FanOut {
  readonly row: string
  readonly name: string
  readonly watchers: number
  readonly operations: number
  readonly rate?: number
}

export const watches = onSides({
  name: 'watches',
  about: 'E1: 1, 100 and 1,000 watchers, events as fast as 4 writers go and 10 per second',
  wish: {},
  byProtocol: true,
  async run(parts) {
    const { quick, beside } = parts
    const rows: Record<string, Sample> = {}
    for (const watchers of WATCHERS)
      for (const each of fanOuts(watchers, quick))
        if (!beside || each.rate === undefined) rows[each.row] = await fanOut(parts, each)
    return rows
  },
})

/** As many events as make some ten thousands of deliveries in a second or two. */
function fanOuts(watchers: number, quick: boolean): readonly FanOut[] {
  const saturated = watchers === 1_000 ? 250 : 2_000
  const [fast, rare] = quick ? [saturated / 5, 15] : [saturated, 25]
  const name = `E1 ${watchers} watchers`
  return [
    { row: `${name}, saturated`, name: `fast-${watchers}`, watchers, operations: fast },
    { row: `${name}, 10 per second`, name: `rare-${watchers}`, watchers, operations: rare, rate: 10 },
  ]
}

export async function fanOut(parts: ScenarioParts, { name, watchers, operations, rate }: FanOut): Promise<Sample> {
  const { result, cpuMs, shared } = await costOf(parts, {
    watchers,
    watchPath: `${CONFIG_MAPS}?watch=true&labelSelector=stream%3D${name}&resourceVersion=0`,
    workers: rate === undefined ? WRITERS : 1,
    warmUp: rate === undefined ? operations : RARE_WARM_UP,
    operations,
    ...(rate !== undefined && { rate }),
    requests: [{ method: 'POST', path: CONFIG_MAPS, body: sentConfigMap(`${name}-{i}`, name) }],
    settleMs: SETTLE_MS,
  })
  const { deliveries = 0, deliverySeconds = 0, delivery } = result
  return {
    perSecond: deliveries / deliverySeconds,
    ...(delivery && { p50: delivery.p50, p99: delivery.p99 }),
    cpuUs: (cpuMs / deliveries) * MICRO,
    ...shared,
  }
}

const COMING_BACK = 1_000
const KEPT = { quick: 1_000, full: 10_000 }
const INITIAL = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'

export const storm = onSides({
  name: 'storm',
  about: 'E2: 1,000 clients come back at once and ask for all pods as watch events',
  wish: {},
  tunings: BEST_TUNING,
  // The other side takes seven minutes and 19 GB for a round, which is thirty times as long.
  roundsMax: 1,
  async run(parts) {
    const count = parts.quick ? KEPT.quick : KEPT.full
    await prepared(parts, { method: 'POST', path: PODS, body: pod('pod-{i}', NOBODY) }, count)
    const { result, cpuMs, shared } = await costOf(parts, {
      workers: COMING_BACK,
      operations: COMING_BACK,
      requests: [{ method: 'GET', path: `${PODS}?${INITIAL}`, until: 'k8s.io/initial-events-end' }],
    })
    const sample = { ms: result.seconds * 1_000, cpuMs: cpuMs / result.operations, ...shared }
    return { [`E2 1,000 clients list ${count} pods by watching`]: sample }
  },
})
