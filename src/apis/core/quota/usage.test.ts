/** What objects use of quotas, as tables. */

import { describe, expect, test } from 'vitest'
import { container, pod, service } from '../../../../test/support/builders.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { PodSpec, ScopedResourceSelectorRequirement } from '../types.gen.ts'
import { textsOf } from './amounts.ts'
import { quotaEvaluator } from './evaluators.ts'

const NOW = Date.parse('2026-01-01T12:00:00Z')

function usageOf(group: string, resource: string, object: KubeObject): Readonly<Record<string, string>> | undefined {
  const evaluator = quotaEvaluator(group, resource)
  return evaluator && textsOf(evaluator.usage(object, NOW))
}

const asking = (requests: Record<string, string>, limits: Record<string, string> = {}) => ({
  containers: [container({ resources: { requests, limits } })],
})

describe('pods', () => {
  const usage = (parts: Parameters<typeof pod>[0]) => usageOf('', 'pods', pod(parts))

  test('use what they request and limit', () => {
    expect(usage({ spec: asking({ cpu: '100m', memory: '1Gi' }, { cpu: '1' }) })).toEqual({
      'count/pods': '1',
      'limits.cpu': '1',
      'requests.cpu': '100m',
      'requests.memory': '1Gi',
      cpu: '100m',
      memory: '1Gi',
      pods: '1',
    })
  })

  test('use huge pages under two names, and extended resources under one', () => {
    expect(usage({ spec: asking({ 'hugepages-2Mi': '4Mi', 'example.com/gpu': '2' }) })).toEqual({
      'count/pods': '1',
      'hugepages-2Mi': '4Mi',
      'requests.example.com/gpu': '2',
      'requests.hugepages-2Mi': '4Mi',
      pods: '1',
    })
  })

  test('are only counted when they have come to their end', () => {
    expect(usage({ spec: asking({ cpu: '1' }), status: { phase: 'Succeeded' } })).toEqual({ 'count/pods': '1' })
  })

  test.each([
    ['within its grace', '2026-01-01T11:59:50Z', true],
    ['beyond its grace', '2026-01-01T11:59:20Z', false],
  ])('one that is being deleted %s', (_, deletionTimestamp, counts) => {
    const metadata = { deletionTimestamp, deletionGracePeriodSeconds: 30 }
    expect(Object.keys(usage({ metadata }) ?? {}).includes('pods')).toBe(counts)
  })

  test('use the larger size while a resize is under way', () => {
    const status = { name: 'app', image: '', imageID: '', ready: true, restartCount: 0 }
    const running = { ...status, resources: { requests: { cpu: '2' } } }
    expect(usage({ spec: asking({ cpu: '1' }), status: { containerStatuses: [running] } })?.cpu).toBe('2')
  })

  const other: Partial<PodSpec> = {
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', namespaces: ['other'] }],
      },
    },
  }
  test.each<[ScopedResourceSelectorRequirement, Partial<PodSpec>, boolean]>([
    [{ scopeName: 'Terminating', operator: 'Exists' }, { activeDeadlineSeconds: 0 }, true],
    [{ scopeName: 'Terminating', operator: 'Exists' }, {}, false],
    [{ scopeName: 'NotTerminating', operator: 'Exists' }, {}, true],
    [{ scopeName: 'BestEffort', operator: 'Exists' }, {}, true],
    [{ scopeName: 'BestEffort', operator: 'Exists' }, asking({ cpu: '1' }), false],
    [{ scopeName: 'NotBestEffort', operator: 'Exists' }, asking({ cpu: '1' }), true],
    [{ scopeName: 'PriorityClass', operator: 'Exists' }, { priorityClassName: 'high' }, true],
    [{ scopeName: 'PriorityClass', operator: 'Exists' }, {}, false],
    [{ scopeName: 'PriorityClass', operator: 'DoesNotExist' }, {}, true],
    [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }, { priorityClassName: 'high' }, true],
    [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }, { priorityClassName: 'low' }, false],
    [{ scopeName: 'PriorityClass', operator: 'NotIn', values: ['high'] }, { priorityClassName: 'low' }, true],
    [{ scopeName: 'PriorityClass', operator: 'NotIn', values: ['high'] }, {}, true],
    [{ scopeName: 'CrossNamespacePodAffinity', operator: 'Exists' }, other, true],
    [{ scopeName: 'CrossNamespacePodAffinity', operator: 'Exists' }, {}, false],
    [{ scopeName: 'VolumeAttributesClass', operator: 'Exists' }, {}, false],
  ])('%j and a pod with %j', (selector, spec, expected) => {
    expect(quotaEvaluator('', 'pods')?.matchesScope(selector, pod({ spec }))).toBe(expected)
  })

  test('must say what a quota of CPU or memory limits', () => {
    const spec = {
      containers: [container({ name: 'b' }), container({ name: 'a' })],
      initContainers: [container({ name: 'c', resources: { requests: { cpu: '1' } } })],
    }
    const names = ['memory', 'cpu', 'pods', 'requests.ephemeral-storage']
    expect(quotaEvaluator('', 'pods')?.missing?.(names, pod({ spec }))).toBe(
      'must specify cpu for: a,b; memory for: a,b,c',
    )
  })
})

