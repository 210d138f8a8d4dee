import { expect, test } from 'vitest'
import { chunkOfFrames } from './chunk.ts'

test('frames become one chunk, with the frame of HTTP/1.1 around them', () => {
  const { bytes, framed } = chunkOfFrames([Buffer.from('0123456789'), Buffer.from('abcdef\n')])
  expect(Buffer.from(bytes).toString()).toBe('0123456789abcdef\n')
  expect(Buffer.from(framed).toString()).toBe('11\r\n0123456789abcdef\n\r\n')
})
