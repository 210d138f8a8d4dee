/** Lives of pods on one node, told from the API: what a user sees in `kubectl get pod -o yaml`. */

import { expect, test } from 'vitest'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { podCondition } from '../../../src/apis/core/pod/pod-status.ts'
import type { Container, Pod } from '../../../src/apis/core/types.gen.ts'
import type { PodBehavior } from '../../../src/node/runtime/simulated-container.ts'
import { startNodeHarness } from './node-harness.ts'

const isReady = (pod: Pod) => podCondition(pod, 'Ready')?.status === 'True'
const main = (pod: Pod) => pod.status?.containerStatuses?.[0]
const container = (name: string, parts: Partial<Container> = {}): Container => ({ name, image: 'app:1', ...parts })

/** What a container does is in its arguments: `exit 3`, `exit 0 after 5`, `run`. */
const obey: PodBehavior = async (process) => {
  const [what, code, , seconds = '0'] = process.command
  if (what !== 'exit') return await process.sleep(Number.MAX_SAFE_INTEGER)
  await process.sleep(Number(seconds) * 1000)
  return Number(code)
}
const exits = (code: number, afterSeconds = 0) => ({ args: ['exit', String(code), 'after', String(afterSeconds)] })

test('a pod starts: it has its address no later than it runs, and says what happened in events', async () => {
  await using node = await startNodeHarness()
  const seen: Pod[] = []
  await node.addPod('web')
  const pod = await node.untilPod('web', (found) => {
    seen.push(found)
    return isReady(found)
  })
  expect(pod.status).toMatchObject({
    phase: 'Running',
    podIP: '10.9.0.1',
    podIPs: [{ ip: '10.9.0.1' }],
    hostIP: '192.0.2.1',
    observedGeneration: 1,
    containerStatuses: [{ name: 'main', ready: true, started: true, restartCount: 0, image: 'app:1' }],
  })
  expect(main(pod)?.containerID).toMatch(/^simulated:\/\/[0-9a-f]{64}$/)
  expect(seen.filter(({ status }) => status?.phase === 'Running' && !status.podIP)).toEqual([])
  const events = await node.eventsOf('web')
  expect(events.map(({ reason }) => reason)).toEqual(['Pulling', 'Pulled', 'Created', 'Started'])
  expect(events.at(-1)?.involvedObject.fieldPath).toBe('spec.containers{main}')
})

test('a container that crashes again and again backs off, and each run is counted once', async () => {
  await using node = await startNodeHarness({ behavior: obey })
  await node.addPod('crash', { containers: [container('main', exits(3))] })
  const pod = await node.untilPod('crash', (found) => main(found)?.restartCount === 3 && !main(found)?.state?.running)
  expect(pod.status?.phase).toBe('Running')
  expect(main(pod)).toMatchObject({
    restartCount: 3,
    ready: false,
    lastState: { terminated: { exitCode: 3, reason: 'Error' } },
    state: {
      waiting: { reason: 'CrashLoopBackOff', message: expect.stringMatching(/^back-off 40s restarting failed/) },
    },
  })
  expect((await node.eventsOf('crash')).map(({ reason }) => reason)).toContain('BackOff')
})

for (const [what, restartPolicy, code, phase, restarts] of [
  ['that succeeds for good', 'Never', 0, 'Succeeded', 0],
  ['that fails for good', 'Never', 1, 'Failed', 0],
  ['that succeeds and need not run again', 'OnFailure', 0, 'Succeeded', 0],
] as const) {
  test(`a pod ${what} ends as ${phase}`, async () => {
    await using node = await startNodeHarness({ behavior: obey })
    await node.addPod('job', { restartPolicy, containers: [container('main', exits(code, 2))] })
    const pod = await node.untilPod('job', ({ status }) => status?.phase === phase)
    expect(main(pod)).toMatchObject({ restartCount: restarts, state: { terminated: { exitCode: code } } })
    expect(podCondition(pod, 'Ready')).toMatchObject({
      status: 'False',
      reason: phase === 'Failed' ? 'PodFailed' : 'PodCompleted',
    })
    await node.untilRuntime('the sandbox to go', async (runtime) => (await runtime.sandboxes()).length === 0)
  })
}

test('an init container that fails for good fails the pod before its main container was made', async () => {
  await using node = await startNodeHarness({ behavior: obey })
  await node.addPod('init', { restartPolicy: 'Never', initContainers: [container('first', exits(2))] })
  const pod = await node.untilPod('init', ({ status }) => status?.phase === 'Failed')
  expect(pod.status?.initContainerStatuses).toMatchObject([{ state: { terminated: { exitCode: 2 } } }])
  expect(main(pod)).toMatchObject({ restartCount: 0, state: { waiting: { reason: 'PodInitializing' } } })
  expect(podCondition(pod, 'Initialized')).toMatchObject({
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: 'containers with incomplete status: [first]',
  })
})

