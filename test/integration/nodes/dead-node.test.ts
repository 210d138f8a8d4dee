/** A node that falls silent, comes back, or is removed: what becomes of it and of its pods. */

import { afterEach, expect, test } from 'vitest'
import { leases } from '../../../src/apis/coordination/lease.ts'
import { events } from '../../../src/apis/core/event.ts'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { nodes } from '../../../src/apis/core/node.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import type { Node, Pod, PodSpec } from '../../../src/apis/core/types.gen.ts'
import { nodeLifecycleController } from '../../../src/controllers/nodes/node-lifecycle.ts'
import { podGarbageCollector } from '../../../src/controllers/nodes/pod-garbage-collector.ts'
import { taintEvictionController } from '../../../src/controllers/nodes/taint-eviction.ts'
import { formatMicroTime, formatTime } from '../../../src/machinery/meta/time.ts'
import { namespace, pod } from '../../support/builders.ts'
import { type ControllerCluster, startCluster } from '../garbage/cluster.ts'

const LEASES = 'kube-node-lease'
const started: ControllerCluster[] = []
afterEach(async () => {
  for (const cluster of started.splice(0)) await cluster[Symbol.asyncDispose]()
})

async function start() {
  const cluster = await startCluster([nodeLifecycleController(), taintEvictionController, podGarbageCollector])
  started.push(cluster)
  const { client, clock } = cluster
  await client.of(namespaces).create(namespace('default'))
  const status = (ready: 'True' | 'False') => ({
    conditions: ['Ready', 'MemoryPressure'].map((type) => ({
      type,
      status: type === 'Ready' ? ready : 'False',
      reason: 'KubeletReady',
      lastHeartbeatTime: formatTime(clock.now()),
      lastTransitionTime: formatTime(clock.now()),
    })),
  })
  const addNode = async (name: string) => {
    await client.of(nodes).create({ metadata: { name }, spec: {}, status: status('True') })
    await client.of(leases).create({ metadata: { namespace: LEASES, name }, spec: {} })
  }
  /** Done when the controllers know. */
  const renew = async (name: string) => {
    const renewTime = formatMicroTime(clock.now())
    const key = { namespace: LEASES, name }
    const lease = await client.of(leases).patch(key, { type: 'merge', body: { spec: { renewTime } } })
    await cluster.informers.of(leases).caughtUpTo(Number(lease.metadata.resourceVersion))
  }
  /** Time passes while these nodes live on. */
  const pass = async (seconds: number, living: readonly string[]) => {
    for (let passed = 0; passed < seconds; passed += 10) {
      await Promise.all(living.map(renew))
      await clock.advance(10_000)
    }
  }
  const report = (name: string) =>
    client.of(nodes).patch({ name }, { type: 'merge', body: { status: status('True') } }, { subresource: 'status' })
  const addPod = async (name: string, nodeName: string, spec: Partial<PodSpec> = {}) => {
    const created = await client.of(pods).create(pod({ metadata: { name }, spec: { nodeName, ...spec } }))
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: formatTime(clock.now()) }]
    await client.of(pods).update({ ...created, status: { phase: 'Running', conditions } }, { subresource: 'status' })
  }
  return { ...cluster, addNode, pass, report, addPod }
}

const at = (name: string) => ({ namespace: 'default', name })
const conditionOf = ({ status }: Node | Pod, type: string) => status?.conditions?.find((each) => each.type === type)
const taintsOf = ({ spec }: Node) => (spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`)
const UNREACHABLE = ['node.kubernetes.io/unreachable:NoSchedule', 'node.kubernetes.io/unreachable:NoExecute']
const tolerating = (seconds: number): Partial<PodSpec> => ({
  tolerations: [
    { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: seconds },
  ],
})

test('a silent node turns unknown, gets taints, and its pods leave when they tolerate it no longer', async () => {
  const { addNode, addPod, pass, until, client } = await start()
  await addNode('dead')
  await addNode('alive')
  await addPod('patient', 'dead', tolerating(300))
  await addPod('impatient', 'dead', tolerating(20))
  await addPod('elsewhere', 'alive', tolerating(20))
  await pass(40, ['alive'])
  expect(taintsOf(await client.of(nodes).get({ name: 'dead' }))).toEqual([])
  await pass(20, ['alive'])
  const dead = await until(nodes, { name: 'dead' }, (node) => taintsOf(node).length === 2)
  expect(taintsOf(dead)).toEqual(UNREACHABLE)
  expect(conditionOf(dead, 'Ready')).toMatchObject({
    status: 'Unknown',
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
  })
  await until(pods, at('patient'), (each) => conditionOf(each, 'Ready')?.status === 'False')
  await pass(30, ['alive'])
  const leaving = await until(pods, at('impatient'), ({ metadata }) => metadata.deletionTimestamp != null)
  expect(conditionOf(leaving, 'DisruptionTarget')?.reason).toBe('DeletionByTaintManager')
  expect((await client.of(pods).get(at('patient'))).metadata.deletionTimestamp).toBeUndefined()
  expect(conditionOf(await client.of(pods).get(at('elsewhere')), 'Ready')?.status).toBe('True')
  await pass(280, ['alive'])
  await until(pods, at('patient'), ({ metadata }) => metadata.deletionTimestamp != null)
  const reasons = (await client.of(events).list()).items.map(({ reason }) => reason)
  expect(reasons).toEqual(expect.arrayContaining(['RegisteredNode', 'NodeNotReady', 'TaintManagerEviction']))
})

test('a node that comes back loses its taints, and its pods stay', async () => {
  const { addNode, addPod, pass, report, until, client } = await start()
  await addNode('dead')
  await addNode('alive')
  await addPod('patient', 'dead', tolerating(300))
  await pass(70, ['alive'])
  await until(nodes, { name: 'dead' }, (node) => taintsOf(node).length === 2)
  await report('dead')
  await until(nodes, { name: 'dead' }, (node) => taintsOf(node).length === 0)
  await pass(400, ['alive', 'dead'])
  expect((await client.of(pods).get(at('patient'))).metadata.deletionTimestamp).toBeUndefined()
})

test('when no node answers, no pod leaves', async () => {
  const { addNode, addPod, pass, until, client } = await start()
  await addNode('only')
  await addPod('web', 'only', tolerating(20))
  await pass(120, [])
  const only = await until(nodes, { name: 'only' }, (node) => taintsOf(node).length === 1)
  expect(taintsOf(only)).toEqual(['node.kubernetes.io/unreachable:NoSchedule'])
  expect((await client.of(pods).get(at('web'))).metadata.deletionTimestamp).toBeUndefined()
})

test('pods of a node that was removed are collected, and marked as failed first', async () => {
  const { addNode, addPod, pass, untilGone, informers, client } = await start()
  await addNode('gone')
  await addNode('alive')
  await addPod('web', 'gone')
  await addPod('other', 'alive')
  const phases: (string | undefined)[] = []
  informers.of(pods).subscribe({ deleted: ({ status }) => void phases.push(status?.phase) })
  await client.of(nodes).delete({ name: 'gone' })
  await pass(100, ['alive'])
  await untilGone(pods, at('web'))
  expect(phases).toEqual(['Failed'])
  expect((await client.of(pods).list()).items.map(({ metadata }) => metadata.name)).toEqual(['other'])
})
