import { expect, test } from 'vitest'
import { canonical, isShared, sharedForm } from './canonical.ts'
import type { Schema } from './schema.ts'
import { SharedValues, sharedFact, sharedStep } from './shared.ts'

interface Thing {
  readonly size?: number | null
  readonly names?: Readonly<Record<string, string>> | undefined
}

const properties = {
  size: { type: 'integer', presence: 'set' },
  names: { type: 'object', additionalProperties: { type: 'string' }, presence: 'nonZero' },
} as const
const schema: Schema = { definition: 'x.v1.Thing', type: 'object', properties }
const otherSchema: Schema = { definition: 'x.v1.Other', type: 'object', properties: { size: properties.size } }

const thing = (size: number): Thing => ({ names: { b: '2', a: '1' }, size })

test('equal values are one object from the second on, in the form of their schema', () => {
  const things = new SharedValues<Thing>(schema)
  const first = thing(1)
  expect(things.of(first)).toBe(first)
  const second = things.of(thing(1))
  expect(JSON.stringify(second)).toBe('{"size":1,"names":{"a":"1","b":"2"}}')
  expect(Object.isFrozen(second) && Object.isFrozen(second.names)).toBe(true)
  expect(things.of(thing(1))).toBe(second)
  expect(things.of(second)).toBe(second)
  expect([first, second, thing(1)].map(isShared)).toEqual([false, true, false])
  expect(things.of(thing(2))).not.toBe(second)
})

test('what is absent, null and zero stays what it is', () => {
  const things = new SharedValues<Thing>(schema)
  const values: readonly Thing[] = [{}, { size: null }, { size: 0 }, { names: {} }, { size: 1, names: undefined }]
  for (const value of [...values, ...values, ...values])
    expect(JSON.stringify(canonical(things.of(value), schema))).toBe(JSON.stringify(canonical(value, schema)))
})

test('the form takes a shared value as it is, in the place of its own kind only', () => {
  const shared = sharedForm(thing(1), schema)
  expect(canonical(shared, schema)).toBe(shared)
  expect(canonical(shared, schema, thing(1))).toBe(shared)
  const outer: Schema = { definition: 'x.v1.Outer', type: 'object', properties: { inner: schema } }
  expect(canonical({ inner: shared }, outer).inner).toBe(shared)
  expect(JSON.stringify(canonical(shared, otherSchema))).toBe('{"size":1}')
})

test('a table forgets what was not asked for lately, and keeps no long ones', () => {
  const things = new SharedValues<Thing>(schema)
  things.of(thing(-1))
  const kept = things.of(thing(-1))
  for (let size = 0; size < 20_000; size++) {
    things.of(thing(size))
    if (size % 100 === 0) expect(things.of(thing(-1))).toBe(kept)
  }
  expect(things.size).toBeLessThan(1_000)
  const long = { names: { a: 'x'.repeat(10_000) } }
  const before = things.size
  expect([things.of(long), things.of({ ...long })].map(isShared)).toEqual([false, false])
  expect(things.size).toBe(before)
})

test('a step of a shared value is taken once and leads to a shared one; others are walked as they come', () => {
  const taken: Thing[] = []
  const grown = sharedStep<Thing>(schema, (value) => {
    taken.push(value)
    return (value.size ?? 0) > 9 ? value : { ...value, size: (value.size ?? 0) + 1 }
  })
  const shared = sharedForm(thing(1), schema)
  const next = grown(shared)
  expect([next.size, isShared(next), grown(shared) === next, taken.length]).toEqual([2, true, true, 1])
  expect(next.names).toBe(shared.names)
  const full = sharedForm(thing(10), schema)
  expect(grown(full)).toBe(full)
  const plain = Object.freeze(thing(1))
  expect([grown(plain), grown(plain)].map(isShared)).toEqual([false, false])
  expect(taken).toEqual([shared, full, plain, plain])
})

test('a fact about a shared value is found out once', () => {
  let asked = 0
  const isLarge = sharedFact((value: Thing) => {
    asked++
    return (value.size ?? 0) > 5
  })
  const shared = sharedForm(thing(1), schema)
  const plain = thing(9)
  expect([isLarge(shared), isLarge(shared), isLarge(plain), isLarge(plain)]).toEqual([false, false, true, true])
  expect(asked).toBe(3)
})
