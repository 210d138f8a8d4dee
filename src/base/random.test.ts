import { expect, test } from 'vitest'
import { randomInteger, randomUuid, seededRandom, systemRandom } from './random.ts'

test('the system never gives the same bytes twice, whatever the lengths asked for', () => {
  const seen = new Set<string>()
  const lengths = [16, 8, 12, 4_096, 5_000, 16]
  for (let round = 0; round < 500; round++) {
    const bytes = systemRandom.bytes(lengths[round % lengths.length] ?? 0)
    expect(bytes.length).toBe(lengths[round % lengths.length])
    seen.add(Buffer.from(bytes).toString('hex', 0, 8))
    expect(systemRandom.next()).toBeLessThan(1)
  }
  expect(seen.size).toBe(500)
})

test("bytes that were given are the caller's own", () => {
  const first = systemRandom.bytes(16)
  const copy = Uint8Array.from(first)
  for (let round = 0; round < 1_000; round++) systemRandom.bytes(16).fill(0)
  expect(first).toEqual(copy)
  expect(first.buffer.byteLength).toBe(16)
})

test('a seed gives the same sequence again', () => {
  const draw = () => {
    const random = seededRandom(7)
    return [random.next(), random.bytes(4), randomInteger(random, 100), randomUuid(random)]
  }
  expect(draw()).toEqual(draw())
})
