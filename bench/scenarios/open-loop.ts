/**
 * C1, C2 as latencies: requests are due at half the rate that the slower side is capable of, whether or not earlier ones
 * are answered, and a latency counts from when its request was due.
 */

import { pod } from '../objects.ts'
import { BEST_TUNING, clientOf, onSides, sidesOf } from '../on-sides.ts'
import type { Sample, Samples, Scenario, ScenarioParts, Setting } from '../scenario.ts'
import { measure, prepared } from './measure.ts'

const PODS = '/api/v1/namespaces/default/pods'
const WORKERS = 100
/** To find out what a side is capable of, as fast as it answers. */
const PILOT = { quick: 500, full: 3_000 }
const SECONDS = { quick: 2, full: 4 }
const SHARE = 0.5

const LOADS = [
  { row: 'C1 create Pod, half load', request: { method: 'POST', path: PODS, body: pod('{i}', 'nobody') } },
  { row: 'C2 get Pod, half load', request: { method: 'GET', path: `${PODS}/warm-7` } },
] as const

type Rates = ReadonlyMap<string, number>

export const openLoop: Scenario = {
  name: 'open-loop',
  about: 'C1, C2: latencies at half the rate that the slower side is capable of',
  roundsMax: 3,
  async contestants(setting) {
    const rates = await ratesFor(setting)
    const { contestants } = onSides({
      ...{ name: this.name, about: this.about, wish: {}, tunings: BEST_TUNING },
      run: (parts) => latencies(parts, rates),
    })
    return contestants(setting)
  },
}

async function ratesFor(setting: Setting): Promise<Rates> {
  const rates = new Map<string, number>()
  const operations = setting.quick ? PILOT.quick : PILOT.full
  for (const side of sidesOf(setting, BEST_TUNING)) {
    await using running = await side.start({})
    const parts = { side: running, ...setting, beside: false, isFirst: true, client: clientOf(side) }
    await warmUp(parts)
    for (const { row, request } of LOADS) {
      const job = { workers: WORKERS, operations, warmUp: operations, requests: [request] }
      const { perSecond = 0 } = await measure(parts, job)
      rates.set(row, Math.min(rates.get(row) ?? Number.POSITIVE_INFINITY, perSecond * SHARE))
    }
  }
  return rates
}

async function latencies(parts: ScenarioParts, rates: Rates): Promise<Samples> {
  await warmUp(parts)
  const seconds = parts.quick ? SECONDS.quick : SECONDS.full
  const rows: Record<string, Sample> = {}
  for (const { row, request } of LOADS) {
    const rate = rates.get(row) ?? 0
    const operations = Math.round(rate * seconds)
    const job = { workers: WORKERS, operations, rate, warmUp: WORKERS, requests: [request] }
    const { p50, p99, cpuMs, peakMb } = await measure(parts, job)
    rows[row] = { ...(p50 !== undefined && { p50 }), ...(p99 !== undefined && { p99 }), ...(cpuMs && { cpuMs }) }
    if (peakMb !== undefined) rows[row] = { ...rows[row], peakMb }
  }
  return rows
}

function warmUp(parts: ScenarioParts): Promise<void> {
  const operations = parts.quick ? PILOT.quick : PILOT.full
  return prepared(parts, { method: 'POST', path: PODS, body: pod('warm-{i}', 'nobody') }, operations)
}
