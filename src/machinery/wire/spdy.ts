/**
 * A SPDY/3.1 session over any duplex: the streams that the peer opens, and streams opened to it. Both roles.
 *
 * Flow control is the socket's: kubectl never sends WINDOW_UPDATE, so a sender that kept to the 64 KB window would
 * hang. A stream whose reader is slow holds at most `STREAM_BUFFER_BYTES`; then the session reads no further.
 */

import { Duplex } from 'node:stream'
import { AsyncQueue } from '../../base/async-queue.ts'
import {
  CONTROL_BYTES_MAX,
  controlFrame,
  createHeaderReader,
  createHeaderWriter,
  dataFrameHead,
  FLAG_FIN,
  FRAME,
  FRAME_HEAD_BYTES,
  SpdyError,
  type SpdyHeaders,
  words,
} from './spdy-frames.ts'

/** Received bytes that wait for the reader of one stream. */
const STREAM_BUFFER_BYTES = 256 * 1024
/** Bytes of data per frame: streams take turns at this grain. */
const DATA_FRAME_BYTES = 32 * 1024
/** Streams open at once in a session; a port-forward uses two per connection. */
const STREAMS_MAX = 2_000
/** Streams opened by the peer that nobody has taken yet. */
const UNTAKEN_STREAMS_MAX = 256

const REFUSED_STREAM = 3
const CANCEL = 5

export interface SpdySession {
  /** The streams that the peer opens, in order, already accepted. Ends with the session. */
  readonly streams: AsyncIterable<SpdyStream>
  /** Opens a stream to the peer. */
  open(headers: SpdyHeaders): SpdyStream
  /** Aborts when the connection is gone. */
  readonly closed: AbortSignal
  /** Sends what is queued, then closes the connection. */
  end(): void
  destroy(): void
}

/** What a stream needs of its session. */
interface Wire {
  write(frames: readonly Uint8Array[], callback: (error?: Error | null) => void): void
  forget(stream: SpdyStream): void
}

export class SpdyStream extends Duplex {
  readonly id: number
  readonly headers: SpdyHeaders
  readonly #wire: Wire
  #finSent = false
  #finReceived = false
  #resetReceived = false
  #onDrained: (() => void) | undefined

  constructor(id: number, headers: SpdyHeaders, wire: Wire) {
    super({ allowHalfOpen: true, readableHighWaterMark: STREAM_BUFFER_BYTES })
    this.id = id
    this.headers = headers
    this.#wire = wire
  }

