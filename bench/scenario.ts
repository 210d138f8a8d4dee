/** What is measured: stretches of life that yield samples of one or more rows, of all who are compared in turn. */

import type { Programs } from './prepare.ts'
import type { RunningSide, Side, SideWish } from './sides/side.ts'

/** Figures that one round yields for a row, by name. */
export type Sample = Readonly<Partial<Record<FigureName, number>>>

export const FIGURES = {
  perSecond: { unit: '1/s', better: 'higher' },
  megabytesPerSecond: { unit: 'MB/s', better: 'higher' },
  p50: { unit: 'ms', better: 'lower' },
  p99: { unit: 'ms', better: 'lower' },
  ms: { unit: 'ms', better: 'lower' },
  /** Of all processes of the side, per operation. */
  cpuMs: { unit: 'CPU-ms', better: 'lower' },
  /** The same in µs, per delivery of an event. */
  cpuUs: { unit: 'CPU-µs', better: 'lower' },
  /** By which a cost grows with the number of objects. */
  exponent: { unit: '', better: 'lower' },
  cpuPercent: { unit: '% of a core', better: 'lower' },
  residentMb: { unit: 'MB', better: 'lower' },
  peakMb: { unit: 'MB', better: 'lower' },
} as const satisfies Readonly<Record<string, { readonly unit: string; readonly better: 'higher' | 'lower' }>>

export type FigureName = keyof typeof FIGURES

export type Samples = Readonly<Record<string, Sample>>

export interface Scenario {
  readonly name: string
  /** One line for the table of contents. */
  readonly about: string
  /** Whoever is compared; the first is judged. Empty where nothing can be measured, with the reason said. */
  contestants(setting: Setting): Promise<readonly Contestant[]>
}

export interface Setting {
  readonly sides: readonly Side[]
  readonly programs: Programs
  /** Fewer operations: figures become rough. */
  readonly quick: boolean
  readonly say: (message: string) => void
}

export interface Contestant {
  /** The head of a column. */
  readonly name: string
  /** Yields samples by the names of rows, from a new beginning. */
  round(): Promise<Samples>
}

export interface ScenarioParts {
  readonly side: RunningSide
  readonly programs: Programs
  readonly quick: boolean
}

interface SideScenario {
  readonly name: string
  readonly about: string
  readonly wish: SideWish
  run(parts: ScenarioParts): Promise<Samples>
}

/** A stretch of a cluster's life, on every side: it is new, and stopped afterwards. */
export function onSides({ name, about, wish, run }: SideScenario): Scenario {
  return {
    ...{ name, about },
    contestants: async ({ sides, programs, quick }) =>
      sides.map((side) => ({
        name: side.name,
        async round() {
          await using running = await side.start(wish)
          return await run({ side: running, programs, quick })
        },
      })),
  }
}
