import { expect, test } from 'vitest'
import type { Endpoints } from '../../apis/core/types.gen.ts'
import type { EndpointSlice } from '../../apis/discovery/types.gen.ts'
import { planMirroring } from './endpoint-slice-mirroring.ts'

const HAND_WRITTEN: Endpoints = {
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: {
    namespace: 'default',
    name: 'web',
    uid: 'uid-web',
    labels: { team: 'x' },
    annotations: { note: 'kept', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
  },
  subsets: [
    {
      addresses: [{ ip: '10.0.0.1' }],
      notReadyAddresses: [{ ip: '10.0.0.2' }],
      ports: [{ port: 80, protocol: 'TCP' }],
    },
    { addresses: [{ ip: 'fd00::1' }], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
  ],
}

function mirrored(endpoints: Endpoints): readonly EndpointSlice[] {
  const { actions } = planMirroring({ endpoints, slices: [] })
  return actions.flatMap((action, index) => {
    if (action.do !== 'create') return []
    return [{ ...(action.object as EndpointSlice), metadata: { ...action.object.metadata, name: `web-${index}` } }]
  })
}

test('mirrors every subset, by family of addresses', () => {
  const [first, second, ...others] = mirrored(HAND_WRITTEN)
  expect(others).toEqual([])
  expect(first).toEqual({
    metadata: {
      namespace: 'default',
      name: 'web-0',
      generateName: 'web-',
      labels: {
        team: 'x',
        'kubernetes.io/service-name': 'web',
        'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
      },
      annotations: { note: 'kept' },
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'Endpoints',
          name: 'web',
          uid: 'uid-web',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    addressType: 'IPv4',
    endpoints: [
      { addresses: ['10.0.0.1'], conditions: { ready: true } },
      { addresses: ['10.0.0.2'], conditions: { ready: false } },
    ],
    ports: [{ name: '', port: 80, protocol: 'TCP' }],
  })
  expect(second?.addressType).toBe('IPv6')
})

test('writes nothing when the mirror is right', () => {
  expect(planMirroring({ endpoints: HAND_WRITTEN, slices: mirrored(HAND_WRITTEN) }).actions).toEqual([])
})

test('follows changes, and removes the mirror with what it showed', () => {
  const slices = mirrored(HAND_WRITTEN)
  const fewer = { ...HAND_WRITTEN, subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] }
  expect(planMirroring({ endpoints: fewer, slices }).actions.map((action) => action.do)).toEqual(['update', 'delete'])
  expect(planMirroring({ endpoints: undefined, slices }).actions.map((action) => action.do)).toEqual([
    'delete',
    'delete',
  ])
})
