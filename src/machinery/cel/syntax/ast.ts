/**
 * The tree of an expression, after macros. Nodes are told apart by identity: what the checker finds out about a
 * node stands in maps beside the tree.
 */

import type { CelValue } from '../values.ts'

interface Node {
  /** Where messages about it point, in UTF-16 units. */
  readonly offset: number
  /** Nesting, bounded by the parser, so that walks may recurse. */
  readonly depth: number
}

export interface Literal extends Node {
  readonly kind: 'literal'
  readonly value: CelValue
}

export interface Identifier extends Node {
  readonly kind: 'identifier'
  /** A leading dot asks for the name as it stands, in no container. */
  readonly name: string
}

export interface Select extends Node {
  readonly kind: 'select'
  readonly operand: Expression
  readonly field: string
  /** Made by `has()`: whether the field is set. */
  readonly test: boolean
}

export interface Call extends Node {
  readonly kind: 'call'
  readonly name: string
  readonly target?: Expression | undefined
  readonly values: readonly Expression[]
}

export interface ListLiteral extends Node {
  readonly kind: 'list'
  readonly elements: readonly Expression[]
  /** Indexes of elements written `?value`, which are left out when empty. */
  readonly optional: ReadonlySet<number>
}

export interface Entry<Key> {
  readonly offset: number
  readonly key: Key
  readonly value: Expression
  readonly optional: boolean
}

export interface MapLiteral extends Node {
  readonly kind: 'map'
  readonly entries: readonly Entry<Expression>[]
}

export interface ObjectLiteral extends Node {
  readonly kind: 'object'
  readonly type: string
  readonly fields: readonly Entry<string>[]
}

/** A fold: what the macros over lists and maps become. */
export interface Comprehension extends Node {
  readonly kind: 'comprehension'
  readonly range: Expression
  readonly variable: string
  /** The second variable: the value beside the index or key. */
  readonly variable2?: string | undefined
  readonly accumulator: string
  readonly initial: Expression
  readonly condition: Expression
  readonly step: Expression
  readonly result: Expression
}

export type Expression = Literal | Identifier | Select | Call | ListLiteral | MapLiteral | ObjectLiteral | Comprehension

/** The accumulator of the macros; no source text can name it. */
export const ACCUMULATOR = '@result'

/** The dotted name that a chain of identifiers and fields spells, if it is one. */
export function qualifiedName(expression: Expression): string | undefined {
  if (expression.kind === 'identifier') return expression.name
  if (expression.kind !== 'select' || expression.test) return undefined
  const prefix = qualifiedName(expression.operand)
  return prefix === undefined ? undefined : `${prefix}.${expression.field}`
}
