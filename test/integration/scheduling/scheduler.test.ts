/** The scheduler against the real API server in memory: pods get nodes, or say why not. */

import { afterEach, expect, test } from 'vitest'
import { builtinResources } from '../../../src/apis/builtin.ts'
import { events as eventResource } from '../../../src/apis/core/event.ts'
import { nodes } from '../../../src/apis/core/node.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { podCondition } from '../../../src/apis/core/pod/pod-status.ts'
import type { Node, Pod, PodSpec } from '../../../src/apis/core/types.gen.ts'
import { silentLogger } from '../../../src/base/log.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { createEventRecorder } from '../../../src/client/events.ts'
import { createInformers } from '../../../src/client/informers.ts'
import { createLoopbackTransport } from '../../../src/client/loopback-transport.ts'
import { createClient } from '../../../src/client/resource-client.ts'
import { internalError } from '../../../src/machinery/meta/api-error.ts'
import type { Handler } from '../../../src/machinery/wire/message.ts'
import { startScheduler } from '../../../src/scheduler/scheduler.ts'
import { ADMIN, createTestServer } from '../../support/test-server.ts'

const cleanups: AsyncDisposableStack[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup.disposeAsync()
})

/** `through`: what lies between the scheduler and its server. */
async function setUp(through: (handle: Handler) => Handler = (handle) => handle) {
  const cleanup = new AsyncDisposableStack()
  cleanups.push(cleanup)
  const server = cleanup.use(createTestServer(builtinResources))
  const { clock } = server
  const client = createClient(createLoopbackTransport(through(server.server.handle), ADMIN))
  const parts = { client, clock, random: seededRandom(3), log: silentLogger }
  const informers = cleanup.use(createInformers(parts))
  const events = createEventRecorder({ ...parts, component: 'default-scheduler' })
  const scheduler = cleanup.use(startScheduler({ ...parts, informers, events }))
  await informers.whenSynced()
  const addNode = (name: string, cpu: string, spec: Node['spec'] = {}) =>
    client.of(nodes).create({
      metadata: { name, labels: { 'kubernetes.io/hostname': name } },
      spec,
      status: { capacity: { cpu, memory: '4Gi', pods: '10' }, allocatable: { cpu, memory: '4Gi', pods: '10' } },
    })
  const addPod = (name: string, cpu: string, spec: Partial<PodSpec> = {}) =>
    client.of(pods).create({
      metadata: { name, namespace: 'default' },
      spec: { containers: [{ name: 'main', image: 'app:1', resources: { requests: { cpu } } }], ...spec },
    })
  const until = async (name: string, holds: (pod: Pod | undefined) => boolean): Promise<Pod | undefined> => {
    const informer = informers.of(pods)
    const key = { namespace: 'default', name }
    await informer.until(() => holds(informer.get(key)))
    return informer.get(key)
  }
  return { server, client, clock, scheduler, addNode, addPod, until }
}

const isBound = (pod: Pod | undefined) => Boolean(pod?.spec?.nodeName)
const isRefused = (pod: Pod | undefined) => pod !== undefined && podCondition(pod, 'PodScheduled')?.status === 'False'

test('binds a pod to the node that has room, and says so in an event', async () => {
  const { addNode, addPod, until, client, clock } = await setUp()
  await addNode('small', '500m')
  await addNode('large', '4')
  await addPod('web', '2')
  const pod = await until('web', isBound)
  expect(pod?.spec?.nodeName).toBe('large')
  expect(pod && podCondition(pod, 'PodScheduled')?.status).toBe('True')
  await clock.advance(0)
  const { items } = await client.of(eventResource).list({ namespace: 'default' })
  expect(items.map(({ reason, message }) => [reason, message])).toEqual([
    ['Scheduled', 'Successfully assigned default/web to large'],
  ])
})

