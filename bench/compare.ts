/** Rounds of everybody in turn, forwards and backwards, so that what changes with time changes for all of them. */

import type { FigureName, Sample, Scenario, Setting } from './scenario.ts'

export interface Observation {
  readonly row: string
  readonly figure: FigureName
  readonly side: string
  readonly value: number
}

export async function compare(scenario: Scenario, setting: Setting, rounds: number): Promise<readonly Observation[]> {
  const contestants = await scenario.contestants(setting)
  const observations: Observation[] = []
  for (let round = 0; round < rounds; round++) {
    for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed()) {
      const side = contestant.name
      for (const [row, sample] of Object.entries(await contestant.round())) {
        setting.say(`${scenario.name}, round ${round + 1}, ${side}: ${row}: ${textOf(sample)}`)
        for (const [figure, value] of figuresIn(sample)) observations.push({ row, figure, side, value })
      }
    }
  }
  return observations
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
