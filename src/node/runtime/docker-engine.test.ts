import { expect, test } from 'vitest'
import { createStarts } from './docker-engine.ts'

test('so many starts run at once, and of those that wait containers come first', async () => {
  const starts = createStarts(2)
  const begun: string[] = []
  const gates = new Map<string, PromiseWithResolvers<void>>()
  const begin = (kind: 'sandbox' | 'container', name: string) => {
    const gate = Promise.withResolvers<void>()
    gates.set(name, gate)
    return starts(kind, async () => {
      begun.push(name)
      await gate.promise
    })
  }
  const all = [begin('sandbox', 's1'), begin('sandbox', 's2'), begin('sandbox', 's3'), begin('container', 'c1')]
  expect(begun).toEqual(['s1', 's2'])
  gates.get('s1')?.resolve()
  await all[0]
  expect(begun).toEqual(['s1', 's2', 'c1'])
  for (const gate of gates.values()) gate.resolve()
  await Promise.all(all)
  expect(begun).toEqual(['s1', 's2', 'c1', 's3'])
})

test('a start that fails gives its turn to the next', async () => {
  const starts = createStarts(1)
  const failing = starts('container', async () => {
    throw new Error('no')
  })
  const next = starts('sandbox', async () => 'started')
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('started')
})
