/** L1: the same rows with the servers on one, two, four … processors; the client has the others where there are any. */

import { availableParallelism } from 'node:os'
import { pod } from '../objects.ts'
import { BEST_TUNING, clientOf, sidesOf } from '../on-sides.ts'
import type { Samples, Scenario, ScenarioParts, Setting } from '../scenario.ts'
import type { Side } from '../sides/side.ts'
import { measure, measureBytes, prepared } from './measure.ts'
import { FAMILIES } from './scheduling/families.ts'
import { families } from './scheduling/scheduling.ts'
import { fanOut } from './watches.ts'

const PODS = '/api/v1/namespaces/default/pods'
const COUNT = { quick: 500, full: 3_000 }
const LISTS = 5
const WATCHERS = 100
const EVENTS = { quick: 100, full: 500 }
const NODES = 1_000
/** The rows of all cores are measured elsewhere; these show a direction. */
const ROUNDS_MAX = 2

export const cores: Scenario = {
  name: 'cores',
  about: 'L1: create, get, list, watch and schedule on one, two, four … cores',
  roundsMax: ROUNDS_MAX,
  contestants: async (setting) =>
    sidesOf(setting, BEST_TUNING).map((side) => ({
      name: side.name,
      tables: ['chosen'],
      round: () => onEach(setting, side),
    })),
}

async function onEach(setting: Setting, side: Side): Promise<Samples> {
  const rows: Record<string, Samples[string]> = {}
  for (const count of setting.cores) {
    const processors = `0-${count - 1}`
    const all = availableParallelism()
    const others = count < all ? `${count}-${all - 1}` : undefined
    await using running = await side.start({ schedulerOnly: true, processors })
    const client = { ...clientOf(side), processors: others }
    const { programs, quick } = setting
    const samples = await rowsOf({ side: running, programs, quick, beside: false, isFirst: true, client })
    for (const [row, sample] of Object.entries(samples)) rows[`L1 ${row}, ${coresText(count)}`] = sample
  }
  return rows
}

function coresText(count: number): string {
  return count === 1 ? '1 core' : `${count} cores`
}

async function rowsOf(parts: ScenarioParts): Promise<Samples> {
  const [operations, events] = parts.quick ? [COUNT.quick, EVENTS.quick] : [COUNT.full, EVENTS.full]
  const create = { method: 'POST', path: PODS, body: pod('pod-{i}', 'nobody') } as const
  const [list, get] = [{ method: 'GET', path: PODS } as const, { method: 'GET', path: `${PODS}/warm-7` } as const]
  await prepared(parts, { ...create, body: pod('warm-{i}', 'nobody') }, operations / 2)
  const crowd = { workers: 100, warmUp: 200, operations }
  const watching = { row: '', name: 'fast', watchers: WATCHERS, operations: events }
  const rows = {
    'create Pod, c=100': await measure(parts, { ...crowd, requests: [create] }),
    'get Pod, c=100': await measure(parts, { ...crowd, requests: [get] }),
    'list of pods, c=8': await measureBytes(parts, { workers: 8, operations: 8 * LISTS, requests: [list] }),
    [`${WATCHERS} watchers, saturated`]: await fanOut(parts, watching),
  }
  await prepared(parts, { method: 'DELETE', path: PODS }, 1)
  const scheduled = await families(parts, NODES, FAMILIES.slice(0, 1))
  return { ...rows, ...Object.fromEntries(Object.entries(scheduled).map(([row, sample]) => [row.slice(3), sample])) }
}
