/** Bytes for many connections, made once: with the frame of an HTTP/1.1 chunk around them. */

/** Ready to be sent as it is, to whomever. */
export interface SharedChunk {
  readonly bytes: Uint8Array
  /** The same bytes in the frame of an HTTP/1.1 chunk. */
  readonly framed: Uint8Array
}

/** Where chunks go. */
export interface ChunkSink {
  /** False: it is enough for now; `whenDrained` says when there is room again. */
  write(chunk: SharedChunk): boolean
  whenDrained(callback: () => void): void
  /** After the last chunk. */
  end(): void
}

const LINE_END = Buffer.from('\r\n')

/** The frames one after the other as one chunk. */
export function chunkOfFrames(frames: readonly Uint8Array[]): SharedChunk {
  const length = frames.reduce((sum, frame) => sum + frame.length, 0)
  const head = Buffer.from(`${length.toString(16)}\r\n`)
  const framed = Buffer.concat([head, ...frames, LINE_END])
  return { framed, bytes: framed.subarray(head.length, head.length + length) }
}
