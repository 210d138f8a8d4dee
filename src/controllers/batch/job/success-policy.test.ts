import { expect, test } from 'vitest'
import { job } from '../../../../test/support/builders.ts'
import type { SuccessPolicyRule } from '../../../apis/batch/types.gen.ts'
import { readIndexes } from './intervals.ts'
import { metSuccessRule } from './success-policy.ts'

// The rows are those of upstream's tests.
const COMPLETIONS = 10
for (const [situation, succeeded, rules, met] of [
  ['no rules', '0', [], undefined],
  ['a rule that cannot be read', '0', [{ succeededIndexes: 'invalid-form' }], undefined],
  ['indexes that have succeeded', '0-2,4-7', [{ succeededIndexes: '0-2' }], 0],
  ['indexes that have not', '0-2', [{ succeededIndexes: '3' }], undefined],
  ['as many as are wanted', '0-2', [{ succeededCount: 2 }], 0],
  ['fewer than are wanted', '0-2', [{ succeededCount: 4 }], undefined],
  ['the second rule', '0-2,4-7', [{ succeededIndexes: '9' }, { succeededIndexes: '4,6' }], 1],
  ['both rules', '0-2,4-7', [{ succeededIndexes: '0,1' }, { succeededIndexes: '5' }], 0],
  ['enough of the indexes', '0-2,4-7', [{ succeededIndexes: '3-6', succeededCount: 2 }], 0],
  ['too few of the indexes', '0-2,6-7', [{ succeededIndexes: '3-6', succeededCount: 2 }], undefined],
  ['nothing that has succeeded', '', [{ succeededCount: 4 }], undefined],
  ['a proper subset', '1-5,6-9', [{ succeededIndexes: '2-4,6-8' }], 0],
  ['the same indexes', '2-4,6-9', [{ succeededIndexes: '2-4,6-9' }], 0],
  ['no indexes in the rule', '1-3', [{ succeededIndexes: '' }], undefined],
  ['an overlap at the first', '1-3', [{ succeededIndexes: '0-2' }], undefined],
  ['an overlap that is enough', '1-3', [{ succeededIndexes: '0-2', succeededCount: 2 }], 0],
] satisfies readonly (readonly [string, string, readonly SuccessPolicyRule[], number | undefined])[])
  test(situation, () => {
    const policy = job({ spec: { completions: COMPLETIONS, successPolicy: { rules } } })
    const expected = met === undefined ? undefined : `Matched rules at index ${met}`
    expect(metSuccessRule(policy, readIndexes(succeeded, COMPLETIONS))).toBe(expected)
  })
