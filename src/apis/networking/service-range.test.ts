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

  for (const [expected, ...cidrs] of [
    [
      'spec.cidrs: Invalid value: {"cidrs":["10.0.0.0/24","fd00::/64","10.0.1.0/24"]}: may only hold up to 2 values',
      '10.0.0.0/24',
      'fd00::/64',
      '10.0.1.0/24',
    ],
    [
      'spec.cidrs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one IP for each IP family, ' +
        'i.e 192.168.0.0/24 and 2001:db8::/64',
      '10.0.0.0/24',
      '10.0.1.0/24',
    ],
    ['spec.cidrs[0]: Invalid value: "FD00::/64": must be in canonical form ("fd00::/64")', 'FD00::/64'],
    ['spec.cidrs[0]: Invalid value: "010.0.0.0/24": must not have leading 0s in IP or prefix length', '010.0.0.0/24'],
    [
      'spec.cidrs[0]: Invalid value: "::ffff:10.0.0.0/112": must not have an IPv4-mapped IPv6 address',
      '::ffff:10.0.0.0/112',
    ],
    [
      'spec.cidrs[0]: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      '10.0.0.0',
    ],
  ] as const) {
    test(`refuse ${cidrs.join(' ')}`, () =>
      expect(findings(serviceCidrs, range(...cidrs))).toEqual([`FieldValueInvalid ${expected}`]))
  }

  test('take a second family and nothing else', () => {
    const before = range('10.96.0.0/16')
    expect(updateFindings(serviceCidrs, range('10.96.0.0/16', 'fd00::/108'), before)).toEqual([])
    expect(updateFindings(serviceCidrs, range('10.97.0.0/16'), before)).toEqual([
      'FieldValueInvalid spec.cidrs[0]: Invalid value: "10.97.0.0/16": field is immutable',
    ])
    expect(updateFindings(serviceCidrs, before, range('10.96.0.0/16', 'fd00::/108'))).toEqual([
      'FieldValueInvalid spec.cidrs: Invalid value: ["10.96.0.0/16"]: field is immutable',
    ])
  })
})

describe('addresses', () => {
  const parentRef = { resource: 'services', namespace: 'default', name: 'kubernetes' }

  test('are named in canonical form', () => {
    expect(ipAddresses.nameRule('10.96.0.1', false)).toEqual([])
    expect(ipAddresses.nameRule('fd00:0::1', false)).toEqual(['must be in canonical form ("fd00::1")'])
    expect(ipAddresses.nameRule('10.96.0.01', false)).toEqual(['must not have leading 0s'])
    expect(ipAddresses.nameRule('::ffff:10.96.0.1', false)).toEqual(['must not be an IPv4-mapped IPv6 address'])
    expect(ipAddresses.nameRule('ten', false)).toEqual([
      'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ])
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
