import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { copyOutput, frames } from './docker-streams.ts'

function frame(stream: number, content: string): Buffer {
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(Buffer.byteLength(content), 4)
  return Buffer.concat([header, Buffer.from(content)])
}

const both = Buffer.concat([frame(1, 'out'), frame(2, ''), frame(2, 'err'), frame(1, 'more')])

test('frames are found however the stream is cut', async () => {
  for (const size of [1, 2, 5, 9, both.length]) {
    const chunks: Buffer[] = []
    for (let start = 0; start < both.length; start += size) chunks.push(both.subarray(start, start + size))
    const found: string[] = []
    for await (const { stream, bytes } of frames(Readable.from(chunks))) found.push(`${stream} ${bytes}`)
    expect(found).toEqual(['stdout out', 'stderr ', 'stderr err', 'stdout more'])
  }
})

test('a frame that is cut off is dropped', async () => {
  const found: string[] = []
  for await (const { bytes } of frames(Readable.from([both.subarray(0, both.length - 1)]))) found.push(`${bytes}`)
  expect(found).toEqual(['out', '', 'err'])
})

test('output is copied to where it belongs; with a terminal all of it is one stream', async () => {
  for (const [tty, source, expected] of [
    [false, both, ['outmore', 'err']],
    [true, Buffer.from('all'), ['all', '']],
  ] as const) {
    const stdout = new PassThrough()
    const stderr = new PassThrough()
    const output = Promise.all([text(stdout), text(stderr)])
    await copyOutput(Readable.from([source]), { stdout, stderr }, tty)
    stdout.end()
    stderr.end()
    expect(await output).toEqual(expected)
  }
})

test('output goes on when its reader has left', async () => {
  const stdout = new PassThrough()
  stdout.destroy()
  await copyOutput(Readable.from([both]), { stdout }, false)
})
