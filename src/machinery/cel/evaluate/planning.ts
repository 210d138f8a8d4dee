/** What planning a node may ask of the planner, so that kinds of nodes can be planned in files of their own. */

import type { Reference } from '../check/checker.ts'
import type { Expression } from '../syntax/ast.ts'
import type { CelValue } from '../values.ts'
import type { Planned, Step } from './frame.ts'

/** A variable of a fold: where its value is, and how it is made when it is made on first use. */
export interface Local {
  readonly slot: number
  readonly make?: Step | undefined
}

export interface Planning {
  plan(node: Expression): Planned
  reference(node: Expression): Reference | undefined
  /** A slot no other fold uses. */
  newSlot(): number
  /** Plans with names added for macros' variables. */
  withLocals<T>(locals: readonly (readonly [string, Local])[], plan: () => T): T
  /** Notes that an evaluation cannot succeed. */
  fail(message: string): void
  local(name: string): Local | undefined
}

export function constantOf(value: CelValue): Planned {
  return { step: () => value, constant: value }
}

/** The values of the parts when all are constant. */
export function constantsOf(parts: readonly Planned[]): readonly CelValue[] | undefined {
  const values: CelValue[] = []
  for (const { constant } of parts) {
    if (constant === undefined) return undefined
    values.push(constant)
  }
  return values
}
