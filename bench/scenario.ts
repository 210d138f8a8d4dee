/** What is measured: stretches of life that yield samples of one or more rows, of all who are compared in turn. */

import type { Client } from './generator.ts'
import type { Programs } from './prepare.ts'
import type { Protocol, RunningSide } from './sides/side.ts'

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
  /** How evenly a scheduler spreads. */
  mostOnNode: { unit: 'pods', better: 'lower' },
  /** Of the machine, used by the client: above a quarter it bounds what the server can show. */
  clientPercent: { unit: '% of the machine', better: 'lower' },
} as const satisfies Readonly<Record<string, { readonly unit: string; readonly better: 'higher' | 'lower' }>>

export type FigureName = keyof typeof FIGURES

export type Samples = Readonly<Record<string, Sample>>

export interface Scenario {
  readonly name: string
  /** One line for the table of contents; begins with the names of its rows. */
  readonly about: string
  /** More rounds would say nothing more. Absent: as many as asked for. */
  readonly roundsMax?: number | undefined
  /** Whoever is compared; the first is judged. Empty where nothing can be measured, with the reason said. */
  contestants(setting: Setting): Promise<readonly Contestant[]>
}

export interface Setting {
  readonly programs: Programs
  /** Fewer operations and one setup of the other side: figures become rough. */
  readonly quick: boolean
  /** Without the other side: a look at what a change did. */
  readonly alone: boolean
  /** Numbers of processors for the row of cores. */
  readonly cores: readonly number[]
  readonly say: (message: string) => void
}

/** What a figure is compared by: what client-go ends up speaking with each side, or one protocol on both sides. */
export type Table = 'chosen' | Protocol

export interface Contestant {
  /** The head of a column. */
  readonly name: string
  readonly tables: readonly Table[]
  /** Absent: as many as the scenario has. */
  readonly roundsMax?: number | undefined
  /** Yields samples by the names of rows, from a new beginning. `number` counts from 0. */
  round(number: number): Promise<Samples>
}

export interface ScenarioParts {
  readonly side: RunningSide
  readonly programs: Programs
  readonly quick: boolean
  /** Also with the protocol that client-go does not choose: only the rows that a protocol matters most for. */
  readonly beside: boolean
  /** The first round: rows that nothing is judged by are measured in it alone. */
  readonly isFirst: boolean
  readonly client: Client
}
