import { describe, expect, test } from 'vitest'
import type { Pod } from '../../apis/core/types.gen.ts'
import { hostPortsOf } from './host-ports.ts'
import { hostPortFragment, mergeFragments, type Ruleset, serviceFragment } from './ruleset.ts'
import { EMPTY_RULESET, rulesetChange } from './ruleset-change.ts'
import type { Backend, ServiceRoute } from './service-table.ts'

const RANGES = { clusterPodCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16' }
const A: Backend = { address: '10.244.0.5', port: 8080 }
const B: Backend = { address: '10.244.1.5', port: 8080 }

function route(changes: Partial<ServiceRoute> = {}): ServiceRoute {
  return {
    id: 'default/web/tcp/80',
    protocol: 'tcp',
    port: 80,
    clusterAddresses: ['10.96.0.1'],
    externalAddresses: [],
    balancerAddresses: [],
    nodePort: undefined,
    backends: [A, B],
    localBackends: [],
    internalPolicy: 'Cluster',
    externalPolicy: 'Cluster',
    affinitySeconds: undefined,
    sourceRanges: [],
    ...changes,
  }
}

function rules(...changes: Partial<ServiceRoute>[]): Ruleset {
  return mergeFragments(changes.map((change) => serviceFragment(route(change), RANGES)))
}

function plain({ chains, elements }: Ruleset) {
  const tables = [...elements].map(([table, entries]) => [table, Object.fromEntries(entries)])
  return { chains: Object.fromEntries(chains), ...Object.fromEntries(tables) }
}

describe('the rules of a service', () => {
  test('one lookup leads to a choice among the backends', () => {
    expect(plain(rules({}))).toEqual({
      chains: {
        'service/default/web/tcp/80': [
          'meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.244.0.5 . 8080, 1 : 10.244.1.5 . 8080 }',
        ],
      },
      'service-ports': { '10.96.0.1 . tcp . 80': 'goto service/default/web/tcp/80' },
    })
  })
  test('without backends it is refused wherever it could be asked for', () => {
    const nobody = { backends: [], nodePort: 30080, externalAddresses: ['192.0.2.7'] }
    expect(plain(rules(nobody))).toEqual({
      chains: {},
      'unserved-ports': { '10.96.0.1 . tcp . 80': '', '192.0.2.7 . tcp . 80': '' },
      'unserved-node-ports': { 'tcp . 30080': '' },
    })
  })
  test('traffic from outside is masqueraded, or kept on the node', () => {
    const outside = (changes: Partial<ServiceRoute>) =>
      rules({ nodePort: 30080, ...changes }).chains.get('external/default/web/tcp/80')
    const mark = 'meta mark set meta mark or 0x4000'
    const everywhere = 'goto service/default/web/tcp/80'
    expect(outside({})).toEqual([mark, everywhere])
    const fromInside = [`ip saddr 10.244.0.0/16 ${everywhere}`, `fib saddr type local ${mark} ${everywhere}`]
    expect(outside({ externalPolicy: 'Local' })).toEqual([...fromInside, 'drop'])
    expect(outside({ externalPolicy: 'Local', localBackends: [A] })).toEqual([
      ...fromInside,
      'goto local/default/web/tcp/80',
    ])
  })
  test('inside traffic stays on the node where the service wants that', () => {
    const verdict = (localBackends: readonly Backend[]) =>
      plain(rules({ internalPolicy: 'Local', localBackends }))['service-ports']
    expect(verdict([])).toEqual({ '10.96.0.1 . tcp . 80': 'drop' })
    expect(verdict([A])).toEqual({ '10.96.0.1 . tcp . 80': 'goto local/default/web/tcp/80' })
  })
  test('a balancer’s sources may be restricted', () => {
    const guarded = rules({ balancerAddresses: ['172.30.0.9'], sourceRanges: ['192.0.2.0/24'] })
    expect(guarded.chains.get('guard/default/web/tcp/80')?.[0]).toBe('ip saddr != { 192.0.2.0/24 } drop')
    expect(guarded.elements.get('service-ports')?.get('172.30.0.9 . tcp . 80')).toBe('goto guard/default/web/tcp/80')
  })
  test('a service cannot take the address of another by claiming it as external', () => {
    const thief = {
      id: 'a/thief/tcp/80',
      clusterAddresses: ['10.96.0.9'],
      externalAddresses: ['10.96.0.1', '192.0.2.1'],
    }
    const idle = {
      id: 'a/idle/tcp/80',
      clusterAddresses: ['10.96.0.8'],
      backends: [],
      externalAddresses: ['192.0.2.1'],
    }
    const all = rules(thief, idle, {})
    expect(all.elements.get('service-ports')?.get('10.96.0.1 . tcp . 80')).toBe('goto service/default/web/tcp/80')
    expect(all.elements.get('service-ports')?.has('192.0.2.1 . tcp . 80')).toBe(true)
    expect(all.elements.get('unserved-ports')?.has('192.0.2.1 . tcp . 80')).toBe(false)
  })
  test('backends of this node may reach themselves', () => {
    expect(plain(rules({ localBackends: [A] })).hairpins).toEqual({ '10.244.0.5 . 10.244.0.5': '' })
  })
})

describe('host ports', () => {
  test('lead to the pod, on one address or on all, and not for pods on the node’s own network', () => {
    const pod = (hostNetwork: boolean): Pod => ({
      metadata: { name: 'a' },
      spec: {
        hostNetwork,
        containers: [
          {
            name: 'app',
            image: 'app',
            ports: [
              { containerPort: 53, hostPort: 5353, protocol: 'UDP' },
              { containerPort: 80, hostPort: 8080, hostIP: '127.0.0.1' },
              { containerPort: 81 },
            ],
          },
        ],
      },
      status: { phase: 'Running', podIP: '10.244.0.5' },
    })
    expect(hostPortsOf(pod(true))).toEqual([])
    expect(plain(mergeFragments([hostPortFragment(hostPortsOf(pod(false)))]))).toEqual({
      chains: {},
      'host-ports': { 'udp . 5353': '10.244.0.5 . 53' },
      'host-address-ports': { '127.0.0.1 . tcp . 8080': '10.244.0.5 . 80' },
      hairpins: { '10.244.0.5 . 10.244.0.5': '' },
    })
  })
})

describe('a change of the rules', () => {
  test('is empty when nothing differs', () => {
    expect(rulesetChange(rules({}), rules({}))).toBe('')
  })
  test('makes what is referred to first and removes it last', () => {
    const text = rulesetChange(EMPTY_RULESET, rules({}))
    expect(text.indexOf('add chain')).toBeLessThan(text.indexOf('add element'))
    const back = rulesetChange(rules({}), EMPTY_RULESET)
    expect(back.indexOf('delete element')).toBeLessThan(back.indexOf('delete chain'))
  })
  test('of one service leaves the others, and the clients they remember, alone', () => {
    const sticky = { id: 'default/sticky/tcp/80', clusterAddresses: ['10.96.0.2'], affinitySeconds: 60 }
    const text = rulesetChange(rules(sticky, {}), rules(sticky, { backends: [A] }))
    expect(text).not.toContain('sticky')
    expect(text).toContain('flush chain ip t8s-proxy service/default/web/tcp/80')
  })
  test('forgets only the clients of the backend that went', () => {
    const text = rulesetChange(rules({ affinitySeconds: 60 }), rules({ affinitySeconds: 60, backends: [A] }))
    expect(text).toContain('delete set ip t8s-proxy clients/60/default/web/tcp/80/10.244.1.5/8080\n')
    expect(text).not.toContain('add set')
  })
})
