import { expect, test } from 'vitest'
import { createFakeClock } from './fake-clock.ts'
import { collectWhenQuiet, processHeap } from './quiet-collection.ts'

const MEGABYTE = 1024 * 1024
/** From one collection to the next. */
const LOOK_MS = 9_000

function world() {
  const clock = createFakeClock()
  const stop = new AbortController()
  const heap = { used: 20 * MEGABYTE, live: 20 * MEGABYTE, load: 0, collections: 0 }
  const parts = {
    usedBytes: () => heap.used,
    busy: () => heap.load,
    collect() {
      heap.collections++
      heap.used = heap.live
    },
  }
  collectWhenQuiet(clock, parts, stop.signal)
  return { heap, stop, look: () => clock.advance(LOOK_MS), advance: clock.advance }
}

test('what a burst of work has left is collected twice once there is little to do', async () => {
  const { heap, look } = world()
  heap.used = 100 * MEGABYTE
  heap.load = 0.5
  await look()
  expect(heap.collections).toBe(0)
  heap.load = 0.001
  await look()
  await look()
  await look()
  expect(heap.collections).toBe(2)
})

test('somebody who is served now and then has to wait only if that goes on', async () => {
  const { heap, advance } = world()
  heap.used = 100 * MEGABYTE
  heap.load = 0.02
  await advance(9_000)
  heap.load = 0.5
  await advance(3_000)
  heap.load = 0.02
  await advance(9_000)
  expect(heap.collections).toBe(0)
  await advance(3_000)
  expect(heap.collections).toBe(1)
})

test('nothing is collected where little has come since', async () => {
  const { heap, look } = world()
  heap.used = 30 * MEGABYTE
  await look()
  expect(heap.collections).toBe(0)
  heap.used = heap.live = 100 * MEGABYTE
  await look()
  await look()
  heap.used = 120 * MEGABYTE
  await look()
  expect(heap.collections).toBe(2)
  heap.used = 140 * MEGABYTE
  await look()
  expect(heap.collections).toBe(3)
})

test('it ends with its signal', async () => {
  const { heap, stop, look } = world()
  stop.abort()
  heap.used = 100 * MEGABYTE
  await look()
  expect(heap.collections).toBe(0)
})

test('the heap of this process can be asked and collected', async () => {
  const heap = processHeap()
  const gone = new WeakRef({})
  // Until the end of a turn of the event loop, what a reference has been made of stays.
  await new Promise((resolve) => setImmediate(resolve))
  heap.collect()
  expect(gone.deref()).toBeUndefined()
  expect(heap.usedBytes()).toBeGreaterThan(0)
  expect(heap.busy()).toBeLessThanOrEqual(1)
})
