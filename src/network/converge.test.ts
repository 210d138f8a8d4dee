import { expect, test } from 'vitest'
import { createFakeClock } from '../base/fake-clock.ts'
import { converge } from './converge.ts'

function scene(outcomes: readonly ('ok' | 'fail')[] = []) {
  const clock = createFakeClock()
  const seen = { runs: 0, failures: 0 }
  const loop = converge({
    clock,
    begin: async () => {},
    work: async () => {
      if (outcomes[seen.runs++] === 'fail') throw new Error('not now')
    },
    onFailure: () => seen.failures++,
  })
  return { clock, seen, loop }
}

test('works at the start, and once for changes that come together', async () => {
  const { clock, seen, loop } = scene()
  await clock.advance(1000)
  expect(seen.runs).toBe(1)
  loop.wake()
  loop.wake()
  await clock.advance(1000)
  expect(seen.runs).toBe(2)
  await loop[Symbol.asyncDispose]()
})

test('tries again what failed, without a change', async () => {
  const { clock, seen, loop } = scene(['fail', 'fail', 'ok'])
  await clock.advance(10_000)
  expect(seen).toEqual({ runs: 3, failures: 2 })
  await loop[Symbol.asyncDispose]()
})

test('does nothing after its end', async () => {
  const { clock, seen, loop } = scene()
  await clock.advance(1)
  await loop[Symbol.asyncDispose]()
  loop.wake()
  await clock.advance(1000)
  expect(seen.runs).toBe(1)
})
