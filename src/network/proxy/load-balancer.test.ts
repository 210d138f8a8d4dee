import { describe, expect, test } from 'vitest'
import type { Service, ServiceSpec } from '../../apis/core/types.gen.ts'
import { parseCidr } from '../../base/ip.ts'
import { service } from '../test-objects.ts'
import { announcements, planBalancers } from './load-balancer.ts'

const NETWORK = parseCidr('172.30.0.0/24') ?? { family: 4, base: 0n, prefixLength: 0 }

function balanced(name: string, address?: string, spec: Partial<ServiceSpec> = {}): Service {
  const ingress = address === undefined ? [] : [{ ip: address }]
  return service(name, { type: 'LoadBalancer', ...spec }, { status: { loadBalancer: { ingress } } })
}

function changes(all: readonly Service[], taken: readonly string[] = []) {
  return planBalancers(all, NETWORK, taken).changes.map(({ service: { metadata }, address }) => [
    metadata.name,
    address,
  ])
}

describe('the addresses of load balancers', () => {
  for (const [behaviour, all, expected] of [
    [
      'come from the end of the network',
      [balanced('a'), balanced('b')],
      [
        ['a', '172.30.0.254'],
        ['b', '172.30.0.253'],
      ],
    ],
    ['stay where they are', [balanced('a'), balanced('b', '172.30.0.254')], [['a', '172.30.0.253']]],
    ['are as wished', [balanced('a', undefined, { loadBalancerIP: '172.30.0.99' })], [['a', '172.30.0.99']]],
    ['are not those of another network', [balanced('a', '10.0.0.1')], [['a', '172.30.0.254']]],
    [
      'are left to others for services of a class',
      [balanced('a', undefined, { loadBalancerClass: 'example.com/x' })],
      [],
    ],
    ['are taken back when the type changes', [balanced('a', '172.30.0.254', { type: 'NodePort' })], [['a', undefined]]],
  ] as const)
    test(behaviour, () => expect(changes(all)).toEqual(expected))

  test('are never those of nodes', () => {
    expect(changes([balanced('a')], ['172.30.0.254'])).toEqual([['a', '172.30.0.253']])
  })
  test('two services cannot have the same one', () => {
    expect(changes([balanced('a', '172.30.0.7'), balanced('b', '172.30.0.7')])).toEqual([['b', '172.30.0.254']])
  })
  test('a wish for what is taken is reported', () => {
    const all = [balanced('a', '172.30.0.7'), balanced('b', undefined, { loadBalancerIP: '172.30.0.7' })]
    expect(planBalancers(all, NETWORK, []).failed.map(({ metadata }) => metadata.name)).toEqual(['b'])
  })
})

describe('announcements', () => {
  const address = (local: string, prefixlen: number) => ({ local, prefixlen })
  const interfaces = [
    { ifname: 'lo', addr_info: [address('127.0.0.1', 8)] },
    { ifname: 'eth0', addr_info: [address('172.30.0.2', 24), address('172.30.0.254', 32), address('10.0.0.9', 32)] },
  ]
  test('add what is missing and remove what is no longer wanted, on the node’s own interface', () => {
    expect(announcements(interfaces, '172.30.0.2', NETWORK, ['172.30.0.253'])).toEqual([
      'address del 172.30.0.254/32 dev eth0',
      'address add 172.30.0.253/32 dev eth0',
    ])
    expect(announcements(interfaces, '172.30.0.2', NETWORK, ['172.30.0.254'])).toEqual([])
  })
})
