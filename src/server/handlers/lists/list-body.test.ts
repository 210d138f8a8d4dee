import { expect, test } from 'vitest'
import { seededRandom } from '../../../base/random.ts'
import { type EncodedBody, type ListForm, listBody } from './list-body.ts'

const form: ListForm<Uint8Array> = {
  head: Buffer.from('['),
  separator: Buffer.from(','),
  tail: Buffer.from(']'),
  lengthOf: ({ length }) => length,
  write: (item, target, at) => target.set(item, at),
}

/** Copies: a piece lasts until the next is asked for. */
function piecesOf(body: EncodedBody): readonly Buffer[] {
  return body.type === 'bytes' ? [Buffer.from(body.bytes)] : Array.from(body.pieces, (piece) => Buffer.from(piece))
}

test('a short list is one piece, an empty one too', () => {
  expect(piecesOf(listBody([Buffer.from('a'), Buffer.from('b')], form)).map(String)).toEqual(['[a,b]'])
  expect(piecesOf(listBody([], form)).map(String)).toEqual(['[]'])
})

test('lists of any lengths are their items in order, and as long as was said', () => {
  const random = seededRandom(6)
  const below = (limit: number) => Math.floor(random.next() * limit)
  for (let round = 0; round < 30; round++) {
    const largest = 2 ** (4 + (round % 16))
    const items = Array.from({ length: below(60) }, (_, index) => Buffer.alloc(below(largest), 0x61 + (index % 26)))
    const expected = `[${items.map(String).join(',')}]`
    const body = listBody(items, form)
    expect(body.type === 'bytes' ? body.bytes.length : body.length).toBe(expected.length)
    expect(Buffer.concat(piecesOf(body)).equals(Buffer.from(expected))).toBe(true)
  }
})

test('a long list is never in memory as a whole', () => {
  const items = Array.from({ length: 1_000 }, () => Buffer.alloc(3_000, 'x'))
  const body = listBody(items, form)
  const lengths = piecesOf(body).map(({ length }) => length)
  expect(lengths.length).toBeGreaterThan(10)
  expect(Math.max(...lengths)).toBeLessThanOrEqual(256 * 1024)
})

test('lists at the same time and after each other do not touch each other', () => {
  const bodies = Array.from({ length: 30 }, (_, index) => {
    const letter = String.fromCharCode(0x61 + (index % 26))
    const items = Array.from({ length: 200 + index }, () => Buffer.alloc(3_000, letter))
    const body = listBody(items, form)
    return { body, expected: `[${items.map(String).join(',')}]`, read: '' }
  })
  const under = bodies.map((one) => ({
    ...one,
    pieces: one.body.type === 'pieces' ? one.body.pieces[Symbol.iterator]() : undefined,
  }))
  for (const [start, end] of [
    [0, 12],
    [12, 30],
  ] as const)
    for (let open = under.slice(start, end); open.length > 0; )
      open = open.filter((one) => {
        const next = one.pieces?.next()
        if (!next || next.done) return false
        one.read += Buffer.from(next.value).toString()
        return true
      })
  expect(under.map(({ read, expected }) => read === expected)).toEqual(bodies.map(() => true))
})
