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
  /** When and of which commit, of what was measured again after its run. */
  readonly again?: { readonly date: string; readonly commit: string } | undefined
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
    const taking = contestants.filter(({ roundsMax }) => round < (roundsMax ?? rounds))
    for (const contestant of round % 2 === 0 ? taking : taking.toReversed())
      observations.push(...(await observe(scenario, contestant, round, setting)))
    if (round === 0) contestants = withoutOutdone(contestants, observations)
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
  return Object.entries(await run(round)).flatMap(([row, sample]) => {
    say(`${scenario.name}, round ${round + 1}, ${name}${by}: ${row}: ${textOf(sample)}`)
    // What took too little to be told is no number: it is said, and not counted.
    return figuresIn(sample)
      .filter(([, value]) => Number.isFinite(value))
      .flatMap(([figure, value]) => tables.map((table) => ({ row, table, figure, side: name, value })))
  })
}

/**
 * Without setups of the other side that were the best of them in nothing that is judged: what is left out has one round,
 * and stands in the table with it.
 */
export function withoutOutdone(
  contestants: readonly Contestant[],
  observations: readonly Observation[],
): readonly Contestant[] {
  const judged = GOALS.filter(({ against }) => against === undefined).flatMap(({ row, figure }) => {
    const those = observations.filter((each) => each.row === row && each.figure === figure && each.table === 'chosen')
    return those.length > 2 ? [{ figure, those }] : []
  })
  const [first, ...others] = contestants
  // Whoever is judged also takes part by the other protocol, under the same name.
  const names = new Set(others.map(({ name }) => name).filter((name) => name !== first?.name))
  const best = new Set(
    judged.flatMap(({ figure, those }) => {
      const sign = FIGURES[figure].better === 'lower' ? 1 : -1
      const rivals = those.filter(({ side }) => names.has(side))
      return rivals.toSorted((left, right) => sign * (left.value - right.value))[0]?.side ?? []
    }),
  )
  const stays = ({ name, tables }: Contestant) => best.size === 0 || best.has(name) || !tables.includes('chosen')
  return [...(first ? [first] : []), ...others.filter(stays)]
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
