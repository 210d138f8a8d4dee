import { expect, test } from 'vitest'
import { findings, updateFindings } from '../../../test/support/findings.ts'
import { priorityClasses } from './priority-class.ts'

const rules: readonly (readonly [behaviour: string, name: string, value: number, expected: readonly string[]])[] = [
  ['a user defines priorities up to a billion', 'high', 1_000_000_000, []],
  [
    'more is for the system',
    'high',
    1_000_000_001,
    ['FieldValueForbidden value: Forbidden: maximum allowed value of a user defined priority is 1000000000'],
  ],
  ['the system has its own classes', 'system-node-critical', 2_000_001_000, []],
  [
    'the names of the system are reserved',
    'system-mine',
    1,
    [
      "FieldValueForbidden metadata.name: Forbidden: priority class names with 'system-' prefix are reserved " +
        'for system use only. error: system-mine is not a known system priority class',
    ],
  ],
]

for (const [behaviour, name, value, expected] of rules)
  test(behaviour, () => expect(findings(priorityClasses, { metadata: { name }, value })).toEqual(expected))

test('a value stays', () => {
  const metadata = { name: 'high' }
  expect(updateFindings(priorityClasses, { metadata, value: 2 }, { metadata, value: 1 })).toEqual([
    'FieldValueForbidden value: Forbidden: may not be changed in an update.',
  ])
})
