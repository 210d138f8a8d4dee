import { describe, expect, test } from 'vitest'
import { createFakeClock } from '../../base/fake-clock.ts'
import { WorkQueue } from './work-queue.ts'

function setUp() {
  const clock = createFakeClock()
  return { clock, queue: new WorkQueue(clock) }
}

describe('add', () => {
  test('queues a key once and hands keys out in order', async () => {
    const { queue } = setUp()
    for (const key of ['a', 'b', 'a']) queue.add(key)
    expect(queue.length).toBe(2)
    expect([await queue.take(), await queue.take()]).toEqual(['a', 'b'])
  })

  test('while the key is worked on brings it back afterwards, to one worker at a time', async () => {
    const { queue } = setUp()
    queue.add('a')
    await queue.take()
    queue.add('a')
    queue.add('a')
    expect(queue.length).toBe(0)
    queue.done('a')
    expect(queue.length).toBe(1)
    expect(await queue.take()).toBe('a')
    queue.done('a')
    expect(queue.idle).toBe(true)
  })

  test('serves the worker that has waited longest', async () => {
    const { queue } = setUp()
    const taken = Promise.all([queue.take(), queue.take()])
    queue.add('a')
    queue.add('b')
    expect(await taken).toEqual(['a', 'b'])
  })
})

describe('delays', () => {
  test('the earliest of several counts', async () => {
    const { clock, queue } = setUp()
    queue.addAfter('a', 500)
    queue.addAfter('a', 100)
    queue.addAfter('a', 900)
    await clock.advance(99)
    expect(queue.length).toBe(0)
    await clock.advance(1)
    expect(queue.length).toBe(1)
    await queue.take()
    queue.done('a')
    await clock.advance(10_000)
    expect(queue.length).toBe(0)
  })

  test('of nothing or less are none', () => {
    const { queue } = setUp()
    queue.addAfter('a', 0)
    queue.addAfter('b', -1)
    expect(queue.length).toBe(2)
  })

  test('after failures double, up to a bound, and start again after a success', async () => {
    const { clock, queue } = setUp()
    const waitedMs: number[] = []
    for (let failure = 0; failure < 20; failure++) {
      queue.retry('a')
      const startMs = clock.monotonic()
      while (queue.length === 0) await clock.advance(5)
      waitedMs.push(clock.monotonic() - startMs)
      await queue.take()
      queue.done('a')
      if (failure === 3) queue.forget('a')
      if (waitedMs.length === 12) break
    }
    expect(waitedMs).toEqual([5, 10, 20, 40, 5, 10, 20, 40, 80, 160, 320, 640])
    expect(queue.failures('a')).toBe(8)
    queue.forget('a')
    expect(queue.failures('a')).toBe(0)
  })
})

describe('close', () => {
  test('releases the workers, drops what waits and cancels the timers', async () => {
    const { clock, queue } = setUp()
    const waiting = queue.take()
    queue.addAfter('b', 10)
    queue.close()
    expect(await waiting).toBeUndefined()
    queue.add('a')
    queue.addAfter('c', 10)
    expect(await queue.take()).toBeUndefined()
    expect(clock.pending).toBe(0)
  })

  test('a key whose work ends afterwards does not come back', async () => {
    const { queue } = setUp()
    queue.add('a')
    await queue.take()
    queue.add('a')
    queue.close()
    queue.done('a')
    expect(queue.length).toBe(0)
  })
})
