/** What an environment is made of: variables, functions with their overloads, constants and macros of libraries. */

import type { CelType, ObjectType } from './types.ts'
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
  /** What a call costs; absent: 1, or what the language says of its own functions. */
  readonly cost?: ((values: readonly CelValue[], result: Result) => number) | undefined
  /** Whether the cost is known from the values and charged before the call: the budget then bounds the call. */
  readonly isChargedFirst?: boolean | undefined
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

export interface ObjectDeclaration {
  readonly type: ObjectType
  /** Makes an object of these fields, as `Name{field: value}` says. Absent: expressions can only name the type. */
  readonly construct?: ((fields: ReadonlyMap<string, CelValue>) => Result) | undefined
}

/** Functions, types and constants under one name, as environments take them. */
export interface Library {
  readonly name: string
  readonly functions?: readonly FunctionDeclaration[] | undefined
  readonly constants?: readonly ConstantDeclaration[] | undefined
  /** Object types that expressions may name. */
  readonly types?: readonly ObjectDeclaration[] | undefined
}
