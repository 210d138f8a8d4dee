import { expect, test } from 'vitest'
import { createKeyedTurns, createTurns } from './turns.ts'

test('work is done one after the other, and a failure stops nobody else', async () => {
  const inTurn = createTurns()
  const order: string[] = []
  const gate = Promise.withResolvers<void>()
  const first = inTurn(async () => {
    await gate.promise
    order.push('first')
    throw new Error('refused')
  })
  const second = inTurn(async () => order.push('second'))
  gate.resolve()
  await expect(first).rejects.toThrow('refused')
  await second
  expect(order).toEqual(['first', 'second'])
})

test('keys wait for themselves only', async () => {
  const inTurn = createKeyedTurns<string>()
  const order: string[] = []
  const gate = Promise.withResolvers<void>()
  const slow = inTurn('a', async () => {
    await gate.promise
    order.push('a1')
  })
  const next = inTurn('a', async () => order.push('a2'))
  await inTurn('b', async () => order.push('b'))
  gate.resolve()
  await Promise.all([slow, next])
  expect(order).toEqual(['b', 'a1', 'a2'])
})
