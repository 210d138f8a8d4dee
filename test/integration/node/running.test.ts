/** What happens to containers while they run: probes, hooks, resizes, readiness that others decide about. */

import { expect, test } from 'vitest'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { podCondition } from '../../../src/apis/core/pod/pod-status.ts'
import type { Pod } from '../../../src/apis/core/types.gen.ts'
import type { PodBehavior } from '../../../src/node/runtime/simulated-container.ts'
import { startNodeHarness } from './node-harness.ts'

const isReady = (pod: Pod) => podCondition(pod, 'Ready')?.status === 'True'
const main = (pod: Pod) => pod.status?.containerStatuses?.[0]
const exec = (command: string) => ({ exec: { command: [command] } })

/** Answers `fail` with failure, and `health` as long as it has run for less than `healthySeconds`. */
function mortal(healthySeconds: number, clock: () => number): PodBehavior {
  return async (process) => {
    const startedMs = clock()
    process.exec(async ({ command: [what] }) => {
      const isSick = what === 'health' && clock() - startedMs >= healthySeconds * 1000
      return { code: what === 'fail' || isSick ? 1 : 0, stdout: 'so it is' }
    })
    return await process.sleep(Number.MAX_SAFE_INTEGER)
  }
}

async function startWith(healthySeconds: number) {
  const time = { now: () => 0 }
  const node = await startNodeHarness({ behavior: mortal(healthySeconds, () => time.now()) })
  time.now = node.clock.now
  return node
}

test('a container that fails its liveness probe is killed, says so, and runs again', async () => {
  await using node = await startWith(20)
  const livenessProbe = { ...exec('health'), periodSeconds: 5, failureThreshold: 2 }
  await node.addPod('web', { containers: [{ name: 'main', image: 'app:1', livenessProbe }] })
  const pod = await node.untilPod('web', (found) => main(found)?.restartCount === 1 && isReady(found))
  expect(main(pod)?.lastState?.terminated).toMatchObject({ exitCode: 0 })
  const events = await node.eventsOf('web')
  expect(events.map(({ reason, message }) => `${reason}: ${message}`)).toEqual(
    expect.arrayContaining([
      'Unhealthy: Liveness probe failed: so it is',
      'Killing: Container main failed liveness probe, will be restarted',
    ]),
  )
})

test('a pod is ready when its readiness probe and its gates are, and others keep their conditions', async () => {
  await using node = await startWith(Number.POSITIVE_INFINITY)
  await node.addPod('web', {
    containers: [{ name: 'main', image: 'app:1', readinessProbe: { ...exec('health'), initialDelaySeconds: 10 } }],
    readinessGates: [{ conditionType: 'example.com/open' }],
  })
  const running = await node.untilPod('web', (pod) => Boolean(main(pod)?.state?.running))
  expect(podCondition(running, 'ContainersReady')).toMatchObject({
    reason: 'ContainersNotReady',
    message: 'containers with unready status: [main]',
  })
  const waiting = await node.untilPod('web', (pod) => podCondition(pod, 'ContainersReady')?.status === 'True')
  expect(podCondition(waiting, 'Ready')).toMatchObject({
    status: 'False',
    reason: 'ReadinessGatesNotReady',
    message: 'corresponding condition of pod readiness gate "example.com/open" does not exist.',
  })
  const open = { type: 'example.com/open', status: 'True' }
  await node.client
    .of(pods)
    .patch(
      { namespace: 'default', name: 'web' },
      { type: 'strategic', body: { status: { conditions: [open] } } },
      { subresource: 'status' },
    )
  const ready = await node.untilPod('web', isReady)
  expect(podCondition(ready, 'example.com/open')).toMatchObject(open)
})

test('a startup probe holds the others back, and its success lets them run', async () => {
  await using node = await startWith(Number.POSITIVE_INFINITY)
  const startupProbe = { ...exec('health'), initialDelaySeconds: 30, failureThreshold: 1 }
  const livenessProbe = { ...exec('fail'), periodSeconds: 1, failureThreshold: 1 }
  await node.addPod('web', { containers: [{ name: 'main', image: 'app:1', startupProbe, livenessProbe }] })
  const started = await node.untilPod('web', (pod) => main(pod)?.started === true)
  expect(main(started)?.restartCount).toBe(0)
  await node.untilPod('web', (pod) => main(pod)?.restartCount === 1)
})

test('a postStart hook that fails ends the container', async () => {
  await using node = await startWith(Number.POSITIVE_INFINITY)
  const containers = [{ name: 'main', image: 'app:1', lifecycle: { postStart: exec('fail') } }]
  await node.addPod('web', { containers, restartPolicy: 'Never' })
  await node.untilPod('web', ({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Failed')
  const events = await node.eventsOf('web')
  expect(events.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['FailedPostStartHook', 'Killing']))
})

test('a preStop hook runs once, before the container is stopped', async () => {
  const order: string[] = []
  const behavior: PodBehavior = async (process) => {
    process.exec(async ({ command }) => {
      order.push(`hook ${command[0]}`)
      await process.sleep(5_000)
      return {}
    })
    process.signal.addEventListener('abort', () => order.push('stop'))
    return await process.sleep(Number.MAX_SAFE_INTEGER)
  }
  await using node = await startNodeHarness({ behavior })
  await node.addPod('web', { containers: [{ name: 'main', image: 'app:1', lifecycle: { preStop: exec('bye') } }] })
  await node.untilPod('web', isReady)
  await node.client.of(pods).delete({ namespace: 'default', name: 'web' })
  await node.until('the hook', () => order.length > 0)
  await node.client.of(pods).delete({ namespace: 'default', name: 'web' }, { gracePeriodSeconds: 20 })
  await node.untilGone('web')
  expect(order).toEqual(['hook bye', 'stop'])
})

test('more CPU is granted to a running container without a restart; more than there is, never', async () => {
  await using node = await startWith(Number.POSITIVE_INFINITY)
  const resources = { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '200m', memory: '64Mi' } }
  await node.addPod('web', { containers: [{ name: 'main', image: 'app:1', resources }] })
  await node.untilPod('web', isReady)
  const resize = (cpu: string, limit: string) =>
    node.client.of(pods).patch(
      { namespace: 'default', name: 'web' },
      {
        type: 'strategic',
        body: {
          spec: { containers: [{ name: 'main', resources: { requests: { cpu }, limits: { cpu: limit } } }] },
        },
      },
      { subresource: 'resize' },
    )
  await resize('500m', '1')
  const grown = await node.untilPod('web', (pod) => main(pod)?.resources?.requests?.cpu === '500m')
  expect(main(grown)).toMatchObject({ restartCount: 0, allocatedResources: { cpu: '500m' } })
  await node.untilPod('web', (pod) => !podCondition(pod, 'PodResizeInProgress'))
  await resize('40', '41')
  const refused = await node.untilPod('web', (pod) => Boolean(podCondition(pod, 'PodResizePending')))
  expect(podCondition(refused, 'PodResizePending')).toMatchObject({ reason: 'Infeasible' })
  expect(main(refused)?.resources?.requests?.cpu).toBe('500m')
})
