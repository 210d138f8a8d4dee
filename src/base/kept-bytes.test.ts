import { expect, test } from 'vitest'
import { joinKept } from './kept-bytes.ts'

test('joins the parts in memory that nothing else shares', () => {
  const bytes = joinKept([Buffer.from('one, '), new Uint8Array(), Buffer.from('two')])
  expect(Buffer.from(bytes).toString()).toBe('one, two')
  expect(bytes.buffer.byteLength).toBe(8)
})
