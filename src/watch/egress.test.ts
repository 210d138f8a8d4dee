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

test('a long round is followed by a rest of twice its length, then by one round for all that came', async () => {
  const fake = createFakeClock()
  let tookMs = 0
  const egress = new Egress({ ...fake, monotonic: () => fake.monotonic() + tookMs })
  const flushed: string[] = []
  const outlet = (name: string, ms: number) => ({
    flush: () => {
      flushed.push(name)
      tookMs += ms
    },
  })
  egress.add(outlet('long', 8))
  await Promise.resolve()
  egress.add(outlet('second', 0))
  await fake.advance(12)
  egress.add(outlet('third', 0))
  await fake.advance(3)
  expect(flushed).toEqual(['long'])
  await fake.advance(1)
  expect(flushed).toEqual(['long', 'second', 'third'])
  egress.add(outlet('at once', 0))
  await Promise.resolve()
  expect(flushed).toEqual(['long', 'second', 'third', 'at once'])
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
