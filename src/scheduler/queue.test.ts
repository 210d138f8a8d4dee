import { describe, expect, test } from 'vitest'
import { createFakeClock } from '../base/fake-clock.ts'
import type { ClusterEvent } from './framework.ts'
import type { PodInfo } from './pod-info.ts'
import { SchedulingQueue } from './queue.ts'
import { infoOf, nodeInfo, type TestPod } from './test-objects.ts'

const NONE: ReadonlySet<string> = new Set()
const FIT: ReadonlySet<string> = new Set(['NodeResourcesFit'])
const nodeAdded: ClusterEvent = { resource: 'nodes', action: 'add', node: nodeInfo('new') }
const namespaceAdded: ClusterEvent = { resource: 'namespaces', action: 'add' }

/** A queue whose pods are woken by nodes and by changes of themselves, and a log of what it hands out. */
function setUp() {
  const clock = createFakeClock()
  const told: (() => void)[] = []
  const queue = new SchedulingQueue({
    clock,
    wakes: (_pod, _plugins, event) => event.resource === 'nodes' || event.resource === 'self',
    whenTold: (callback) => void told.push(callback),
  })
  const handed: string[] = []
  const take = () => void queue.next().then((pod) => handed.push(pod?.key ?? 'closed'))
  const add = (fields: TestPod): PodInfo => {
    const pod = infoOf(fields)
    queue.set(pod, NONE)
    return pod
  }
  /** All that has happened has been told. */
  const tell = () => {
    for (const callback of told.splice(0)) callback()
  }
  return { clock, queue, handed, take, add, tell, told }
}

describe('the scheduling queue', () => {
  test('hands out the highest priority first, then the oldest', async () => {
    const { clock, handed, take, add } = setUp()
    add({ name: 'old' })
    await clock.advance(1)
    add({ name: 'young' })
    add({ name: 'vip', priority: 5 })
    for (let turn = 0; turn < 3; turn++) {
      take()
      await clock.advance(0)
    }
    expect(handed).toEqual(['default/vip', 'default/old', 'default/young'])
  })

  test('waits for a pod when it is empty', async () => {
    const { clock, handed, take, add } = setUp()
    take()
    await clock.advance(10)
    expect(handed).toEqual([])
    add({ name: 'late' })
    await clock.advance(0)
    expect(handed).toEqual(['default/late'])
  })

  test('lets a parked pod go on that is woken, after its backoff', async () => {
    const { clock, queue, handed, take, add } = setUp()
    const { uid } = add({ name: 'a' })
    take()
    await clock.advance(0)
    queue.park(uid, FIT)
    queue.wake(uid)
    queue.wake('nobody')
    take()
    await clock.advance(999)
    expect(handed).toEqual(['default/a'])
    await clock.advance(1)
    expect(handed).toEqual(['default/a', 'default/a'])
  })

  test('retries an error after 1 s, then 2 s, up to 10 s', async () => {
    const { clock, queue, handed, take, add } = setUp()
    const { uid } = add({ name: 'a' })
    take()
    await clock.advance(0)
    const waits: number[] = []
    for (let attempt = 0; attempt < 6; attempt++) {
      queue.retry(uid)
      take()
      const before = handed.length
      let waited = 0
      while (handed.length === before) {
        await clock.advance(1000)
        waited++
      }
      waits.push(waited)
    }
    expect(waits).toEqual([1, 2, 4, 8, 10, 10])
  })

  test('leaves an unschedulable pod until an event that may help', async () => {
    const { clock, queue, handed, take, add, tell } = setUp()
    const { uid } = add({ name: 'a' })
    take()
    await clock.advance(0)
    queue.park(uid, FIT)
    take()
    queue.notify(namespaceAdded)
    await clock.advance(60_000)
    expect([handed.length, queue.stateOf(uid)]).toEqual([1, 'unschedulable'])
    queue.notify(nodeAdded)
    tell()
    await clock.advance(0)
    expect(handed).toEqual(['default/a', 'default/a'])
  })

  test('hands a woken pod out when all events that came together have been told', async () => {
    const { clock, queue, handed, take, add, tell, told } = setUp()
    for (const name of ['a', 'b']) {
      const { uid } = add({ name })
      take()
      await clock.advance(0)
      queue.park(uid, FIT)
    }
    take()
    for (let event = 0; event < 3; event++) queue.notify(nodeAdded)
    await clock.advance(0)
    expect([handed.length, told.length]).toEqual([2, 1])
    tell()
    await clock.advance(0)
    expect(handed).toEqual(['default/a', 'default/b', 'default/a'])
  })

  test('does not lose an event that comes during the attempt', async () => {
    const { clock, queue, take, add } = setUp()
    const { uid } = add({ name: 'a' })
    take()
    await clock.advance(0)
    queue.notify(nodeAdded)
    queue.park(uid, FIT)
    expect(queue.stateOf(uid)).toBe('backoff')
  })

  test('tries every unschedulable pod again after five minutes', async () => {
    const { clock, queue, handed, take, add } = setUp()
    const { uid } = add({ name: 'a' })
    take()
    await clock.advance(0)
    queue.park(uid, FIT)
    take()
    await clock.advance(299_000)
    expect(handed.length).toBe(1)
    await clock.advance(31_000)
    expect(handed.length).toBe(2)
  })

  test('holds a gated pod until its gates are gone', async () => {
    const { clock, queue, handed, take } = setUp()
    const gated = infoOf({ name: 'a', spec: { schedulingGates: [{ name: 'x' }] } })
    queue.set(gated, new Set(['SchedulingGates']))
    take()
    await clock.advance(400_000)
    expect(handed).toEqual([])
    queue.set(infoOf({ name: 'a' }), NONE)
    await clock.advance(0)
    expect(handed).toEqual(['default/a'])
  })

  test('forgets a deleted pod wherever it is', async () => {
    const { clock, queue, handed, take, add } = setUp()
    const { uid } = add({ name: 'a' })
    queue.delete(uid)
    take()
    await clock.advance(1000)
    expect([handed, queue.counts()]).toEqual([[], { active: 0, backoff: 0, unschedulable: 0, trying: 0 }])
  })

  test('ends the wait when it is closed', async () => {
    const { clock, queue, handed, take } = setUp()
    take()
    queue[Symbol.dispose]()
    await clock.advance(0)
    expect(handed).toEqual(['closed'])
    expect(clock.pending).toBe(0)
  })
})
