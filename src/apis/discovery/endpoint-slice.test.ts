import { describe, expect, test } from 'vitest'
import { findings, row, type Sent, updateFindings, writeContext } from '../../../test/support/findings.ts'
import { endpointSlices } from './endpoint-slice.ts'

const slice = (changes: object = {}): Sent => ({
  metadata: { name: 'web-1', namespace: 'default', generation: 1 },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.0.1'] }],
  ports: [{ port: 80 }],
  ...changes,
})

const many = (count: number): readonly object[] => Array.from({ length: count }, () => ({ addresses: ['10.0.0.1'] }))

describe('rules', () => {
  const rules: readonly (readonly [behaviour: string, changes: object, expected: readonly string[]])[] = [
    ['accepts the smallest one', {}, []],
    ['demands a family', { addressType: undefined }, ['FieldValueRequired addressType: Required value']],
    [
      'refuses addresses of another family',
      { endpoints: [{ addresses: ['fd00::1'] }] },
      ['FieldValueInvalid endpoints[0].addresses: Invalid value: "fd00::1": must be an IPv4 address'],
    ],
    [
      'refuses what is no address',
      { endpoints: [{ addresses: ['web'] }] },
      [
        'FieldValueInvalid endpoints[0].addresses[0]: Invalid value: "web": ' +
          'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    [
      'refuses an IPv6 address in another than the canonical form',
      { addressType: 'IPv6', endpoints: [{ addresses: ['FD00::1'] }] },
      ['FieldValueInvalid endpoints[0].addresses[0]: Invalid value: "FD00::1": must be in canonical form ("fd00::1")'],
    ],
    [
      'takes a zone as a value of labels, and once',
      { endpoints: [{ addresses: ['10.0.0.1'], hints: { forZones: [{ name: 'Zone_A' }, { name: 'Zone_A' }] } }] },
      ['FieldValueDuplicate endpoints[0].hints.forZones[1].name: Duplicate value: "Zone_A"'],
    ],
    [
      'demands an address',
      { endpoints: [{ addresses: [] }] },
      ['FieldValueRequired endpoints[0].addresses: Required value: must contain at least 1 address'],
    ],
    [
      'refuses more than 1,000 endpoints',
      { endpoints: many(1001) },
      ['FieldValueTooMany endpoints: Too many: 1001: must have at most 1000 items'],
    ],
    [
      'refuses two ports without a name',
      { ports: [{ port: 80 }, { port: 81 }] },
      ['FieldValueDuplicate ports[1].name: Duplicate value: ""'],
    ],
    [
      'refuses a name of one label as an FQDN',
      { addressType: 'FQDN', endpoints: [{ addresses: ['localhost'] }] },
      [
        'FieldValueInvalid endpoints[0].addresses[0]: Invalid value: "localhost": ' +
          'should be a domain with at least two segments separated by dots',
      ],
    ],
  ]
  for (const [behaviour, changes, expected] of rules)
    test(behaviour, () => expect(findings(endpointSlices, slice(changes))).toEqual(expected))

  test('keeps its family', () => {
    expect(updateFindings(endpointSlices, slice({ addressType: 'IPv6' }), slice())).toEqual([
      'FieldValueInvalid addressType: Invalid value: "IPv6": field is immutable',
    ])
  })
})

test('counts a generation for new labels and endpoints, not for annotations', () => {
  const before = endpointSlices.default(slice() as never)
  const generation = (changes: object) =>
    endpointSlices.prepareForUpdate({ ...before, ...changes }, before, writeContext).metadata.generation
  expect(generation({ metadata: { ...before.metadata, labels: { a: 'b' } } })).toBe(2)
  expect(generation({ endpoints: [] })).toBe(2)
  expect(generation({ metadata: { ...before.metadata, annotations: { a: 'b' } } })).toBe(1)
})

test('a row shows three of each', () => {
  const endpoints = ['1', '2', '3', '4'].map((last) => ({ addresses: [`10.0.0.${last}`] }))
  expect(row(endpointSlices, slice({ endpoints }))).toMatchObject({
    AddressType: 'IPv4',
    Ports: '80',
    Endpoints: '10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...',
  })
  expect(row(endpointSlices, slice({ endpoints: [], ports: [] }))).toMatchObject({
    Ports: '<unset>',
    Endpoints: '<unset>',
  })
})
