import { describe, expect, test } from 'vitest'
import type { Pod, Service } from '../../apis/core/types.gen.ts'
import type { EndpointSlice } from '../../apis/discovery/types.gen.ts'
import type { Action } from '../runtime/action.ts'
import { planEndpointSlices } from './endpoint-slice.ts'
import { pod, READY_AT, service } from './test-pods.ts'

const TERMINATING = { deletionTimestamp: '2026-01-01T00:01:00Z' }

function plan(of: Service, pods: readonly Pod[], slices: readonly EndpointSlice[] = []): readonly Action[] {
  return planEndpointSlices({ service: of, pods, slices }).actions
}

/** The one slice that a plan creates. */
function created(of: Service, ...pods: readonly Pod[]): EndpointSlice {
  const actions = plan(of, pods)
  const [action] = actions
  if (actions.length !== 1 || action?.do !== 'create') throw new Error(JSON.stringify(actions))
  return action.object as EndpointSlice
}

describe('the endpoint of a pod', () => {
  for (const [behaviour, one, spec, ready, serving, terminating] of [
    ['is ready with the pod', pod('a'), {}, true, true, false],
    ['is not ready before the pod', pod('a', { ready: false }), {}, false, false, false],
    ['is still serving while it terminates', pod('a', { metadata: TERMINATING }), {}, false, true, true],
    [
      'is ready early where the service wants that',
      pod('a', { ready: false }),
      { publishNotReadyAddresses: true },
      true,
      false,
      false,
    ],
  ] as const)
    test(behaviour, () => {
      const metadata = { ...one.metadata, namespace: 'default', name: 'a', uid: 'uid-a' }
      expect(created(service(spec), { ...one, metadata }).endpoints?.[0]?.conditions).toEqual({
        ready,
        serving,
        terminating,
      })
    })

  test('names the pod and its node', () => {
    expect(created(service(), pod('a')).endpoints).toEqual([
      {
        addresses: ['10.244.0.5'],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: 'node-0',
        targetRef: { kind: 'Pod', namespace: 'default', name: 'a', uid: 'uid-a' },
      },
    ])
  })
  test('has a hostname when the pod names the service as its subdomain', () => {
    const named = pod('a', { spec: { hostname: 'db-0', subdomain: 'web', containers: [] } })
    const elsewhere = pod('a', { spec: { hostname: 'db-0', subdomain: 'other', containers: [] } })
    expect(created(service(), named).endpoints?.[0]?.hostname).toBe('db-0')
    expect(created(service(), elsewhere).endpoints?.[0]?.hostname).toBeUndefined()
  })
  test('does not exist for pods that are over or have no address', () => {
    const slice = created(
      service(),
      pod('a', { phase: 'Succeeded' }),
      pod('b', { phase: 'Failed' }),
      pod('c', { ip: '' }),
    )
    expect(slice.endpoints).toEqual([])
  })
})

describe('the slices of a service', () => {
  test('carry the service’s labels, owner and name', () => {
    const { metadata, ports, addressType } = created(
      service({ clusterIP: 'None' }, { labels: { team: 'x' } }),
      pod('a'),
    )
    expect({ metadata, ports, addressType }).toEqual({
      metadata: {
        namespace: 'default',
        generateName: 'web-',
        labels: {
          team: 'x',
          'kubernetes.io/service-name': 'web',
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
          'service.kubernetes.io/headless': '',
        },
        ownerReferences: [
          {
            apiVersion: 'v1',
            kind: 'Service',
            name: 'web',
            uid: 'uid-web',
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
        annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z' },
      },
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      addressType: 'IPv4',
    })
  })
  test('are one empty one for a service without pods', () => {
    const { endpoints, ports } = created(service())
    expect({ endpoints, ports }).toEqual({ endpoints: [], ports: [] })
  })
  test('differ where a port’s name means different numbers', () => {
    const other = { name: 'app', image: 'app', ports: [{ name: 'http', containerPort: 9090 }] }
    const actions = plan(service(), [pod('a'), pod('b', { spec: { containers: [other] } })])
    const ports = actions.map((action) => (action.do === 'create' ? (action.object as EndpointSlice).ports : undefined))
    expect(ports.map((list) => list?.[0]?.port)).toEqual([8080, 9090])
  })

  const existing = (...pods: readonly Pod[]): EndpointSlice => {
    const slice = created(service(), ...pods)
    return { ...slice, metadata: { ...slice.metadata, name: 'web-1', uid: 'uid-1' } }
  }
  test('are left alone when nothing has changed', () => {
    expect(plan(service(), [pod('a')], [existing(pod('a'))])).toEqual([])
    expect(plan(service(), [], [existing()])).toEqual([])
  })
  test('are updated when a pod’s readiness changes, and say since when', () => {
    const [action] = plan(service(), [pod('a', { ready: false })], [existing(pod('a'))])
    if (action?.do !== 'update') throw new Error(JSON.stringify(action))
    expect(action.object.metadata.annotations).toEqual({ 'endpoints.kubernetes.io/last-change-trigger-time': READY_AT })
  })
  test('the empty one gives way to the first endpoint, and comes back after the last', () => {
    expect(plan(service(), [pod('a')], [existing()]).map((action) => action.do)).toEqual(['create', 'delete'])
    expect(plan(service(), [], [existing(pod('a'))]).map((action) => action.do)).toEqual(['create', 'delete'])
  })
  test('follow the service’s labels', () => {
    const relabelled = service({}, { labels: { team: 'y' } })
    expect(plan(relabelled, [pod('a')], [existing(pod('a'))]).map((action) => action.do)).toEqual(['update'])
    expect(plan(relabelled, [], [existing()]).map((action) => action.do)).toEqual(['update'])
  })
})
