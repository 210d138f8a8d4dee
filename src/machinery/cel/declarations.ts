/** What an environment is made of: variables, functions with their overloads, constants and macros of libraries. */

import type { CelType } from './types.ts'
import type { CelValue, Result } from './values.ts'

/** Evaluates a call; arguments are never errors, and their number is that of the overload. */
export type Evaluate = (...values: readonly CelValue[]) => Result

export interface Overload {
  /** Unique in the environment, such as `string_split_string`. Costs are looked up by it. */
  readonly id: string
  /** The receiver, of a member function, is the first parameter. */
  readonly parameters: readonly CelType[]
  readonly result: CelType
  /** Called as `target.name(...)`. Absent: `name(...)`. */
  readonly member?: boolean | undefined
  /** Absent: the function's own `evaluate` serves all its overloads. */
  readonly evaluate?: Evaluate | undefined
}

export interface FunctionDeclaration {
  readonly name: string
  readonly overloads: readonly Overload[]
  /** Serves every overload, by looking at the values itself. */
  readonly evaluate?: Evaluate | undefined
}

export interface ConstantDeclaration {
  readonly name: string
  readonly type: CelType
  readonly value: CelValue
}