test('counts assumed pods: many pods at once never overfill a node', async () => {
  const { addNode, addPod, until } = await setUp()
  await addNode('a', '2')
  await addNode('b', '2')
  const names = ['p1', 'p2', 'p3', 'p4', 'p5']
  await Promise.all(names.map((name) => addPod(name, '1')))
  const settled = await Promise.all(names.map((name) => until(name, (pod) => isBound(pod) || isRefused(pod))))
  const placed = settled.flatMap((pod) => pod?.spec?.nodeName ?? [])
  expect(placed.toSorted()).toEqual(['a', 'a', 'b', 'b'])
})

test('says why a pod does not fit, explains it, and binds it when a node comes', async () => {
  const { addNode, addPod, until, scheduler } = await setUp()
  await addNode('small', '1')
  await addNode('cordoned', '4', { unschedulable: true })
  await addPod('big', '2')
  const refused = await until('big', isRefused)
  expect(refused && podCondition(refused, 'PodScheduled')).toMatchObject({
    reason: 'Unschedulable',
    message:
      '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable. no new claims to deallocate, ' +
      'preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
  })
  const report = scheduler.explainPending({ namespace: 'default', name: 'big' })
  expect(report?.suggestions).toEqual([{ node: 'small', changes: ['lower requests.cpu from 2 to 1'] }])
  await addNode('large', '4')
  expect((await until('big', isBound))?.spec?.nodeName).toBe('large')
})

test('holds a pod while it has scheduling gates', async () => {
  const { addNode, addPod, until, client } = await setUp()
  await addNode('node', '4')
  const gated = await addPod('gated', '1', { schedulingGates: [{ name: 'example.com/wait' }] })
  expect(podCondition(gated, 'PodScheduled')?.reason).toBe('SchedulingGated')
  await addPod('free', '1')
  await until('free', isBound)
  const key = { namespace: 'default', name: 'gated' }
  expect((await client.of(pods).get(key)).spec?.nodeName).toBeUndefined()
  await client.of(pods).patch(key, { type: 'merge', body: { spec: { schedulingGates: [] } } })
  await until('gated', isBound)
})

test('preempts less important pods and takes their place', async () => {
  const { addNode, addPod, until } = await setUp()
  await addNode('only', '2')
  await addPod('low', '2', { priority: 1 })
  await until('low', isBound)
  await addPod('vip', '2', { priority: 100 })
  const waiting = await until('vip', (pod) => Boolean(pod?.status?.nominatedNodeName))
  expect(waiting?.status?.nominatedNodeName).toBe('only')
  const leaving = await until('low', (pod) => Boolean(pod?.metadata.deletionTimestamp))
  expect(leaving && podCondition(leaving, 'DisruptionTarget')?.reason).toBe('PreemptionByScheduler')
})

test('a pod whose victim could not be deleted tries again after its backoff', async () => {
  const refused: string[] = []
  const { addNode, addPod, until, clock } = await setUp((handle) => async (request) => {
    if (request.method !== 'DELETE' || refused.length > 0) return handle(request)
    refused.push(request.path)
    throw internalError('not now')
  })
  await addNode('only', '2')
  await addPod('low', '2', { priority: 1 })
  await until('low', isBound)
  await addPod('vip', '2', { priority: 100 })
  await until('low', (pod) => pod !== undefined && podCondition(pod, 'DisruptionTarget') !== undefined)
  await clock.advance(0)
  expect(refused).toEqual(['/api/v1/namespaces/default/pods/low'])
  await clock.advance(1_000)
  await until('low', (pod) => Boolean(pod?.metadata.deletionTimestamp))
})

test('many more pods than are written at once all get their nodes', async () => {
  const { addNode, addPod, until } = await setUp()
  const nodeNames = Array.from({ length: 30 }, (_, index) => `node-${index}`)
  for (const name of nodeNames) await addNode(name, '100')
  const names = Array.from({ length: 250 }, (_, index) => `pod-${index}`)
  await Promise.all(names.map((name) => addPod(name, '1')))
  const placed = await Promise.all(names.map((name) => until(name, isBound)))
  expect(placed.every(isBound)).toBe(true)
})
