/** Comparing secrets. */

import { timingSafeEqual } from 'node:crypto'

/** Takes as long whether they differ early or late. */
export function isSame(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
