import { expect, test } from 'vitest'
import { encodeJson } from './json.ts'
import { decodeWatchFrames, encodeWatchFrame } from './watch-frames.ts'

const object = (name: string) => ({ kind: 'Pod', metadata: { name } })

test('frames survive any cut into chunks', async () => {
  const text = Buffer.concat([
    encodeWatchFrame('ADDED', encodeJson(object('ä'))),
    encodeWatchFrame('DELETED', encodeJson(object('b'))),
  ])
  for (let size = 1; size <= text.length; size++) {
    const chunks = async function* () {
      for (let start = 0; start < text.length; start += size) yield text.subarray(start, start + size)
    }
    const events = []
    for await (const batch of decodeWatchFrames(chunks())) events.push(...batch)
    expect(events).toEqual([
      { type: 'ADDED', object: object('ä') },
      { type: 'DELETED', object: object('b') },
    ])
  }
})

test('what is no frame is refused', async () => {
  for (const line of ['{"type":"ADDED"}\n', '{"type":"constructor","object":{}}\n', 'null\n', 'x\n']) {
    const chunks = async function* () {
      yield Buffer.from(line)
    }
    await expect(decodeWatchFrames(chunks()).next()).rejects.toThrow()
  }
})
