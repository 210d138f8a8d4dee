import { expect, test } from 'vitest'
import { createEventLane } from './event-lane.ts'

const settled = () => new Promise((resolve) => setImmediate(resolve))

/** Writes that end when told to. */
function world() {
  const lane = createEventLane()
  const begun: number[] = []
  const ends = new Map<number, PromiseWithResolvers<void>>()
  const write = (id: number) =>
    lane(() => {
      begun.push(id)
      const end = Promise.withResolvers<void>()
      ends.set(id, end)
      return end.promise
    })
  return { write, begun, end: (id: number) => ends.get(id)?.resolve(), fail: (id: number) => ends.get(id)?.reject() }
}

test('four events are written at a time, the others follow in their order', async () => {
  const { write, begun, end } = world()
  const written = [0, 1, 2, 3, 4, 5, 6].map(write)
  await settled()
  expect(begun).toEqual([0, 1, 2, 3])
  end(2)
  await settled()
  expect(begun).toEqual([0, 1, 2, 3, 4])
  for (const id of [0, 1, 3, 4]) end(id)
  await settled()
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6])
  for (const id of [5, 6]) end(id)
  await Promise.all(written)
})

test('one that fails lets the next begin', async () => {
  const { write, begun, fail } = world()
  const written = [0, 1, 2, 3, 4].map(write)
  await settled()
  fail(0)
  await expect(written[0]).rejects.toBeUndefined()
  await settled()
  expect(begun).toEqual([0, 1, 2, 3, 4])
})

test('more than may wait are written at once', async () => {
  const { write, begun } = world()
  for (let id = 0; id < 4_010; id++) void write(id)
  await settled()
  expect(begun).toEqual([0, 1, 2, 3, 4_004, 4_005, 4_006, 4_007, 4_008, 4_009])
})
