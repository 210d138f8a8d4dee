/** Shares of a rolling update that workloads have in common. */

import { type IntOrString, percentOf } from '../../machinery/meta/int-or-string.ts'

/** True for 0 and for 0%. */
export function rollsToNothing(value: IntOrString): boolean {
  return (typeof value === 'number' ? value : (percentOf(value) ?? 0)) === 0
}
