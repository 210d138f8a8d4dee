import { describe, expect, test } from 'vitest'
import type { IPAddress, ServiceCIDR } from '../../apis/networking/types.gen.ts'
import { planIpAddresses } from './ip-addresses.ts'
import { planServiceCidr } from './service-cidr.ts'
import { service } from './test-pods.ts'

const NOW = Date.UTC(2026, 0, 1)

describe('a service range', () => {
  const range = (...cidrs: string[]): ServiceCIDR => ({ metadata: { name: 'kubernetes' }, spec: { cidrs } })
  const statuses = (one: ServiceCIDR) =>
    planServiceCidr({ range: one, allocated: ['10.96.0.0/16'] }, NOW).actions.map((action) =>
      action.do === 'update-status' ? (action.object as ServiceCIDR).status : undefined,
    )
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: '',
    message: 'Kubernetes Service CIDR is ready',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  } as const

  test('that addresses are taken from is ready, and told so once', () => {
    expect(statuses(range('10.96.0.0/16'))).toEqual([{ conditions: [ready] }])
    expect(statuses({ ...range('10.96.0.0/16'), status: { conditions: [ready] } })).toEqual([])
  })
  test('that nothing is taken from is not', () => {
    expect(statuses(range('10.97.0.0/16'))).toEqual([])
    expect(statuses(range('10.96.0.0/16', 'fd00::/112'))).toEqual([])
  })
})

describe('the IPAddresses of a service', () => {
  const web = service({ clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'] })
  const nobody = new Set<string>()
  const written: IPAddress = {
    metadata: {
      name: '10.96.0.1',
      labels: {
        'ipaddress.kubernetes.io/ip-family': 'IPv4',
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      },
    },
    spec: { parentRef: { group: '', resource: 'services', namespace: 'default', name: 'web' } },
  }

  test('are written for its cluster IPs', () => {
    const { actions } = planIpAddresses({ service: web, existing: [], foreign: nobody })
    expect(actions).toMatchObject([{ do: 'create', object: written }])
    expect(planIpAddresses({ service: web, existing: [written], foreign: nobody }).actions).toEqual([])
  })
  test('are none for a headless service', () => {
    const headless = service({ clusterIP: 'None', clusterIPs: ['None'] })
    expect(planIpAddresses({ service: headless, existing: [], foreign: nobody }).actions).toEqual([])
  })
  test('go with it', () => {
    const { actions } = planIpAddresses({ service: undefined, existing: [written], foreign: nobody })
    expect(actions).toMatchObject([{ do: 'delete', object: written }])
  })
  test('leave alone what somebody else has written down', () => {
    const foreign = new Set(['10.96.0.1'])
    expect(planIpAddresses({ service: web, existing: [], foreign }).actions).toEqual([])
  })
})
