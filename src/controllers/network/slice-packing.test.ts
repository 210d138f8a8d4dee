import { describe, expect, test } from 'vitest'
import type { Endpoint, EndpointSlice } from '../../apis/discovery/types.gen.ts'
import { groupKey, packSlices } from './slice-packing.ts'

function endpoint(name: string, ready = true): Endpoint {
  return { addresses: [name], conditions: { ready }, targetRef: { kind: 'Pod', name } }
}

function slice(name: string, endpoints: readonly Endpoint[]): EndpointSlice {
  return { metadata: { name }, addressType: 'IPv4', endpoints, ports: [] }
}

const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((name) => endpoint(name)) as [
  Endpoint,
  Endpoint,
  Endpoint,
  Endpoint,
  Endpoint,
]

/** Slices of at most three endpoints, as `name: endpoints`. */
function pack(existing: readonly EndpointSlice[], desired: readonly Endpoint[]) {
  const names = (list: readonly Endpoint[]) => list.map(({ addresses }) => addresses[0]).join('')
  const packing = packSlices(existing, desired, 3)
  return {
    create: packing.create.map(names),
    update: packing.update.map(({ slice: { metadata }, endpoints }) => `${metadata.name}: ${names(endpoints)}`),
    delete: packing.delete.map(({ metadata }) => metadata.name),
    keep: packing.keep.map(({ metadata }) => metadata.name),
  }
}

const NOTHING = { create: [], update: [], delete: [], keep: [] }

describe('packing endpoints into slices', () => {
  for (const [behaviour, existing, desired, expected] of [
    ['writes nothing when all is as it should be', [slice('x', [a, b])], [b, a], { keep: ['x'] }],
    ['makes as many slices as are needed', [], [a, b, c, d], { create: ['abc', 'd'] }],
    [
      'fills a slice that has room for all that is new',
      [slice('x', [a]), slice('y', [b, c])],
      [a, b, c, d],
      { update: ['y: bcd'], keep: ['x'] },
    ],
    [
      'fills a slice that is written anyway first',
      [slice('x', [a, b, c]), slice('y', [d])],
      [a, b, d, e],
      { update: ['x: abe'], keep: ['y'] },
    ],
    [
      'makes a new slice rather than spreading over several',
      [slice('x', [a, b]), slice('y', [c])],
      [a, b, c, d, e, endpoint('f'), endpoint('g')],
      { create: ['def'], update: ['x: abg'], keep: ['y'] },
    ],
    ['removes slices that have become empty', [slice('x', [a]), slice('y', [b])], [b], { delete: ['x'], keep: ['y'] }],
    [
      'keeps an endpoint in place when only its condition changes',
      [slice('x', [a, b])],
      [endpoint('a', false), b],
      { update: ['x: ab'] },
    ],
    ['removes what is there twice', [slice('x', [a]), slice('y', [a, b])], [a, b], { update: ['y: b'], keep: ['x'] }],
  ] as const)
    test(behaviour, () => expect(pack(existing, desired)).toEqual({ ...NOTHING, ...expected }))
})

test('slices share endpoints when their ports are the same in any order', () => {
  const http = { name: 'http', port: 80, protocol: 'TCP' } as const
  const dns = { name: 'dns', port: 53, protocol: 'UDP' } as const
  const key = (ports: EndpointSlice['ports']) => groupKey({ addressType: 'IPv4', ports })
  expect(key([http, dns])).toBe(key([dns, http]))
  expect(key([http])).not.toBe(key([{ ...http, port: 81 }]))
  expect(key(null)).toBe(key([]))
})
