/** Rounds on all sides in turn, forwards and backwards, so that what changes with time changes for all of them. */

import type { Programs } from './prepare.ts'
import type { FigureName, Sample, Scenario } from './scenario.ts'
import type { Side } from './sides/side.ts'

export interface Observation {
  readonly row: string
  readonly figure: FigureName
  readonly side: string
  readonly value: number
}

export interface CompareParts {
  readonly sides: readonly Side[]
  readonly programs: Programs
  readonly rounds: number
  readonly quick: boolean
  readonly say: (message: string) => void
}

export async function compare(scenario: Scenario, parts: CompareParts): Promise<readonly Observation[]> {
  const { sides, programs, rounds, quick, say } = parts
  const observations: Observation[] = []
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      await using running = await side.start(scenario.wish)
      const rows = await scenario.run({ side: running, programs, quick, say })
      for (const [row, sample] of Object.entries(rows)) {
        say(`${scenario.name}, round ${round + 1}, ${side.name}: ${row}: ${textOf(sample)}`)
        for (const [figure, value] of figuresIn(sample)) observations.push({ row, figure, side: side.name, value })
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
