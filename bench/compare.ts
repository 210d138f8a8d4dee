/** Rounds of everybody in turn, forwards and backwards, so that what changes with time changes for all of them. */

import { loadavg } from 'node:os'
import { GOALS } from './goals.ts'
import { calibrate } from './machine.ts'
import {
  type Contestant,
  FIGURES,
  type FigureName,
  type Sample,
  type Scenario,
  type Setting,
  type Table,
} from './scenario.ts'
import { median } from './statistics.ts'

export interface Observation {
  readonly row: string
  readonly table: Table
  readonly figure: FigureName
  readonly side: string
  readonly value: number
}

/** How the machine was while a scenario was measured. */
export interface Circumstances {
  readonly scenario: string
  readonly minutes: number
  /** Over the minute before. */
  readonly load: number
  /** A fixed amount of work for one core before and after, in ms. */
  readonly calibrationMs: readonly [before: number, after: number]
}

export interface Compared {
  readonly observations: readonly Observation[]
  readonly circumstances: Circumstances
}

export async function compare(scenario: Scenario, setting: Setting, rounds: number): Promise<Compared> {
  const startedAt = performance.now()
  const [load = 0] = loadavg()
  const before = calibrate()
  let contestants = await scenario.contestants(setting)
  const observations: Observation[] = []
  for (let round = 0; round < Math.min(rounds, scenario.roundsMax ?? rounds); round++) {
    for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed())
      observations.push(...(await observe(scenario, contestant, round, setting)))
    if (round === 0) contestants = withoutHopeless(contestants, observations)
  }
  const minutes = (performance.now() - startedAt) / 60_000
  return {
    observations,
    circumstances: { scenario: scenario.name, minutes, load, calibrationMs: [before, calibrate()] },
  }
}

async function observe(
  scenario: Scenario,
  { name, tables, round: run }: Contestant,
  round: number,
  { say }: Setting,
): Promise<readonly Observation[]> {
  const by = tables.includes('chosen') ? '' : ` by ${tables.join()}`
  return Object.entries(await run()).flatMap(([row, sample]) => {
    say(`${scenario.name}, round ${round + 1}, ${name}${by}: ${row}: ${textOf(sample)}`)
    return figuresIn(sample).flatMap(([figure, value]) =>
      tables.map((table) => ({ row, table, figure, side: name, value })),
    )
  })
}

/** A setup of the other side that is this many times worse than another in all that is judged need not be asked again. */
const HOPELESS_TIMES = 1.5

/** What is left out has one round, and stands in the table with it. */
export function withoutHopeless(
  contestants: readonly Contestant[],
  observations: readonly Observation[],
): readonly Contestant[] {
  const judged = GOALS.filter(({ against }) => against === undefined).flatMap(({ row, figure }) => {
    const those = observations.filter((each) => each.row === row && each.figure === figure && each.table === 'chosen')
    return [Map.groupBy(those, ({ side }) => side)].filter(({ size }) => size > 2).map((sides) => ({ figure, sides }))
  })
  const [first, ...others] = contestants
  const costOf = (figure: FigureName, values: readonly Observation[] = []) => {
    const value = median(values.map((each) => each.value))
    return FIGURES[figure].better === 'lower' ? value : 1 / value
  }
  const hasHope = ({ name, tables }: Contestant) =>
    judged.length === 0 ||
    !tables.includes('chosen') ||
    judged.some(({ figure, sides }) => {
      const rivals = others.map((other) => costOf(figure, sides.get(other.name))).filter((cost) => !Number.isNaN(cost))
      return costOf(figure, sides.get(name)) <= Math.min(...rivals) * HOPELESS_TIMES
    })
  return [...(first ? [first] : []), ...others.filter(hasHope)]
}

function figuresIn(sample: Sample): readonly (readonly [FigureName, number])[] {
  const names = Object.keys(sample) as FigureName[]
  return names.flatMap((name) => (sample[name] === undefined ? [] : [[name, sample[name]] as const]))
}

function textOf(sample: Sample): string {
  return figuresIn(sample)
    .map(([name, value]) => `${name} ${value.toPrecision(4)}`)
    .join(', ')
}