test.each([
  ['ClusterIP', {}, { services: '1', 'services.nodeports': '0', 'services.loadbalancers': '0' }],
  ['NodePort', {}, { services: '1', 'services.nodeports': '2', 'services.loadbalancers': '0' }],
  ['LoadBalancer', {}, { services: '1', 'services.nodeports': '2', 'services.loadbalancers': '1' }],
  [
    'LoadBalancer',
    { allocateLoadBalancerNodePorts: false },
    { services: '1', 'services.nodeports': '1', 'services.loadbalancers': '1' },
  ],
] as const)('a service of type %s with %j', (type, parts, expected) => {
  const ports = [{ port: 80, nodePort: 30_080 }, { port: 443 }]
  const usage = usageOf('', 'services', service({ spec: { type, ports, ...parts } }))
  expect(usage).toEqual({ 'count/services': '1', ...expected })
})

test('a claim uses storage, also of its class, in whole bytes', () => {
  const claim = { metadata: {}, spec: { storageClassName: 'gold', resources: { requests: { storage: '1500m' } } } }
  expect(usageOf('', 'persistentvolumeclaims', claim)).toEqual({
    'count/persistentvolumeclaims': '1',
    'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
    'gold.storageclass.storage.k8s.io/requests.storage': '2',
    'requests.storage': '2',
    persistentvolumeclaims: '1',
  })
})

test('a claim that grows uses what is allocated already', () => {
  const claim = {
    metadata: {},
    spec: { resources: { requests: { storage: '1Gi' } } },
    status: { allocatedResources: { storage: '2Gi' } },
  }
  expect(usageOf('', 'persistentvolumeclaims', claim)?.['requests.storage']).toBe('2Gi')
})

test('a claim of devices uses the dearest alternative of each request', () => {
  const requests = [
    { name: 'a', exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 2 } },
    {
      name: 'b',
      firstAvailable: [
        { name: 'x', deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 3 },
        { name: 'y', deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1 },
        { name: 'z', deviceClassName: 'nic', allocationMode: 'All' },
      ],
    },
  ]
  const claim = { metadata: {}, spec: { devices: { requests } } }
  expect(usageOf('resource.k8s.io', 'resourceclaims', claim)).toEqual({
    'count/resourceclaims.resource.k8s.io': '1',
    'gpu.deviceclass.resource.k8s.io/devices': '5',
    'nic.deviceclass.resource.k8s.io/devices': '32',
  })
})

test.each([
  ['', 'secrets', { 'count/secrets': '1', secrets: '1' }],
  ['apps', 'deployments', { 'count/deployments.apps': '1' }],
  ['stable.example.com', 'crontabs', { 'count/crontabs.stable.example.com': '1' }],
  ['', 'events', undefined],
  ['authorization.k8s.io', 'localsubjectaccessreviews', undefined],
])('everything else is counted: %s/%s', (group, resource, expected) => {
  expect(usageOf(group, resource, { metadata: {} })).toEqual(expected)
})
