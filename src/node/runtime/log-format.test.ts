import { expect, test } from 'vitest'
import type { Frame } from './docker-streams.ts'
import { linesOfFrames, linesOfTerminal } from './log-format.ts'

const time = (second: number) => `2026-01-01T00:00:0${second}.123456789Z`
const entry = (second: number, content: string, stream: Frame['stream'] = 'stdout'): Frame => ({
  stream,
  bytes: Buffer.from(`${time(second)} ${content}`),
})

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

async function joined(frames: readonly Frame[]): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const { timestamp, stream, bytes } of linesOfFrames(each(frames)))
    lines.push(`${timestamp} ${stream} ${Buffer.from(bytes)}`)
  return lines
}

const PIECE = 'x'.repeat(16_384)

test('an entry is a line with its time and stream', async () => {
  expect(await joined([entry(1, 'one\n'), entry(2, 'two\n', 'stderr'), entry(3, '\n')])).toEqual([
    `${time(1)} stdout one\n`,
    `${time(2)} stderr two\n`,
    `${time(3)} stdout \n`,
  ])
})

test('pieces of a line come out as one with the time of the first, while the other stream goes on', async () => {
  expect(await joined([entry(1, PIECE), entry(2, 'between\n', 'stderr'), entry(3, 'end\n')])).toEqual([
    `${time(2)} stderr between\n`,
    `${time(1)} stdout ${PIECE}end\n`,
  ])
})

test('what comes last needs no newline', async () => {
  expect(await joined([entry(1, 'one'), entry(2, PIECE)])).toEqual([
    `${time(1)} stdout one`,
    `${time(2)} stdout ${PIECE}`,
  ])
})

test('a line without end comes out in pieces, so that it need not fit into memory', async () => {
  const lines = await joined(Array.from({ length: 200 }, () => entry(1, PIECE)))
  expect(lines.length).toBeGreaterThan(2)
  expect(lines.map((line) => line.length - `${time(1)} stdout `.length).reduce((a, b) => a + b)).toBe(200 * 16_384)
})

test('a terminal’s log has no frames; entries are found by newlines and by the length of pieces', async () => {
  const source = Buffer.from(`${time(1)} one\r\n${time(2)} ${PIECE}${time(3)} end\r\n${time(4)} $ `)
  for (const size of [1, 7, 1000, source.length]) {
    const chunks: Buffer[] = []
    for (let start = 0; start < source.length; start += size) chunks.push(source.subarray(start, start + size))
    const lines: string[] = []
    for await (const { timestamp, bytes } of linesOfTerminal(each(chunks)))
      lines.push(`${timestamp} ${Buffer.from(bytes)}`)
    expect(lines).toEqual([`${time(1)} one\r\n`, `${time(2)} ${PIECE}end\r\n`, `${time(4)} $ `])
  }
})
