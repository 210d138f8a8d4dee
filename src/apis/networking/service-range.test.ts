import { describe, expect, test } from 'vitest'
import { findings, row, updateFindings } from '../../../test/support/findings.ts'
import { ipAddresses } from './ip-address.ts'
import { serviceCidrs } from './service-cidr.ts'

const range = (...cidrs: readonly string[]) => ({ metadata: { name: 'kubernetes' }, spec: { cidrs } })

describe('service ranges', () => {
  test('are one of each family', () => {
    expect(findings(serviceCidrs, range('10.96.0.0/16', 'fd00::/108'))).toEqual([])
    expect(findings(serviceCidrs, range())).toEqual([
      'FieldValueRequired spec.cidrs: Required value: at least one CIDR required',
    ])
    expect(findings(serviceCidrs, range('10.96.0.1/16'))).toEqual([
      'FieldValueInvalid spec.cidrs[0]: Invalid value: "10.96.0.1/16": must not have bits set beyond the prefix length',
    ])
  })

  test('take a second family and nothing else', () => {
    const before = range('10.96.0.0/16')
    expect(updateFindings(serviceCidrs, range('10.96.0.0/16', 'fd00::/108'), before)).toEqual([])
    expect(updateFindings(serviceCidrs, range('10.97.0.0/16'), before)).toEqual([
      'FieldValueInvalid spec.cidrs: Invalid value: ["10.97.0.0/16"]: field is immutable',
    ])
  })
})

describe('addresses', () => {
  const parentRef = { resource: 'services', namespace: 'default', name: 'kubernetes' }

  test('are named in canonical form', () => {
    expect(ipAddresses.nameRule('10.96.0.1', false)).toEqual([])
    expect(ipAddresses.nameRule('fd00:0::1', false)).toEqual(['must be in canonical form ("fd00::1")'])
  })

  test('have a parent', () => {
    expect(findings(ipAddresses, { metadata: { name: '10.96.0.1' }, spec: {} })).toEqual([
      'FieldValueRequired spec.parentRef: Required value',
    ])
    expect(row(ipAddresses, { metadata: { name: '10.96.0.1' }, spec: { parentRef } })).toEqual({
      Name: '10.96.0.1',
      ParentRef: 'services/default/kubernetes',
    })
  })
})
