import { expect, test } from 'vitest'
import { oncePer } from './lru.ts'

test('what is made of an object is made once, and of an equal one once more', () => {
  let calls = 0
  const lengthOf = oncePer((items: readonly number[]) => `${items.length}, call ${++calls}`)
  const items = [1, 2]
  expect([lengthOf(items), lengthOf(items), lengthOf([1, 2]), lengthOf(items)]).toEqual([
    '2, call 1',
    '2, call 1',
    '2, call 2',
    '2, call 1',
  ])
})

test('what fails is tried again', () => {
  let calls = 0
  const make = oncePer((key: object) => {
    if (++calls === 1) throw new Error('not yet')
    return { key }
  })
  const key = {}
  expect(() => make(key)).toThrow('not yet')
  expect(make(key)).toBe(make(key))
})
