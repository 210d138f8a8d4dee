/** Short ways to write declarations. */

import type { Evaluate, FunctionDeclaration, Overload } from '../declarations.ts'
import { type CelType, typeParameter } from '../types.ts'
import type { CelValue, Result } from '../values.ts'

/** The type parameters of declarations. */
export const A = typeParameter('A')
export const B = typeParameter('B')

export function overload(
  id: string,
  parameters: readonly CelType[],
  result: CelType,
  evaluate?: (...values: never[]) => Result,
): Overload {
  return { id, parameters, result, evaluate: checkedAtCall(evaluate) }
}

/** A member function; the first parameter is the receiver. */
export function member(
  id: string,
  parameters: readonly CelType[],
  result: CelType,
  evaluate?: (...values: never[]) => Result,
): Overload {
  return { id, parameters, result, member: true, evaluate: checkedAtCall(evaluate) }
}

export function declare(
  name: string,
  overloads: readonly Overload[],
  evaluate?: (...values: never[]) => Result,
): FunctionDeclaration {
  return { name, overloads, evaluate: checkedAtCall(evaluate) }
}

/**
 * Implementations name the types of their values; the evaluator has compared the values with the overload's
 * parameters before the call.
 */
function checkedAtCall(evaluate: ((...values: never[]) => Result) | undefined): Evaluate | undefined {
  return evaluate as ((...values: readonly CelValue[]) => Result) | undefined
}

/** The overloads, with what a call of any of them costs. */
export function costing(
  cost: (values: readonly CelValue[], result: Result) => number,
  overloads: readonly Overload[],
): readonly Overload[] {
  return overloads.map((declared) => ({ ...declared, cost }))
}

/** As `costing`, for calls so expensive that the budget must be asked before them. */
export function costingFirst(
  cost: (values: readonly CelValue[], result: Result) => number,
  overloads: readonly Overload[],
): readonly Overload[] {
  return overloads.map((declared) => ({ ...declared, cost, isChargedFirst: true }))
}
