/**
 * Bytes that are kept for long. Node carves small buffers out of shared blocks of 64 KB, and a block lives as long as
 * one buffer in it: a hundred thousand small values among short-lived ones would hold gigabytes. What is kept gets
 * memory of its own.
 */

export function joinKept(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Bytes of a block that texts share; longer ones than a quarter of it get memory of their own. */
const BLOCK_BYTES = 32 * 1024

/**
 * Texts as bytes that are let go in the order in which they were made, such as the values written last: they share
 * blocks, which makes a fraction of the allocations. Whoever keeps some of them for longer copies them.
 */
export class TextBlocks {
  #block = Buffer.alloc(0)
  #used = 0

  bytesOf(text: string): Uint8Array {
    const length = Buffer.byteLength(text)
    const bytes = length > BLOCK_BYTES / 4 ? Buffer.allocUnsafeSlow(length) : this.#take(length)
    bytes.write(text)
    return bytes
  }

  #take(length: number): Buffer {
    if (this.#used + length > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
      this.#used = 0
    }
    const start = this.#used
    this.#used += length
    return this.#block.subarray(start, this.#used)
  }
}
