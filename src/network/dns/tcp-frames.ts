/** DNS over TCP: every message has its length in two bytes before it. */

const LENGTH_BYTES = 2

export function frame(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(LENGTH_BYTES + message.length)
  framed.writeUInt16BE(message.length, 0)
  message.copy(framed, LENGTH_BYTES)
  return framed
}

/** Puts messages together from whatever pieces arrive. */
export class FrameReader {
  #held: Buffer = Buffer.alloc(0)

  /** The messages that are complete with this piece. */
  push(piece: Buffer): Buffer[] {
    this.#held = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece])
    const messages: Buffer[] = []
    while (this.#held.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + this.#held.readUInt16BE(0)
      if (this.#held.length < end) break
      messages.push(this.#held.subarray(LENGTH_BYTES, end))
      this.#held = this.#held.subarray(end)
    }
    return messages
  }
}