test('init containers run one after the other, a sidecar runs beside the rest and ends last', async () => {
  const order: string[] = []
  const behavior: PodBehavior = async (process) => {
    order.push(`${process.name} starts`)
    process.signal.addEventListener('abort', () => order.push(`${process.name} stops`))
    return await obey(process)
  }
  await using node = await startNodeHarness({ behavior })
  await node.addPod('side', {
    restartPolicy: 'Never',
    initContainers: [
      container('first', exits(0, 1)),
      container('proxy', { restartPolicy: 'Always' }),
      container('second', exits(0, 1)),
    ],
    containers: [container('main', exits(0, 5))],
  })
  const pod = await node.untilPod('side', ({ status }) => status?.phase === 'Succeeded')
  expect(order).toEqual(['first starts', 'proxy starts', 'second starts', 'main starts', 'proxy stops'])
  expect(pod.status?.initContainerStatuses?.map(({ name, ready }) => [name, ready])).toEqual([
    ['first', true],
    ['proxy', false],
    ['second', true],
  ])
})

test('deletion gives the grace period, shows the end and then lets the object go', async () => {
  const stubborn: PodBehavior = async () => await new Promise(() => {})
  await using node = await startNodeHarness({ behavior: stubborn })
  await node.addPod('slow', { terminationGracePeriodSeconds: 20 })
  await node.untilPod('slow', isReady)
  const startedMs = node.clock.now()
  const seen: Pod[] = []
  await node.client.of(pods).delete({ namespace: 'default', name: 'slow' })
  await node.until('the end', () => {
    const pod = node.podOf('slow')
    if (pod) seen.push(pod)
    return !pod
  })
  expect(node.clock.now() - startedMs).toBeGreaterThanOrEqual(20_000)
  expect(seen.at(-1)?.status).toMatchObject({
    phase: 'Failed',
    containerStatuses: [{ state: { terminated: { exitCode: 137 } } }],
  })
  expect(await node.runtime.containers()).toEqual([])
  expect(await node.runtime.sandboxes()).toEqual([])
  expect(await node.files.pods()).toEqual([])
})

test('a deleted pod that others hold on to is over on its node, and is left in peace', async () => {
  await using node = await startNodeHarness()
  await node.addPod('held', {}, { finalizers: ['example.com/hold'] })
  await node.untilPod('held', isReady)
  await node.client.of(pods).delete({ namespace: 'default', name: 'held' }, { gracePeriodSeconds: 1 })
  await node.untilRuntime('an empty runtime', async (runtime) => (await runtime.containers()).length === 0)
  const over = await node.untilPod('held', ({ metadata }) => metadata.deletionGracePeriodSeconds === 0)
  expect(over.status?.phase).toBe('Succeeded')
  const { resourceVersion } = over.metadata
  await node.clock.advance(600_000)
  expect(node.podOf('held')?.metadata.resourceVersion).toBe(resourceVersion)
  await node.client
    .of(pods)
    .patch({ namespace: 'default', name: 'held' }, { type: 'merge', body: { metadata: { finalizers: null } } })
  await node.untilGone('held')
})

test('a shorter grace period takes effect in the middle of a longer one', async () => {
  await using node = await startNodeHarness({ behavior: async () => await new Promise(() => {}) })
  await node.addPod('slow', { terminationGracePeriodSeconds: 800 })
  await node.untilPod('slow', isReady)
  const startedMs = node.clock.now()
  await node.client.of(pods).delete({ namespace: 'default', name: 'slow' })
  await node.until('some time', () => node.clock.now() - startedMs > 10_000)
  await node.client.of(pods).delete({ namespace: 'default', name: 'slow' }, { gracePeriodSeconds: 3 })
  await node.untilGone('slow')
  expect(node.clock.now() - startedMs).toBeLessThan(700_000)
})

test('an agent that is started again adopts what runs: no restart, no lost count, no forgotten back-off', async () => {
  await using node = await startNodeHarness({ behavior: obey })
  await node.addPod('steady')
  await node.addPod('crash', { containers: [container('main', exits(1))] })
  const before = await node.untilPod('steady', isReady)
  await node.untilPod('crash', (pod) => main(pod)?.restartCount === 2 && Boolean(main(pod)?.state?.waiting))
  await node.restartAgent()
  const crashed = await node.untilPod('crash', (pod) => main(pod)?.restartCount === 3)
  const after = node.podOf('steady')
  expect(after && main(after)).toEqual(main(before))
  expect(crashed.status?.startTime).toBeTruthy()
  const waiting = await node.untilPod('crash', (pod) => Boolean(main(pod)?.state?.waiting))
  expect(main(waiting)?.state?.waiting?.message).toMatch(/^back-off 40s/)
})

