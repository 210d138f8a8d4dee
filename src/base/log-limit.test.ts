import { expect, test } from 'vitest'
import { createFakeClock } from './fake-clock.ts'
import { createLogLimit } from './log-limit.ts'

test('tells a few in every period, and how many it left out with the next one', async () => {
  const clock = createFakeClock()
  const limit = createLogLimit(clock, { linesMax: 2, periodMs: 1_000 })
  const told: number[] = []
  const happens = (times: number) => {
    for (let left = times; left > 0; left--) limit((leftOut) => told.push(leftOut))
  }
  happens(5)
  expect(told).toEqual([0, 0])
  await clock.advance(999)
  happens(1)
  expect(told).toEqual([0, 0])
  await clock.advance(1)
  happens(1)
  expect(told).toEqual([0, 0, 4])
  await clock.advance(10_000)
  happens(1)
  expect(told).toEqual([0, 0, 4, 0])
})
