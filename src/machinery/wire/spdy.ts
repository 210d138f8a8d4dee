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
  const open = new Map<number, SpdyStream>()
  const incoming = new AsyncQueue<SpdyStream>(UNTAKEN_STREAMS_MAX)
  const closed = new AbortController()
  const headerReader = createHeaderReader()
  const headerBlock = createHeaderWriter()
  let nextId = role === 'client' ? 1 : 2

  const wire: Wire = {
    forget: (stream) => open.delete(stream.id),
    write(frames, callback) {
      if (socket.destroyed || socket.writableEnded) return callback(null)
      socket.cork()
      for (const [index, frame] of frames.entries())
        if (index < frames.length - 1) socket.write(frame)
        else socket.write(frame, callback)
      socket.uncork()
      if (frames.length === 0) callback(null)
    },
  }
  const send = (frame: Uint8Array) => wire.write([frame], () => {})

  const onSynStream = async (payload: Buffer, flags: number) => {
    if (payload.length < 10) throw new SpdyError('a SYN_STREAM frame is cut short')
    const id = payload.readUInt32BE(0) & 0x7fffffff
    const headers = await headerReader.read(payload.subarray(10))
    if (open.has(id)) throw new SpdyError('a stream is opened twice')
    const stream = new SpdyStream(id, headers, wire)
    if (open.size >= STREAMS_MAX || !incoming.push(stream))
      return send(controlFrame(FRAME.reset, 0, words(id, REFUSED_STREAM)))
    open.set(id, stream)
    stream.on('error', () => {})
    send(controlFrame(FRAME.synReply, 0, Buffer.concat([words(id), headerBlock(new Map())])))
    if (flags & FLAG_FIN) stream.receiveFin()
  }

  const onControl = async (type: number, flags: number, payload: Buffer) => {
    const id = payload.length >= 4 ? payload.readUInt32BE(0) & 0x7fffffff : 0
    switch (type) {
      case FRAME.synStream:
        return onSynStream(payload, flags)
      case FRAME.synReply:
      case FRAME.headers:
        await headerReader.read(payload.subarray(4))
        if (flags & FLAG_FIN) open.get(id)?.receiveFin()
        return
      case FRAME.reset:
        return open.get(id)?.receiveReset()
      case FRAME.ping:
        if (id % 2 === (role === 'server' ? 1 : 0)) send(controlFrame(FRAME.ping, 0, payload))
        return
    }
  }

  const onData = async (id: number, data: Buffer) => {
    const stream = open.get(id)
    const drained = stream?.receive(data)
    if (drained && !socket.destroyed) await drained
    if (stream && !stream.destroyed) send(controlFrame(FRAME.windowUpdate, 0, words(id, data.length)))
  }

  const finish = (error?: Error) => {
    if (closed.signal.aborted) return
    closed.abort(error ?? new SpdyError('the connection is closed'))
    for (const stream of [...open.values()]) stream.receiveEnd()
    incoming.end()
    headerReader.close()
    socket.destroy()
  }

  // Frames that have arrived are still handled, without waiting for slow readers; then the session is over.
  socket.on('error', () => {})
  socket.on('close', () => {
    for (const stream of open.values()) stream.release()
  })
  readFrames(socket, head, { onControl, onData, onFin: (id) => open.get(id)?.receiveFin() }).then(
    () => finish(),
    finish,
  )

  return {
    streams: incoming,
    closed: closed.signal,
    open(headers) {
      const stream = new SpdyStream(nextId, headers, wire)
      nextId += 2
      open.set(stream.id, stream)
      stream.on('error', () => {})
      send(
        controlFrame(FRAME.synStream, 0, Buffer.concat([words(stream.id, 0), Buffer.alloc(2), headerBlock(headers)])),
      )
      return stream
    },
    end: () => void socket.end(),
    destroy: () => finish(),
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
