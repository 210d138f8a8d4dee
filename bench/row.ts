/** What a row of the benchmark is, and the figures it yields. */

import type { Dispersion } from './statistics.ts'

/** A figure of a row. `direction` says which way is better. */
export interface Figure extends Dispersion {
  readonly name: string
  readonly unit: 'ms' | 'MB' | '% of a core' | '1/s' | 'µs'
  readonly direction: 'lower' | 'higher'
}

export interface RowContext {
  /** Fewer rounds and operations: minutes become seconds, figures become rough. */
  readonly quick: boolean
  /** Whether a Docker engine answers. */
  readonly docker: boolean
  /** Tells what goes on. */
  readonly say: (message: string) => void
}

export interface Row {
  readonly name: string
  /** One line for the table of contents. */
  readonly about: string
  run(context: RowContext): Promise<readonly Figure[]>
}
