/** What calls cost once their values are known, in the units of cel-go. */

import type { Overload } from '../declarations.ts'
import { charactersOf } from '../operators/text.ts'
import { type CelValue, ListValue, MapValue, OptionalValue, type Result } from '../values.ts'

/** What a call of an overload costs. */
export type CallCost = (values: readonly CelValue[], result: Result) => number

export const COST_PER_CHARACTER = 0.1
export const COST_PER_PATTERN_CHARACTER = 0.25
export const LIST_COST = 10
export const MAP_COST = 30
export const OBJECT_COST = 40

/** The size of what has one, else 1. */
export function sizeForCost(value: CelValue | undefined): number {
  if (typeof value === 'string') return charactersOf(value)
  if (value instanceof ListValue || value instanceof Uint8Array) return value.length
  if (value instanceof MapValue) return value.size
  if (value instanceof OptionalValue && value.value !== undefined) return sizeForCost(value.value)
  return 1
}

const traversal = (size: number): number => Math.ceil(size * COST_PER_CHARACTER)

const smaller: CallCost = ([left, right]) => traversal(Math.min(sizeForCost(left), sizeForCost(right)))
const sum: CallCost = ([left, right]) => traversal(sizeForCost(left) + sizeForCost(right))
const first: CallCost = ([value]) => traversal(sizeForCost(value))
const matching: CallCost = ([text, pattern]) =>
  traversal(1 + sizeForCost(text)) * Math.ceil(sizeForCost(pattern) * COST_PER_PATTERN_CHARACTER)

const COSTS: ReadonlyMap<string, CallCost> = new Map<string, CallCost>([
  ['equals', smaller],
  ['not_equals', smaller],
  ...['less', 'less_equals', 'greater', 'greater_equals'].flatMap((prefix): [string, CallCost][] => [
    [`${prefix}_string`, smaller],
    [`${prefix}_bytes`, smaller],
  ]),
  ['starts_with_string', first],
  ['ends_with_string', first],
  ['string_to_bytes', first],
  ['bytes_to_string', first],
  ['strings_quote', first],
  ['string_format', first],
  ['in_list', ([, list]) => sizeForCost(list)],
  ['add_string', sum],
  ['add_bytes', sum],
  ['matches', matching],
  ['matches_string', matching],
  ['contains_string', ([text, part]) => traversal(sizeForCost(text)) * traversal(sizeForCost(part))],
])

/** How the cost of an overload is found; undefined when every call costs 1. */
export function callCostOf({ id, cost }: Overload): CallCost | undefined {
  return cost ?? COSTS.get(id)
}