test('what was deleted while no agent ran is cleaned up by the next one', async () => {
  await using node = await startNodeHarness()
  await node.addPod('left')
  await node.untilPod('left', isReady)
  const restarted = node.restartAgent()
  await node.client.of(pods).delete({ namespace: 'default', name: 'left' }, { gracePeriodSeconds: 0 })
  await restarted
  await node.untilGone('left')
  await node.untilRuntime('an empty runtime', async (runtime) => (await runtime.sandboxes()).length === 0)
  expect(await node.runtime.containers()).toEqual([])
})

test('a sandbox that dies is followed by another, with another address and one more run of each container', async () => {
  await using node = await startNodeHarness()
  await node.addPod('web')
  await node.untilPod('web', isReady)
  const [sandbox] = await node.runtime.sandboxes()
  await node.runtime.removeSandbox(sandbox?.id ?? '')
  const pod = await node.untilPod('web', (found) => main(found)?.restartCount === 1 && isReady(found))
  expect(pod.status?.podIP).toBe('10.9.0.2')
})

test('a pod past its deadline fails, once and for good', async () => {
  await using node = await startNodeHarness()
  await node.addPod('late', { activeDeadlineSeconds: 30 })
  const pod = await node.untilPod('late', ({ status }) => status?.phase === 'Failed')
  expect(pod.status).toMatchObject({
    reason: 'DeadlineExceeded',
    message: 'Pod was active on the node longer than the specified deadline',
    containerStatuses: [{ state: { terminated: {} } }],
  })
  const { resourceVersion } = pod.metadata
  await node.clock.advance(60_000)
  expect(node.podOf('late')?.metadata.resourceVersion).toBe(resourceVersion)
})

test('a pod that does not fit is rejected and nothing of it is made', async () => {
  await using node = await startNodeHarness()
  const resources = { requests: { cpu: '64' } }
  await node.addPod('huge', { containers: [container('main', { resources })] })
  const pod = await node.untilPod('huge', ({ status }) => status?.phase === 'Failed')
  const text = "Node didn't have enough resource: cpu, requested: 64000, used: 0, capacity: 4000"
  expect(pod.status).toMatchObject({ reason: 'OutOfcpu', message: `Pod was rejected: ${text}` })
  expect(pod.status?.containerStatuses).toBeUndefined()
  expect(await node.runtime.sandboxes()).toEqual([])
  expect(await node.eventsOf('huge')).toMatchObject([{ type: 'Warning', reason: 'OutOfcpu', message: text }])
})

test('two pods cannot have the same port of the node', async () => {
  await using node = await startNodeHarness()
  const containers = [container('main', { ports: [{ containerPort: 80, hostPort: 8080 }] })]
  await node.addPod('one', { containers })
  await node.untilPod('one', isReady)
  await node.addPod('two', { containers })
  const pod = await node.untilPod('two', ({ status }) => status?.phase === 'Failed')
  expect(pod.status?.reason).toBe('NodePorts')
})

test('an image that cannot be pulled shows why, and then that it waits', async () => {
  const pull = async () => {
    throw new Error('no such image')
  }
  await using node = await startNodeHarness({ pull })
  await node.addPod('web')
  const pod = await node.untilPod('web', (found) => main(found)?.state?.waiting?.reason === 'ErrImagePull')
  expect(pod.status?.phase).toBe('Pending')
  const waiting = await node.untilPod('web', (found) => main(found)?.state?.waiting?.reason === 'ImagePullBackOff')
  expect(main(waiting)?.state?.waiting?.message).toBe('Back-off pulling image "app:1": ErrImagePull: no such image')
})

test('a pod can be deleted while its image is being pulled', async () => {
  await using node = await startNodeHarness({ pull: () => new Promise(() => {}) })
  await node.addPod('web')
  await node.untilPod('web', ({ status }) => Boolean(status?.podIP))
  await node.client.of(pods).delete({ namespace: 'default', name: 'web' })
  await node.untilGone('web')
})

test('another image replaces the container and nothing else', async () => {
  await using node = await startNodeHarness()
  await node.addPod('web', { restartPolicy: 'Never' })
  const before = await node.untilPod('web', isReady)
  await node.client
    .of(pods)
    .patch(
      { namespace: 'default', name: 'web' },
      { type: 'strategic', body: { spec: { containers: [{ name: 'main', image: 'app:2' }] } } },
    )
  const after = await node.untilPod('web', (pod) => main(pod)?.restartCount === 1 && isReady(pod))
  expect(main(after)).toMatchObject({ image: 'app:2', restartCount: 1 })
  expect(after.status?.podIP).toBe(before.status?.podIP)
})
