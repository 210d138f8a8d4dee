/** Terminal sizes as they arrive: JSON objects `{"Width":80,"Height":24}`, one after the other. */

import { AsyncQueue } from '../../base/async-queue.ts'

/** Sizes that nobody has applied yet; beyond that the newer are dropped until the reader catches up. */
const SIZES_MAX = 64
/** Characters of one object; honest ones have under 40. */
const SIZE_TEXT_MAX = 1_024

export interface SizeReader {
  readonly sizes: AsyncIterable<{ readonly width: number; readonly height: number }>
  receive(data: Uint8Array): void
  end(): void
}

export function createSizeReader(): SizeReader {
  const sizes = new AsyncQueue<{ readonly width: number; readonly height: number }>(SIZES_MAX)
  let pending = ''
  return {
    sizes,
    end: () => sizes.end(),
    receive(data) {
      pending += Buffer.from(data).toString('latin1')
      for (let end = pending.indexOf('}'); end >= 0; end = pending.indexOf('}')) {
        const size = sizeOf(pending.slice(0, end + 1))
        pending = pending.slice(end + 1)
        if (size) sizes.push(size)
      }
      if (pending.length > SIZE_TEXT_MAX) pending = ''
    },
  }
}

function sizeOf(text: string) {
  const width = /"Width"\s*:\s*(\d{1,5})\b/i.exec(text)?.[1]
  const height = /"Height"\s*:\s*(\d{1,5})\b/i.exec(text)?.[1]
  return width === undefined || height === undefined ? undefined : { width: Number(width), height: Number(height) }
}
