/** One evaluation under way: where variables come from, the values of macros' variables, and what it has cost. */

import type { CelValue, Result } from '../values.ts'

/** Where the values of variables come from: a Map, or anything that makes them when asked. */
export interface Bindings {
  get(name: string): Result | undefined
}

export interface Frame {
  readonly bindings: Bindings
  /** Values of the variables of macros, by slot; every fold has slots of its own. */
  readonly slots: (Result | undefined)[]
  cost: number
  readonly budget: number
}

/** What a node becomes: a function from a frame to its value. */
export type Step = (frame: Frame) => Result

/** A node with what is known about it before any evaluation. */
export interface Planned {
  readonly step: Step
  /** The value, when it is always the same. */
  readonly constant?: CelValue | undefined
  /** Whether it is a variable or a path into one, which selecting from costs no more than the selection. */
  readonly isPath?: boolean | undefined
}

/** Ends an evaluation that costs too much. */
export class OverBudget {}

export function charge(frame: Frame, cost: number): void {
  frame.cost += cost
  if (frame.cost > frame.budget) throw new OverBudget()
}
