/**
 * Amounts of resources as numbers, for arithmetic in the inner loop: CPU in thousandths, everything else in
 * whole units. Doubles hold them exactly up to 2^53 (8 PiB).
 */

import { type Quantity, quantityMilliValue, quantityOf, quantityValue } from '../machinery/meta/quantity.ts'

export type Amounts = ReadonlyMap<string, number>

export function amountOf(name: string, quantity: Quantity): number {
  return name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity)
}

export function amountsOf(list: Readonly<Record<string, string>> | undefined): Amounts {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, amountOf(name, quantityOf(text))]))
}

/** `left + sign × right`; what comes to nothing is dropped. */
export function combined(left: Amounts, right: Amounts, sign: 1 | -1): Amounts {
  const result = new Map(left)
  for (const [name, amount] of right) {
    const sum = (result.get(name) ?? 0) + sign * amount
    if (sum === 0) result.delete(name)
    else result.set(name, sum)
  }
  return result
}

/** As a user would write it: `1400m`, `2`, `512Mi`. */
export function amountText(name: string, amount: number): string {
  if (name === 'cpu') return amount % 1000 === 0 ? String(amount / 1000) : `${amount}m`
  for (const [suffix, size] of BINARY_UNITS) {
    if (amount >= size && amount % size === 0) return `${amount / size}${suffix}`
  }
  return String(amount)
}

const BINARY_UNITS = [
  ['Ti', 2 ** 40],
  ['Gi', 2 ** 30],
  ['Mi', 2 ** 20],
  ['Ki', 2 ** 10],
] as const
