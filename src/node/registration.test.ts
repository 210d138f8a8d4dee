import { expect, test } from 'vitest'
import type { NodeStatus } from '../apis/core/types.gen.ts'
import { HEALTHY, type NodeDescription, newNode, nodeStatus } from './registration.ts'

const NOW_MS = Date.UTC(2026, 0, 1)
const description: NodeDescription = {
  name: 'node-1',
  machine: {
    architecture: 'amd64',
    operatingSystem: 'linux',
    osImage: 'Linux',
    kernelVersion: '6.1',
    machineId: 'machine',
    bootId: 'boot',
    cpus: 4,
    memoryBytes: 8 * 2 ** 30,
    diskBytes: 100 * 2 ** 30,
  },
  ip: '192.0.2.1',
  podsMax: 30,
  containerRuntimeVersion: 'docker://20.10.24',
  kubeletVersion: 'v1.36.3',
  kubeletPort: 10250,
  labels: { zone: 'a' },
  taints: undefined,
  capacity: { 'example.com/gpu': '2', cpu: '64' },
}
const report = { images: [], health: HEALTHY, nowMs: NOW_MS }
const byType = ({ conditions }: NodeStatus) => new Map(conditions?.map((condition) => [condition.type, condition]))

test('a node has the labels that everybody selects by, and its own', () => {
  expect(newNode(description).metadata.labels).toEqual({
    'beta.kubernetes.io/arch': 'amd64',
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    'kubernetes.io/hostname': 'node-1',
    'kubernetes.io/os': 'linux',
    zone: 'a',
  })
})

test('its status tells what the machine has, overrides first', () => {
  expect(nodeStatus(description, undefined, report)).toMatchObject({
    capacity: {
      cpu: '64',
      memory: '8388608Ki',
      'ephemeral-storage': '104857600Ki',
      pods: '30',
      'example.com/gpu': '2',
    },
    addresses: [
      { type: 'InternalIP', address: '192.0.2.1' },
      { type: 'Hostname', address: 'node-1' },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    nodeInfo: { containerRuntimeVersion: 'docker://20.10.24', kubeletVersion: 'v1.36.3', operatingSystem: 'linux' },
  })
})

test('what others put there stays', () => {
  const previous = {
    capacity: { 'scheduling.k8s.io/foo': '5' },
    allocatable: { 'scheduling.k8s.io/foo': '5' },
    conditions: [{ type: 'NetworkUnavailable', status: 'False' }],
  }
  const status = nodeStatus(description, previous, report)
  expect(status.capacity?.['scheduling.k8s.io/foo']).toBe('5')
  expect(byType(status).get('NetworkUnavailable')?.status).toBe('False')
})

test('conditions keep the time of their last change and show each heartbeat', () => {
  const first = nodeStatus(description, undefined, report)
  const later = nodeStatus(description, first, { ...report, nowMs: NOW_MS + 60_000 })
  expect(byType(later).get('Ready')).toEqual({
    type: 'Ready',
    status: 'True',
    reason: 'KubeletReady',
    message: 'kubelet is posting ready status',
    lastHeartbeatTime: '2026-01-01T00:01:00Z',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  })
})

test('a node whose runtime is down says so, and keeps the images it had', () => {
  const image = { id: 'sha256:1', tags: ['app:1'], digests: [], sizeBytes: 5, user: {} }
  const first = nodeStatus(description, undefined, { ...report, images: [image] })
  const health = { ready: false, message: 'container runtime is down' }
  const down = nodeStatus(description, first, { images: undefined, health, nowMs: NOW_MS })
  expect(byType(down).get('Ready')).toMatchObject({
    status: 'False',
    reason: 'KubeletNotReady',
    message: health.message,
  })
  expect(down.images).toEqual([{ names: ['app:1'], sizeBytes: 5 }])
})

test('the largest images come first, those without a name not at all, and there is an end', () => {
  const images = Array.from({ length: 60 }, (_, size) => ({
    id: `sha256:${size}`,
    tags: size === 59 ? [] : [`app:${size}`],
    digests: [],
    sizeBytes: size,
    user: {},
  }))
  const listed = nodeStatus(description, undefined, { ...report, images }).images ?? []
  expect(listed.slice(0, 2).map(({ names }) => names)).toEqual([['app:58'], ['app:57']])
  expect(listed.length).toBeLessThanOrEqual(50)
})