  /** Data from the peer. A promise when the buffer is full: read no further before it resolves. */
  receive(data: Buffer): Promise<void> | undefined {
    if (this.destroyed || this.#finReceived || this.push(data)) return undefined
    return new Promise((resolve) => {
      this.#onDrained = resolve
    })
  }

  receiveFin(): void {
    if (this.#finReceived) return
    this.#finReceived = true
    this.push(null)
  }

  receiveReset(): void {
    this.#resetReceived = true
    this.destroy()
  }

  /** The connection is gone: what arrived whole may still be read, everything else is over. */
  receiveEnd(): void {
    this.#resetReceived = true
    if (!this.#finReceived || this.readableEnded) this.destroy()
    else this.once('end', () => this.destroy())
  }

  override _read(): void {
    this.release()
  }

  /** Whoever waits for the buffer to drain need wait no longer. */
  release(): void {
    this.#onDrained?.()
    this.#onDrained = undefined
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error | null) => void): void {
    const frames: Uint8Array[] = []
    for (let start = 0; start < chunk.length; start += DATA_FRAME_BYTES) {
      const part = chunk.subarray(start, start + DATA_FRAME_BYTES)
      frames.push(dataFrameHead(this.id, 0, part.length), part)
    }
    this.#wire.write(frames, callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#finSent = true
    this.#wire.write([dataFrameHead(this.id, FLAG_FIN, 0)], callback)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const over = this.#resetReceived || (this.#finSent && this.#finReceived)
    if (!over) this.#wire.write([controlFrame(FRAME.reset, 0, words(this.id, CANCEL))], () => {})
    this.#wire.forget(this)
    this.release()
    callback(error)
  }
}

/** `head`: bytes that were read off the socket before the session began. */
export function createSpdySession(socket: Duplex, role: 'server' | 'client', head?: Uint8Array): SpdySession {
  const session = new Session(socket, role)
  readFrames(socket, head, session).then(
    () => session.destroy(),
    (error) => session.destroy(error),
  )
  return session
}

class Session implements SpdySession, FrameHandlers, Wire {
  readonly #socket: Duplex
  /** What the peer's streams and pings have as the lowest bit of their ids. */
  readonly #peerParity: 0 | 1
  readonly #open = new Map<number, SpdyStream>()
  readonly #incoming = new AsyncQueue<SpdyStream>(UNTAKEN_STREAMS_MAX)
  readonly #closed = new AbortController()
  readonly #headerReader = createHeaderReader()
  readonly #headerBlock = createHeaderWriter()
  #nextId: number

  constructor(socket: Duplex, role: 'server' | 'client') {
    this.#socket = socket
    this.#peerParity = role === 'server' ? 1 : 0
    this.#nextId = role === 'client' ? 1 : 2
    // Frames that have arrived are still handled, without waiting for slow readers; then the session is over.
    socket.on('error', () => {})
    socket.on('close', () => {
      for (const stream of this.#open.values()) stream.release()
    })
  }

  get streams(): AsyncIterable<SpdyStream> {
    return this.#incoming
  }

  get closed(): AbortSignal {
    return this.#closed.signal
  }

  open(headers: SpdyHeaders): SpdyStream {
    const stream = new SpdyStream(this.#nextId, headers, this)
    this.#nextId += 2
    this.#add(stream)
    const payload = Buffer.concat([words(stream.id, 0), Buffer.alloc(2), this.#headerBlock(headers)])
    this.#send(controlFrame(FRAME.synStream, 0, payload))
    return stream
  }

  end(): void {
    this.#socket.end()
  }

  destroy(error?: Error): void {
    if (this.#closed.signal.aborted) return
    this.#closed.abort(error ?? new SpdyError('the connection is closed'))
    for (const stream of [...this.#open.values()]) stream.receiveEnd()
    this.#incoming.end()
    this.#headerReader.close()
    this.#socket.destroy()
  }

  forget(stream: SpdyStream): void {
    this.#open.delete(stream.id)
  }

  write(frames: readonly Uint8Array[], callback: (error?: Error | null) => void): void {
    const socket = this.#socket
    if (socket.destroyed || socket.writableEnded || frames.length === 0) return void callback(null)
    socket.cork()
    for (const frame of frames.slice(0, -1)) socket.write(frame)
    socket.write(frames.at(-1), callback)
    socket.uncork()
  }

  async onControl(type: number, flags: number, payload: Buffer): Promise<void> {
    const id = payload.length >= 4 ? payload.readUInt32BE(0) & 0x7fffffff : 0
    switch (type) {
      case FRAME.synStream:
        return this.#onSynStream(id, flags, payload)
      case FRAME.synReply:
      case FRAME.headers:
        await this.#headerReader.read(payload.subarray(4))
        if (flags & FLAG_FIN) this.onFin(id)
        return
      case FRAME.reset:
        return this.#open.get(id)?.receiveReset()
      case FRAME.ping:
        if (id % 2 === this.#peerParity) this.#send(controlFrame(FRAME.ping, 0, payload))
        return
    }
  }

  async onData(id: number, data: Buffer): Promise<void> {
    const stream = this.#open.get(id)
    const drained = stream?.receive(data)
    if (drained && !this.#socket.destroyed) await drained
    if (stream && !stream.destroyed) this.#send(controlFrame(FRAME.windowUpdate, 0, words(id, data.length)))
  }

  onFin(id: number): void {
    this.#open.get(id)?.receiveFin()
  }

  async #onSynStream(id: number, flags: number, payload: Buffer): Promise<void> {
    if (payload.length < 10) throw new SpdyError('a SYN_STREAM frame is cut short')
    const headers = await this.#headerReader.read(payload.subarray(10))
    if (this.#open.has(id)) throw new SpdyError('a stream is opened twice')
    const stream = new SpdyStream(id, headers, this)
    if (this.#open.size >= STREAMS_MAX || !this.#incoming.push(stream))
      return this.#send(controlFrame(FRAME.reset, 0, words(id, REFUSED_STREAM)))
    this.#add(stream)
    this.#send(controlFrame(FRAME.synReply, 0, Buffer.concat([words(id), this.#headerBlock(new Map())])))
    if (flags & FLAG_FIN) stream.receiveFin()
  }

  #add(stream: SpdyStream): void {
    this.#open.set(stream.id, stream)
    stream.on('error', () => {})
  }

  #send(frame: Uint8Array): void {
    this.write([frame], () => {})
  }
}

interface FrameHandlers {
  onControl(type: number, flags: number, payload: Buffer): Promise<void>
  /** May be a part of a frame: data is passed on as it arrives. */
  onData(streamId: number, data: Buffer): Promise<void>
  onFin(streamId: number): void
}

/** Handles one frame after the other until the socket ends. */
async function readFrames(socket: Duplex, head: Uint8Array | undefined, handlers: FrameHandlers): Promise<void> {
  let pending: Buffer = Buffer.alloc(0)
  let data: { readonly id: number; readonly fin: boolean; remaining: number } | undefined
  const take = (bytes: number): Buffer => {
    const part = pending.subarray(0, bytes)
    pending = pending.subarray(bytes)
    return part
  }
  for await (const chunk of withHead(socket, head)) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    for (;;) {
      if (data) {
        const part = take(Math.min(data.remaining, pending.length))
        data.remaining -= part.length
        if (part.length > 0) await handlers.onData(data.id, part)
        if (data.remaining > 0) break
        if (data.fin) handlers.onFin(data.id)
        data = undefined
      }
      if (pending.length < FRAME_HEAD_BYTES) break
      const first = pending.readUInt32BE(0)
      const length = pending.readUIntBE(5, 3)
      const flags = pending.readUInt8(4)
      if (first < 0x80000000) {
        take(FRAME_HEAD_BYTES)
        data = { id: first, fin: (flags & FLAG_FIN) !== 0, remaining: length }
        continue
      }
      if (length > CONTROL_BYTES_MAX) throw new SpdyError('a control frame is too large')
      if (((first >>> 16) & 0x7fff) !== 3) throw new SpdyError('the peer does not speak SPDY/3')
      if (pending.length < FRAME_HEAD_BYTES + length) break
      take(FRAME_HEAD_BYTES)
      await handlers.onControl(first & 0xffff, flags, take(length))
    }
  }
}

async function* withHead(socket: Duplex, head: Uint8Array | undefined): AsyncGenerator<Buffer, void> {
  if (head && head.length > 0) yield Buffer.from(head)
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) yield chunk
}
