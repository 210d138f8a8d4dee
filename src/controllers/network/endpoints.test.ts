import { describe, expect, test } from 'vitest'
import type { Endpoints, Pod, Service } from '../../apis/core/types.gen.ts'
import { planEndpoints } from './endpoints.ts'
import { pod, service } from './test-pods.ts'

function written(of: Service, pods: readonly Pod[], existing?: Endpoints): Endpoints | undefined {
  const [action] = planEndpoints({ service: of, pods, existing }).actions
  return action?.do === 'create' || action?.do === 'update' ? (action.object as Endpoints) : undefined
}

function addresses(of: Service, ...pods: readonly Pod[]) {
  return written(of, pods)?.subsets?.map((subset) => [
    subset.addresses?.map(({ ip }) => ip) ?? [],
    subset.notReadyAddresses?.map(({ ip }) => ip) ?? [],
    subset.ports?.map(({ port }) => port) ?? [],
  ])
}

const PORT_9090 = { containers: [{ name: 'app', image: 'app', ports: [{ name: 'http', containerPort: 9090 }] }] }
const TERMINATING = { namespace: 'default', name: 'b', uid: 'b', deletionTimestamp: '2026-01-01T00:01:00Z' }

describe('the subsets of a service', () => {
  const a = pod('a', { ip: '10.0.0.1' })
  for (const [behaviour, of, pods, expected] of [
    ['are none without pods', service(), [], []],
    [
      'tell ready and unready addresses apart',
      service(),
      [a, pod('b', { ip: '10.0.0.2', ready: false })],
      [[['10.0.0.1'], ['10.0.0.2'], [8080]]],
    ],
    [
      'call all of them ready where the service wants that',
      service({ publishNotReadyAddresses: true }),
      [pod('b', { ip: '10.0.0.2', ready: false })],
      [[['10.0.0.2'], [], [8080]]],
    ],
    [
      'leave out pods that terminate',
      service(),
      [a, pod('b', { ip: '10.0.0.2', metadata: TERMINATING })],
      [[['10.0.0.1'], [], [8080]]],
    ],
    [
      'are one for each list of ports',
      service(),
      [a, pod('b', { ip: '10.0.0.2', spec: PORT_9090 })],
      [
        [['10.0.0.1'], [], [8080]],
        [['10.0.0.2'], [], [9090]],
      ],
    ],
    [
      'have no ports for a headless service without any',
      service({ clusterIP: 'None', ports: [] }),
      [a],
      [[['10.0.0.1'], [], []]],
    ],
    ['leave out pods without the port', service({ ports: [{ port: 80, targetPort: 'admin' }] }), [a], []],
  ] as const)
    test(behaviour, () => expect(addresses(of, ...pods)).toEqual(expected))

  test('hold at most 1,000 addresses, ready ones first, and say so', () => {
    const many = Array.from({ length: 1_001 }, (_, index) =>
      pod(`p${index}`, { ip: `10.0.${index >> 8}.${index & 255}`, ready: index !== 0 }),
    )
    const endpoints = written(service(), many)
    expect(endpoints?.subsets?.[0]?.addresses).toHaveLength(1_000)
    expect(endpoints?.subsets?.[0]?.notReadyAddresses).toBeUndefined()
    expect(endpoints?.metadata.annotations?.['endpoints.kubernetes.io/over-capacity']).toBe('truncated')
  })
})

describe('Endpoints', () => {
  test('say who manages them and since when', () => {
    expect(written(service({ clusterIP: 'None' }, { labels: { team: 'x' } }), [])?.metadata).toEqual({
      namespace: 'default',
      name: 'web',
      labels: {
        team: 'x',
        'endpoints.kubernetes.io/managed-by': 'endpoint-controller',
        'service.kubernetes.io/headless': '',
      },
      annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z' },
    })
  })
  test('are left alone when nothing has changed, and repaired when somebody else changed them', () => {
    const existing = written(service(), [pod('a')])
    expect(written(service(), [pod('a')], existing)).toBeUndefined()
    expect(written(service(), [pod('a')], existing && { ...existing, subsets: [] })?.subsets).toEqual(existing?.subsets)
  })
  test('go with their service', () => {
    const existing = written(service(), [])
    const actions = planEndpoints({ service: undefined, pods: [], existing }).actions
    expect(actions.map((action) => action.do)).toEqual(['delete'])
    expect(planEndpoints({ service: undefined, pods: [], existing: undefined }).actions).toEqual([])
  })
})
