/** What is measured on each side in turn: a stretch of one cluster's life that yields samples of one or more rows. */

import type { Programs } from './prepare.ts'
import type { RunningSide, SideWish } from './sides/side.ts'

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

export interface Scenario {
  readonly name: string
  /** One line for the table of contents. */
  readonly about: string
  readonly wish: SideWish
  /** Yields samples by the names of rows. The side is new, and stopped afterwards. */
  run(parts: ScenarioParts): Promise<Readonly<Record<string, Sample>>>
}

export interface ScenarioParts {
  readonly side: RunningSide
  readonly programs: Programs
  /** Fewer operations: figures become rough. */
  readonly quick: boolean
  readonly say: (message: string) => void
}
