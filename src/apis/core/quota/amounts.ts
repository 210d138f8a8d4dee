/** Arithmetic on lists of resources by name. Nothing changes its arguments. */

import { byCodeUnit } from '../../../base/group-by.ts'
import {
  addQuantities,
  compareQuantities,
  isNegative,
  isZero,
  type Quantity,
  quantityFromValue,
  quantityOf,
  quantityText,
  subtractQuantities,
} from '../../../machinery/meta/quantity.ts'

export type Amounts = ReadonlyMap<string, Quantity>
export type ResourceTexts = Readonly<Record<string, string>>

export const ONE: Quantity = quantityFromValue(1, 'DecimalSI')
export const NONE: Quantity = quantityFromValue(0, 'DecimalSI')

export function amountsOf(texts: ResourceTexts | undefined): Amounts {
  return new Map(Object.entries(texts ?? {}).map(([name, text]) => [name, quantityOf(text)]))
}

export function textsOf(amounts: Amounts): ResourceTexts {
  const sorted = [...amounts].toSorted(([left], [right]) => byCodeUnit(left, right))
  return Object.fromEntries(sorted.map(([name, quantity]) => [name, quantityText(quantity)]))
}

export function sumOf(left: Amounts, right: Amounts): Amounts {
  if (right.size === 0) return left
  const result = new Map(left)
  for (const [name, quantity] of right) {
    const before = result.get(name)
    result.set(name, before === undefined ? quantity : addQuantities(before, quantity))
  }
  return result
}

/** What `left` has more than `right`, never below zero; what only `right` has counts as nothing. */
export function increaseOf(left: Amounts, right: Amounts): Amounts {
  const result = new Map<string, Quantity>()
  for (const [name, quantity] of left) {
    const before = right.get(name)
    const difference = before === undefined ? quantity : subtractQuantities(quantity, before)
    result.set(name, isNegative(difference) ? NONE : difference)
  }
  return result
}

export function only(amounts: Amounts, names: { has(name: string): boolean }): Amounts {
  return new Map([...amounts].filter(([name]) => names.has(name)))
}

export function withoutZeros(amounts: Amounts): Amounts {
  return new Map([...amounts].filter(([, quantity]) => !isZero(quantity)))
}

export function negativeNames(amounts: Amounts): readonly string[] {
  return [...amounts].filter(([, quantity]) => isNegative(quantity)).map(([name]) => name)
}

/** The names of which there is more than `limits` allow; what has no limit is not among them. */
export function namesAbove(amounts: Amounts, limits: Amounts): ReadonlySet<string> {
  const above = [...amounts].filter(([name, quantity]) => {
    const limit = limits.get(name)
    return limit !== undefined && compareQuantities(quantity, limit) > 0
  })
  return new Set(above.map(([name]) => name))
}

export function sameAmounts(left: Amounts, right: Amounts): boolean {
  if (left.size !== right.size) return false
  return [...left].every(([name, quantity]) => right.get(name)?.nano === quantity.nano)
}

/** `cpu=1,memory=1Gi`, in order of names. */
export function amountsText(amounts: Amounts): string {
  return Object.entries(textsOf(amounts))
    .map(([name, text]) => `${name}=${text}`)
    .join(',')
}
