import { expect, test } from 'vitest'
import { joinKept, TextBlocks } from './kept-bytes.ts'

test('joins the parts in memory that nothing else shares', () => {
  const bytes = joinKept([Buffer.from('one, '), new Uint8Array(), Buffer.from('two')])
  expect(Buffer.from(bytes).toString()).toBe('one, two')
  expect(bytes.buffer.byteLength).toBe(8)
})

test('texts of any length come out as they are, few of them in memory of their own', () => {
  const blocks = new TextBlocks()
  const texts = Array.from({ length: 500 }, (_, index) => `é😀${'x'.repeat((index * 7_919) % 20_000)}`)
  const made = texts.map((text) => blocks.bytesOf(text))
  expect(made.map((bytes) => Buffer.from(bytes).toString())).toEqual(texts)
  const short = made.filter(({ length }) => length < 8_000)
  expect(new Set(short.map(({ buffer }) => buffer)).size).toBeLessThan(short.length / 3)
  for (const { length, buffer } of made) expect(buffer.byteLength).toBe(length > 8_192 ? length : 32_768)
})
