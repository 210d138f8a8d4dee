import { beforeEach, expect, test } from 'vitest'
import { createFakeClock, type FakeClock } from '../../../base/fake-clock.ts'
import { seededRandom } from '../../../base/random.ts'
import type { VerifiedToken } from '../bearer-token.ts'
import { cachedTokens, type TokenCache } from './token-cache.ts'

let clock: FakeClock
let asked: string[]
let answer: () => Promise<VerifiedToken | undefined>
let cache: TokenCache

const jane: VerifiedToken = { user: { name: 'jane', groups: [] }, audiences: ['api'] }

beforeEach(() => {
  clock = createFakeClock()
  asked = []
  answer = async () => jane
  const verify = (token: string, audiences: readonly string[]) => {
    asked.push([token, ...audiences].join(' '))
    return answer()
  }
  cache = cachedTokens({ verify }, { clock, random: seededRandom(1), successMs: 10_000, unknownMs: 5_000 })
})

test('an answer is kept for its time', async () => {
  expect(await cache.verify('t', ['api'])).toBe(jane)
  await clock.advance(9_999)
  expect(await cache.verify('t', ['api'])).toBe(jane)
  expect(asked).toEqual(['t api'])
  await clock.advance(1)
  answer = async () => undefined
  expect(await cache.verify('t', ['api'])).toBeUndefined()
})

test('that nobody knows a token is kept for another time', async () => {
  answer = async () => undefined
  await cache.verify('t', ['api'])
  await clock.advance(4_999)
  await cache.verify('t', ['api'])
  expect(asked).toHaveLength(1)
  await clock.advance(1)
  await cache.verify('t', ['api'])
  expect(asked).toHaveLength(2)
})

test('errors are not kept', async () => {
  answer = () => Promise.reject(new Error('away'))
  await expect(cache.verify('t', ['api'])).rejects.toThrow('away')
  answer = async () => jane
  expect(await cache.verify('t', ['api'])).toBe(jane)
})

test('audiences are part of the question, however they are cut', async () => {
  for (const [token, audiences] of [
    ['t', ['a']],
    ['t', ['a', 'b']],
    ['t', ['a,b']],
    ['ta', ['b']],
  ] as const)
    await cache.verify(token, audiences)
  expect(asked).toHaveLength(4)
})

test('who asks while somebody asks gets the same answer', async () => {
  const answers = await Promise.all([cache.verify('t', ['api']), cache.verify('t', ['api'])])
  expect(answers).toEqual([jane, jane])
  expect(asked).toHaveLength(1)
})

test('what was asked before everything was forgotten is not remembered', async () => {
  const slow = Promise.withResolvers<VerifiedToken | undefined>()
  answer = () => slow.promise
  const before = cache.verify('t', ['api'])
  cache.clear()
  slow.resolve(jane)
  expect(await before).toBe(jane)
  answer = async () => undefined
  expect(await cache.verify('t', ['api'])).toBeUndefined()
})

test('tokens that nobody answers for do not pile up', async () => {
  const slow = Promise.withResolvers<VerifiedToken | undefined>()
  answer = () => slow.promise
  const waiting = Array.from({ length: 1_000 }, (_, index) => cache.verify(`t${index}`, ['api']))
  await expect(cache.verify('one more', ['api'])).rejects.toThrow('too many tokens are being asked about')
  const same = cache.verify('t1', ['api'])
  slow.resolve(jane)
  expect(await same).toBe(jane)
  await Promise.all(waiting)
  expect(await cache.verify('one more', ['api'])).toBe(jane)
})
