import { expect, test } from 'vitest'
import { findings, row } from '../../../test/support/findings.ts'
import { podDisruptionBudgets } from './pod-disruption-budget.ts'

const budget = (spec: object) => ({ metadata: { name: 'web', namespace: 'default' }, spec })

const rules: readonly (readonly [behaviour: string, spec: object, expected: readonly string[]])[] = [
  ['either bound will do', { minAvailable: '50%' }, []],
  [
    'not both bounds',
    { minAvailable: 1, maxUnavailable: 1 },
    [
      'FieldValueInvalid spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: ' +
        'minAvailable and maxUnavailable cannot be both set',
    ],
  ],
  [
    'not more than all',
    { maxUnavailable: '101%' },
    ['FieldValueInvalid spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
  ],
  [
    'a known policy for pods that are not healthy',
    { unhealthyPodEvictionPolicy: 'Never' },
    [
      'FieldValueNotSupported spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": ' +
        'supported values: "AlwaysAllow", "IfHealthyBudget"',
    ],
  ],
]

for (const [behaviour, spec, expected] of rules)
  test(behaviour, () => expect(findings(podDisruptionBudgets, budget(spec))).toEqual(expected))

test('a row shows the bound that counts', () => {
  expect(row(podDisruptionBudgets, budget({ minAvailable: '50%' }))).toMatchObject({
    'Min Available': '50%',
    'Max Unavailable': 'N/A',
    'Allowed Disruptions': 0,
  })
})
