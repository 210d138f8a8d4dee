import { expect, test } from 'vitest'
import { podInfoOf } from './pod-info.ts'
import { ClusterState, type Snapshot } from './snapshot.ts'
import { infoOf, nodeOf, podOf } from './test-objects.ts'

const state = () => new ClusterState()
const load = (snapshot: Snapshot) =>
  Object.fromEntries(
    snapshot.nodes.map(({ name, pods, requested }) => [name, [pods.length, requested.get('cpu') ?? 0]]),
  )
const onNode = (name: string, nodeName: string, cpu = '1') =>
  podOf({ name, spec: { nodeName, containers: [{ name: 'main', resources: { requests: { cpu } } }] } })

test('a snapshot never changes; the next one has what changed since', () => {
  const cluster = state()
  cluster.setNode(nodeOf('a'))
  cluster.setNode(nodeOf('b'))
  const before = cluster.snapshot()
  cluster.setPod(podInfoOf(onNode('web', 'b')))
  expect(load(before)).toEqual({ a: [0, 0], b: [0, 0] })
  expect(load(cluster.snapshot())).toEqual({ a: [0, 0], b: [1, 1000] })
  expect(cluster.snapshot()).toBe(cluster.snapshot())
})

test('a pod that is known before its node is counted when the node comes', () => {
  const cluster = state()
  cluster.setPod(podInfoOf(onNode('early', 'a')))
  cluster.setNode(nodeOf('a'))
  expect(load(cluster.snapshot())).toEqual({ a: [1, 1000] })
})

test('an assumed pod counts until it is forgotten, and once when the API shows it', () => {
  const cluster = state()
  cluster.setNode(nodeOf('a'))
  const web = infoOf({ name: 'web', cpu: '1' })
  cluster.assume(web, 'a')
  expect(load(cluster.snapshot())).toEqual({ a: [1, 1000] })
  cluster.forget(web.uid)
  expect(load(cluster.snapshot())).toEqual({ a: [0, 0] })
  cluster.assume(web, 'a')
  cluster.setPod(podInfoOf(onNode('web', 'a')))
  cluster.forget(web.uid)
  expect(load(cluster.snapshot())).toEqual({ a: [1, 1000] })
})

test('a pod that is confirmed where it was assumed stays there, and is not taken back', () => {
  const cluster = state()
  cluster.setNode(nodeOf('a'))
  const web = infoOf({ name: 'web', cpu: '1' })
  cluster.assume(web, 'a')
  const before = cluster.snapshot()
  expect([cluster.assumedOn(web.uid, 'a'), cluster.assumedOn(web.uid, 'b')]).toEqual([web, undefined])
  cluster.confirm(web.uid)
  cluster.forget(web.uid)
  expect(cluster.assumedOn(web.uid, 'a')).toBeUndefined()
  expect(cluster.snapshot()).toBe(before)
})

test('a pod that leaves and a node that goes are gone', () => {
  const cluster = state()
  cluster.setNode(nodeOf('a'))
  cluster.setNode(nodeOf('b'))
  const pod = onNode('web', 'a')
  cluster.setPod(podInfoOf(pod))
  cluster.removePod(pod.metadata.uid ?? '')
  cluster.removeNode('b')
  expect(load(cluster.snapshot())).toEqual({ a: [0, 0] })
})

test('zones take turns, and a node that moves to another zone moves in the order', () => {
  const cluster = state()
  const zone = (name: string) => ({ labels: { 'topology.kubernetes.io/zone': name } })
  for (const [name, where] of [
    ['a1', 'a'],
    ['a2', 'a'],
    ['b1', 'b'],
  ] as const)
    cluster.setNode(nodeOf(name, zone(where)))
  const names = () => cluster.snapshot().nodes.map(({ name }) => name)
  expect(names()).toEqual(['a1', 'b1', 'a2'])
  cluster.setNode(nodeOf('a2', zone('c')))
  expect(names()).toEqual(['a1', 'a2', 'b1'])
  expect(cluster.snapshot().node('a2')?.labels['topology.kubernetes.io/zone']).toBe('c')
})
