import { expect, test } from 'vitest'
import { type Awaitable, inTurn, lastly, orElse, whenDone, whenThere } from './awaitable.ts'

const FAILURE = new Error('not today')

const NOW = { value: (): Awaitable<number> => 1, failure: (): Awaitable<number> => fail() }
const LATER = {
  value: (): Awaitable<number> => Promise.resolve(1),
  failure: (): Awaitable<number> => Promise.reject(FAILURE),
}

function fail(): never {
  throw FAILURE
}

test('what is there is gone on with at once, what is not when it comes', async () => {
  expect(whenThere(NOW.value(), (value) => value + 1)).toBe(2)
  await expect(whenThere(LATER.value(), (value) => value + 1)).resolves.toBe(2)
  await expect(whenThere(LATER.value(), fail)).rejects.toBe(FAILURE)
  expect(() => whenThere(NOW.value(), fail)).toThrow(FAILURE)
})

test('a failure is made something of, thrown or rejected', async () => {
  expect(orElse(NOW.value, () => 2)).toBe(1)
  expect(orElse(NOW.failure, () => 2)).toBe(2)
  await expect(orElse(LATER.value, () => 2)).resolves.toBe(1)
  await expect(orElse(LATER.failure, () => 2)).resolves.toBe(2)
})

test('the end is told once, after work that was done and after work that failed', async () => {
  const told: string[] = []
  const tell = (name: string) => () => void told.push(name)
  expect(lastly(NOW.value, tell('value'))).toBe(1)
  expect(() => lastly(NOW.failure, tell('failure'))).toThrow(FAILURE)
  const late = lastly(LATER.value, tell('late value'))
  expect(told).toEqual(['value', 'failure'])
  await expect(late).resolves.toBe(1)
  await expect(lastly(LATER.failure, tell('late failure'))).rejects.toBe(FAILURE)
  expect(told).toEqual(['value', 'failure', 'late value', 'late failure'])
})

test('items are taken in turn, at once up to the first that has to be waited for', async () => {
  const taken: string[] = []
  const append = (value: string, item: string): Awaitable<string> => {
    taken.push(item)
    if (item === '!') throw FAILURE
    return item === 'later' ? Promise.resolve(`${value} ${item}`) : `${value} ${item}`
  }
  expect(inTurn([], 'start', append)).toBe('start')
  expect(inTurn(['a', 'b'], 'start', append)).toBe('start a b')
  expect(() => inTurn(['!', 'a'], 'start', append)).toThrow(FAILURE)
  taken.length = 0
  const late = inTurn(['a', 'later', 'b', 'later', 'c'], 'start', append)
  expect(taken).toEqual(['a', 'later'])
  await expect(late).resolves.toBe('start a later b later c')
  taken.length = 0
  await expect(inTurn(['later', '!', 'a'], 'start', append)).rejects.toBe(FAILURE)
  expect(taken).toEqual(['later', '!'])
})

test('of a success one thing is made, of a failure another, and a failure of the first is told on', async () => {
  const seen = (work: () => Awaitable<number>) =>
    whenDone(
      work,
      (value) => `value ${value}`,
      (error) => `failure ${error === FAILURE}`,
    )
  expect([seen(NOW.value), seen(NOW.failure)]).toEqual(['value 1', 'failure true'])
  expect([await seen(LATER.value), await seen(LATER.failure)]).toEqual(['value 1', 'failure true'])
  expect(() => whenDone(NOW.value, fail, () => 2)).toThrow(FAILURE)
  await expect(whenDone(LATER.value, fail, () => 2)).rejects.toBe(FAILURE)
})
