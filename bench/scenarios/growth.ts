/** I1: what single requests and lists cost while the number of objects doubles from 1,000 to 64,000. */

import type { RequestTemplate } from '../generator.ts'
import { configMap } from '../objects.ts'
import { BEST_TUNING, onSides } from '../on-sides.ts'
import type { Sample, ScenarioParts } from '../scenario.ts'
import { growthExponent } from '../statistics.ts'
import { measure, prepared } from './measure.ts'

const SIZES = { quick: [500, 1_000, 2_000, 4_000], full: [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000] }
const CROWD = '/api/v1/namespaces/crowd/configmaps'
const OTHERS = '/api/v1/namespaces/default/configmaps'
const OPERATIONS = 2_000
/** Objects in all lists of one size together: so many that processor time, known to 10 ms, is no matter of ticks. */
const LISTED = { quick: 20_000, full: 100_000 }
const LISTS_MIN = 5
const WORKERS = 10

interface Probe {
  readonly row: string
  readonly request: (size: number) => RequestTemplate
  readonly operations: (size: number, listed: number) => number
  readonly workers: number
}

const single = (row: string, request: (size: number) => RequestTemplate): Probe => ({
  ...{ row, request, operations: () => OPERATIONS, workers: WORKERS },
})

const PROBES: readonly Probe[] = [
  single('I1 create', (size) => ({ method: 'POST', path: OTHERS, body: configMap(`map-${size}-{i}`) })),
  single('I1 get', () => ({ method: 'GET', path: `${CROWD}/map-0-{c}` })),
  single('I1 patch', (size) => ({
    method: 'PATCH',
    path: `${OTHERS}/map-${size}-{i}`,
    contentType: 'application/merge-patch+json',
    body: '{"metadata":{"labels":{"patched":"yes"}}}',
  })),
  single('I1 delete', (size) => ({ method: 'DELETE', path: `${OTHERS}/map-${size}-{i}` })),
  {
    row: 'I1 list of all',
    request: () => ({ method: 'GET', path: CROWD }),
    operations: (size, listed) => Math.max(LISTS_MIN, Math.round(listed / size)),
    workers: 1,
  },
]

export const growth = onSides({
  name: 'growth',
  about: 'I1: the exponents by which the cost of requests grows with the number of objects, to 64,000',
  wish: {},
  tunings: BEST_TUNING,
  othersOnce: true,
  async run(parts) {
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'crowd' } })
    await prepared(parts, { method: 'POST', path: '/api/v1/namespaces', body }, 1)
    const sizes = parts.quick ? SIZES.quick : SIZES.full
    const costs = new Map(PROBES.map(({ row }) => [row, [] as number[]]))
    let size = 0
    for (const wanted of sizes) {
      const name = `map-${size}-{i}`
      await prepared(parts, { method: 'POST', path: CROWD, body: configMap(name) }, wanted - size)
      size = wanted
      for (const probe of PROBES) costs.get(probe.row)?.push(await costOf(parts, probe, size))
    }
    return Object.fromEntries([...costs].map(([row, values]) => [row, sampleOf(sizes, values)]))
  },
})

async function costOf(parts: ScenarioParts, { request, operations, workers }: Probe, size: number): Promise<number> {
  const { cpuMs = Number.NaN } = await measure(parts, {
    workers,
    warmUp: workers,
    operations: operations(size, parts.quick ? LISTED.quick : LISTED.full),
    requests: [request(size)],
  })
  return cpuMs
}

/** The last cost besides: an exponent says nothing about its height. */
function sampleOf(sizes: readonly number[], costs: readonly number[]): Sample {
  return { exponent: growthExponent(sizes, costs), cpuMs: costs.at(-1) ?? Number.NaN }
}
