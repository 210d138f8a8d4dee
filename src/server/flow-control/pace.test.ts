/** Turns of an event loop whose clock moves only while requests are handled. */

import { beforeEach, expect, test } from 'vitest'
import { type Dispatching, type Pace, paceOf } from './pace.ts'

let nowMs: number
let pace: Pace
let began: string[]
beforeEach(() => {
  nowMs = 0
  began = []
  pace = paceOf({ monotonic: () => nowMs })
})

/** A level with requests that each take so long. */
function level(name: string, waiting: number, takesMs: number): Dispatching {
  let left = waiting
  return {
    dispatch() {
      if (left-- <= 0) return false
      began.push(name)
      queueMicrotask(() => {
        nowMs += takesMs
      })
      return true
    },
  }
}

/** What began in the next turn of the loop. */
async function turn(): Promise<readonly string[]> {
  await new Promise((resolve) => setImmediate(resolve))
  return began.splice(0)
}

test('requests begin for five milliseconds of each turn', async () => {
  expect([0, 4, 5, 6].map((ms) => pace.hasTime(ms))).toEqual([true, true, false, false])
  await turn()
  expect(pace.hasTime(6)).toBe(true)
})

test('what comes in a short turn begins with the next one', async () => {
  expect(pace.hasTime(0)).toBe(true)
  await turn()
  expect([0.1, 0.9, 1, 5.9, 6].map((ms) => pace.hasTime(ms))).toEqual([true, true, true, true, false])
})

test('levels take turns, as long as there is time', async () => {
  pace.wake(level('a', 3, 0))
  pace.wake(level('b', 1, 0))
  expect(began).toEqual([])
  expect(await turn()).toEqual(['a', 'b', 'a', 'a'])
})

test('what a turn has no time for begins in the next ones', async () => {
  pace.wake(level('a', 5, 3))
  expect([await turn(), await turn(), await turn()]).toEqual([['a', 'a'], ['a', 'a'], ['a']])
})

test('one that lasts does not keep another level from its turn', async () => {
  pace.wake(level('a', 2, 100))
  pace.wake(level('b', 2, 100))
  expect([await turn(), await turn(), await turn(), await turn()].flat()).toEqual(['a', 'b', 'a', 'b'])
})

test('seats are given back before anybody else begins', async () => {
  pace.wake(level('a', 1, 0))
  pace.release(() => void began.push('released'))
  expect(await turn()).toEqual(['released', 'a'])
})
