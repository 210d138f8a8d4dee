import { expect, test } from 'vitest'
import { findings, row } from '../../../test/support/findings.ts'
import { leases } from './lease.ts'

const lease = (spec: object) => ({ metadata: { name: 'node-1', namespace: 'kube-node-lease' }, spec })

test('a lease lasts some time and changes hands forwards', () => {
  expect(findings(leases, lease({ leaseDurationSeconds: 40, leaseTransitions: 0 }))).toEqual([])
  expect(findings(leases, lease({ leaseDurationSeconds: 0, leaseTransitions: -1 }))).toEqual([
    'FieldValueInvalid spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
    'FieldValueInvalid spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
  ])
})

test('a row shows the holder', () => {
  expect(row(leases, lease({ holderIdentity: 'node-1' }))).toMatchObject({ Name: 'node-1', Holder: 'node-1' })
})
