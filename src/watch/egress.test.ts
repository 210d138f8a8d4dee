import { expect, test } from 'vitest'
import { createFakeClock } from '../base/fake-clock.ts'
import { Egress } from './egress.ts'
import { bookmark, jsonFrames } from './event.ts'

const frames = jsonFrames({ apiVersion: 'v1', kind: 'Thing' })

test('what is due is flushed once what happens now has happened', async () => {
  const egress = new Egress(createFakeClock())
  const flushed: string[] = []
  egress.add({ flush: () => flushed.push('a') })
  egress.add({ flush: () => flushed.push('b') })
  expect(flushed).toEqual([])
  await Promise.resolve()
  expect(flushed).toEqual(['a', 'b'])
})

/** An egress whose clock goes on by what outlets say that they take. */
function timed() {
  const fake = createFakeClock()
  const flushed: string[] = []
  let tookMs = 0
  const egress = new Egress({ ...fake, monotonic: () => fake.monotonic() + tookMs })
  const add = (name: string, ms = 0) =>
    egress.add({
      flush: () => {
        flushed.push(name)
        tookMs += ms
      },
    })
  return { add, flushed, advance: fake.advance }
}

test('a round to many is followed by a rest as long, then by one round for all that came', async () => {
  const { add, flushed, advance } = timed()
  for (let count = 0; count < 320; count++) add('one of many', 2 ** -7)
  await Promise.resolve()
  flushed.splice(0)
  add('second')
  await advance(2)
  add('third')
  expect(flushed).toEqual([])
  await advance(1)
  expect(flushed).toEqual(['second', 'third'])
  add('at once')
  await Promise.resolve()
  expect(flushed).toEqual(['second', 'third', 'at once'])
})

test('a round to few is followed by none, however long it took', async () => {
  const { add, flushed } = timed()
  add('slow', 2.9)
  await Promise.resolve()
  add('at once')
  await Promise.resolve()
  expect(flushed).toEqual(['slow', 'at once'])
})

test('who is not reached in the time of a round comes first in the next one, after a rest', async () => {
  const { add, flushed, advance } = timed()
  for (const name of ['first', 'slow', 'third', 'fourth']) add(name, name === 'slow' ? 100 : 0)
  await Promise.resolve()
  expect(flushed).toEqual(['first', 'slow'])
  add('fifth')
  await advance(1)
  expect(flushed).toEqual(['first', 'slow', 'third', 'fourth', 'fifth'])
})

test('what becomes due in a round is flushed in the next one', async () => {
  const flushed: string[] = []
  const egress = new Egress(createFakeClock())
  egress.add({
    flush: () => {
      egress.add({ flush: () => flushed.push('second') })
      flushed.push('first')
    },
  })
  await Promise.resolve()
  expect(flushed).toEqual(['first'])
  await Promise.resolve()
  expect(flushed).toEqual(['first', 'second'])
})

test('in one round the same batch is the same bytes, whoever asks', async () => {
  const egress = new Egress(createFakeClock())
  const [one, two] = [bookmark(1), bookmark(2)]
  const chunks: unknown[] = []
  const ask = () => chunks.push(egress.chunkOf([one, two], frames))
  for (const flush of [ask, ask]) egress.add({ flush })
  await Promise.resolve()
  expect(chunks[0]).toBe(chunks[1])
  expect(egress.chunkOf([one], frames)).not.toBe(egress.chunkOf([two], frames))
  expect(egress.chunkOf([one], frames)).not.toBe(egress.chunkOf([one], { ...frames, name: 'other' }))
})
