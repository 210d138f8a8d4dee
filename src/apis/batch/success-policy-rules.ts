/** The rules of a success policy: which indexes, or how many, are enough. */

import {
  type FieldError,
  type FieldPath,
  invalidValue,
  required,
  tooLong,
  tooMany,
} from '../../machinery/meta/field-error.ts'
import { byteLength } from '../../machinery/meta/names.ts'
import { nonNegative } from '../field-rules.ts'
import { countIndexes, parseIndexes } from './index-intervals.ts'
import type { JobSpec, SuccessPolicyRule } from './types.gen.ts'

const RULES_MAX = 20
const INDEXES_BYTES_MAX = 64 * 1024

export function successPolicyErrors(spec: JobSpec, path: FieldPath): readonly FieldError[] {
  const rulesPath = path.child('rules')
  const rules = spec.successPolicy?.rules ?? []
  if (rules.length === 0)
    return [required(rulesPath, 'at least one rules must be specified when the successPolicy is specified')]
  // Without completions there is nothing to compare with, and that has been reported.
  const completions = spec.completions ?? 0
  return [
    ...(rules.length > RULES_MAX ? [tooMany(rulesPath, rules.length, RULES_MAX)] : []),
    ...rules.flatMap((rule, index) => ruleErrors(rule, completions, rulesPath.index(index))),
  ]
}

function ruleErrors(rule: SuccessPolicyRule, completions: number, path: FieldPath): readonly FieldError[] {
  const { succeededCount, succeededIndexes } = rule
  if (succeededCount === undefined && succeededIndexes === undefined)
    return [required(path, 'at least one of succeededCount or succeededIndexes must be specified')]
  const indexes = succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes, completions)
  const errors: FieldError[] = []
  const indexesPath = path.child('succeededIndexes')
  if (succeededIndexes !== undefined && byteLength(succeededIndexes) > INDEXES_BYTES_MAX)
    errors.push(tooLong(indexesPath, INDEXES_BYTES_MAX))
  if (typeof indexes === 'string')
    errors.push(invalidValue(indexesPath, succeededIndexes, `error parsing succeededIndexes: ${indexes}`))
  if (succeededCount === undefined) return errors
  const countPath = path.child('succeededCount')
  errors.push(...nonNegative(countPath, succeededCount))
  if (succeededCount > completions)
    errors.push(tooHigh(countPath, succeededCount, completions, 'specified completions'))
  const total = Array.isArray(indexes) ? countIndexes(indexes) : 0
  if (indexes !== undefined && succeededCount > total) {
    const what = 'indexes in the specified succeededIndexes field'
    errors.push(tooHigh(countPath, succeededCount, total, what))
  }
  return errors
}

function tooHigh(path: FieldPath, count: number, limit: number, what: string): FieldError {
  return invalidValue(path, count, `must be less than or equal to ${limit} (the number of ${what})`)
}
