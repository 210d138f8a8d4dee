import { describe, expect, test } from 'vitest'
import type { ServiceSpec } from '../../apis/core/types.gen.ts'
import type { Endpoint } from '../../apis/discovery/types.gen.ts'
import { endpoint, service, slice } from '../test-objects.ts'
import { routesOf } from './service-table.ts'

const TERMINATING = { conditions: { ready: false, serving: true, terminating: true } }
const NOT_READY = { conditions: { ready: false, serving: false, terminating: false } }
const HERE = { nodeName: 'here' }

function backends(endpoints: readonly Endpoint[]) {
  const [route] = routesOf(service('web', { clusterIP: '10.96.0.1' }), [slice('web', endpoints)], 'here')
  const texts = (list: readonly { address: string }[] = []) => list.map(({ address }) => address)
  return [texts(route?.backends), texts(route?.localBackends)]
}

describe('the backends of a service', () => {
  for (const [behaviour, endpoints, all, local] of [
    ['are those that are ready', [endpoint('10.0.0.1'), endpoint('10.0.0.2', NOT_READY)], ['10.0.0.1'], []],
    ['are those that terminate only while no other is left', [endpoint('10.0.0.1', TERMINATING)], ['10.0.0.1'], []],
    ['leave out those that terminate', [endpoint('10.0.0.1', TERMINATING), endpoint('10.0.0.2')], ['10.0.0.2'], []],
    ['count as ready when nobody says', [endpoint('10.0.0.1', { conditions: {} })], ['10.0.0.1'], []],
    [
      'of this node are known',
      [endpoint('10.0.0.1', HERE), endpoint('10.0.0.2')],
      ['10.0.0.1', '10.0.0.2'],
      ['10.0.0.1'],
    ],
    [
      'fall back to terminating ones for this node alone',
      [endpoint('10.0.0.1', { ...HERE, ...TERMINATING }), endpoint('10.0.0.2')],
      ['10.0.0.2'],
      ['10.0.0.1'],
    ],
    [
      'appear once and in order',
      [endpoint('10.0.0.2'), endpoint('10.0.0.1'), endpoint('10.0.0.2')],
      ['10.0.0.1', '10.0.0.2'],
      [],
    ],
    ['are addresses, whatever a slice claims', [endpoint('10.0.0.1; flush ruleset'), endpoint('fd00::1')], [], []],
  ] as const)
    test(behaviour, () => expect(backends(endpoints)).toEqual([all, local]))
})

describe('the routes of a service', () => {
  const routes = (spec: Partial<ServiceSpec>) =>
    routesOf(service('web', spec, { status: { loadBalancer: { ingress: [{ ip: '172.30.0.9' }] } } }), [], 'here')

  test('there are none for headless services and other names', () => {
    expect(routes({ clusterIP: 'None' })).toEqual([])
    expect(routes({ type: 'ExternalName', externalName: 'example.com' })).toEqual([])
    expect(routes({})).toEqual([])
  })
  test('a port leads to the slice’s port of the same name and protocol', () => {
    const ports = [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    ] as const
    const numbers = [
      { name: 'dns', port: 5353, protocol: 'UDP' },
      { name: 'dns-tcp', port: 5354, protocol: 'TCP' },
    ] as const
    const found = routesOf(
      service('dns', { clusterIP: '10.96.0.10', ports }),
      [slice('dns', [endpoint('10.0.0.1')], { ports: numbers })],
      'here',
    )
    expect(found.map((route) => [route.id, route.backends[0]?.port])).toEqual([
      ['default/dns/udp/53', 5353],
      ['default/dns/tcp/53', 5354],
    ])
  })
  test('affinity lasts three hours unless the service says otherwise', () => {
    const clusterIP = '10.96.0.1'
    expect(routes({ clusterIP })[0]?.affinitySeconds).toBeUndefined()
    expect(routes({ clusterIP, sessionAffinity: 'ClientIP' })[0]?.affinitySeconds).toBe(10_800)
    const sessionAffinityConfig = { clientIP: { timeoutSeconds: 7 } }
    expect(routes({ clusterIP, sessionAffinity: 'ClientIP', sessionAffinityConfig })[0]?.affinitySeconds).toBe(7)
  })
  test('only a service of that type has node ports and balancers', () => {
    const common = { clusterIP: '10.96.0.1', ports: [{ port: 80, nodePort: 30080 }] }
    const seen = (type: ServiceSpec['type']) =>
      routes({ ...common, type }).map(({ nodePort, balancerAddresses }) => [nodePort, balancerAddresses])
    expect(seen('ClusterIP')).toEqual([[undefined, []]])
    expect(seen('NodePort')).toEqual([[30080, []]])
    expect(seen('LoadBalancer')).toEqual([[30080, ['172.30.0.9']]])
  })
})
