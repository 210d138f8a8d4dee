/** Whether the indexes that have succeeded are enough for a job's success policy. */

import { countIndexes } from '../../../apis/batch/index-intervals.ts'
import type { Job, SuccessPolicyRule } from '../../../apis/batch/types.gen.ts'
import { commonCount, type Indexes, readIndexes } from './intervals.ts'

/** The words of the first rule that is met. */
export function metSuccessRule({ spec }: Job, succeeded: Indexes): string | undefined {
  if (succeeded.length === 0) return undefined
  const index = (spec.successPolicy?.rules ?? []).findIndex((rule) => isMet(rule, spec.completions ?? 0, succeeded))
  return index < 0 ? undefined : `Matched rules at index ${index}`
}

function isMet(
  { succeededIndexes, succeededCount }: SuccessPolicyRule,
  completions: number,
  succeeded: Indexes,
): boolean {
  const isEnough = (count: number): boolean => succeededCount !== undefined && count >= succeededCount
  if (succeededIndexes === undefined) return isEnough(countIndexes(succeeded))
  const wanted = readIndexes(succeededIndexes, completions)
  if (wanted.length === 0) return false
  const common = commonCount(wanted, succeeded)
  return common === countIndexes(wanted) || isEnough(common)
}
