/**
 * The listening socket: TLS, HTTP/1.1 and HTTP/2 on one port ↔ `ApiRequest`/`ApiResponse`. The only file of the
 * server that knows sockets. It bounds what a stranger may send (heads, bodies, time, streams), answers what no
 * parser accepts with a 400 Status, and drains on close. Upgrades pass through the same `handle` as everything.
 */

import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Http2SecureServer, Http2Session } from 'node:http2'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Awaitable, lastly, orElse, whenDone, whenThere } from '../base/awaitable.ts'
import { type Clock, SharedTimer, type Timer } from '../base/clock.ts'
import { DeadlineExceeded, QuietAbort } from '../base/deadline.ts'
import type { Logger } from '../base/log.ts'
import { badRequest, requestEntityTooLarge, serviceUnavailable, toStatus } from '../machinery/meta/api-error.ts'
import { encodeJson } from '../machinery/wire/json.ts'
import type { ApiResponse, Handler, RawExchange, UpgradedSocket } from '../machinery/wire/message.ts'
import { BodyBudget } from './body-budget.ts'
import { failureResponse } from './filters/failure-response.ts'
import { apiRequestOf, type Incoming, NO_BODY, type Outgoing, type ReceivedBody, readBody } from './http-request.ts'
import { plainResponseHead, writeResponse } from './http-response.ts'
import { BODY_BYTES_MAX } from './outbound/framing.ts'
import { createPeers, type PeerAuthorities, type Peers } from './peer-certificate.ts'

/** With the authorities whose client certificates name users, and front proxies. */
export interface TlsFiles extends PeerAuthorities {
  /** PEM; the chain, leaf first. */
  readonly certificate: string
  readonly key: string
}

export interface HttpLimits {
  readonly bodyBytesMax: number
  /** Of all bodies that are being read or handled. */
  readonly bodiesBytesMax: number
  /** Request line and headers together. */
  readonly headerBytesMax: number
  readonly connectionsMax: number
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  /** For reading an answer that has an end. */
  readonly sendingTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  readonly streamsPerSessionMax: number
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  bodyBytesMax: BODY_BYTES_MAX,
  /** Callers with large bodies and slow lines are told to come again before they are a burden on the memory. */
  bodiesBytesMax: 256 * 1024 * 1024,
  /** Room for a large bearer token and a long label selector. */
  headerBytesMax: 64 * 1024,
  /** 5,000 nodes with a few connections each, below the usual limit on descriptors. */
  connectionsMax: 20_000,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 60_000,
  sendingTimeoutMs: 60_000,
  /** Longer than the 90 s that client-go keeps an idle connection: the client closes first, no request is lost. */
  keepAliveTimeoutMs: 120_000,
  /** Upstream's `http2-max-streams-per-connection`. */
  streamsPerSessionMax: 100,
}

export interface ListenOptions {
  readonly handle: Handler
  /** Addresses to bind; all get the same port. */
  readonly hosts: readonly string[]
  /** 0: any free one. */
  readonly port: number
  readonly tls: TlsFiles
  readonly http2: boolean
  readonly clock: Clock
  readonly log: Logger
  readonly limits?: Partial<HttpLimits> | undefined
  /** Told with each request how long the client's certificate is still good. */
  readonly onCertificate?: ((leftMs: number) => void) | undefined
  /** Requests whose body is left unread for a handler that takes the connection over: the proxy paths. */
  readonly leavesBody?: ((path: string) => boolean) | undefined
}

export interface Listener {
  /** The first of the hosts. */
  readonly address: string
  readonly port: number
  /** New connections use the new certificate; open ones go on. */
  renew(tls: TlsFiles): void
  /** Accepts nothing more, ends watches and upgraded streams, lets the rest finish for `graceMs`, then cuts. */
  close(graceMs: number): Promise<void>
}

/** MB. The default of 10 is too little for the watches of one client-go connection; each watch has its own bound. */
const SESSION_MEMORY_MB = 1_000
/** Bytes a stream may be ahead of its reader; upstream's value. */
const STREAM_WINDOW_BYTES = 256 * 1024
const TLS_HANDSHAKE_TIMEOUT_MS = 10_000
/** Streams that a caller may reset at once, and per second after that: more is an attack. The library's own values. */
const STREAM_RESETS_AT_ONCE = 1_000
const STREAM_RESETS_PER_SECOND = 33
/** Times in the span of a limit at which it is looked after. */
const CHECKS_PER_LIMIT = 4
/** A peer that vanished without a word is noticed by TCP after about this long. */
const TCP_KEEP_ALIVE_MS = 30_000

/** How long a caller that was refused midway may go on sending, so that it gets to read why. */
const LINGER_MS = 1_000

type Server = HttpsServer | Http2SecureServer

export async function listen(options: ListenOptions): Promise<Listener> {
  const limits = { ...DEFAULT_HTTP_LIMITS, ...options.limits }
  const connections = new Connections(options, limits)
  const servers: Server[] = []
  let port = options.port
  try {
    for (const host of options.hosts) {
      const server = await createServer(options, limits)
      connections.serve(server)
      port = await bind(server, host, port)
      servers.push(server)
    }
  } catch (error) {
    for (const server of servers) server.close()
    throw error
  }
  return {
    address: options.hosts[0] ?? '',
    port,
    renew: (tls) => {
      connections.authorities = tls
      for (const server of servers) server.setSecureContext(contextOptions(tls))
    },
    close: async (graceMs) => {
      const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
      await connections.drain(graceMs)
      await Promise.all(closed)
    },
  }
}

function contextOptions({ certificate, key, clientCa, frontProxyCa }: TlsFiles) {
  const ca = frontProxyCa === undefined ? clientCa : [clientCa, frontProxyCa]
  return { cert: certificate, key, ca, minVersion: 'TLSv1.2' } as const
}

async function createServer({ tls, http2 }: ListenOptions, limits: HttpLimits): Promise<Server> {
  const shared = {
    ...contextOptions(tls),
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: TLS_HANDSHAKE_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    noDelay: true,
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersTimeoutMs,
    connectionsCheckingInterval: limits.headersTimeoutMs / CHECKS_PER_LIMIT,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
  }
  const settings = {
    maxConcurrentStreams: limits.streamsPerSessionMax,
    maxHeaderListSize: limits.headerBytesMax,
    initialWindowSize: STREAM_WINDOW_BYTES,
  }
  const http2Options = {
    ...{ allowHTTP1: true, maxSessionMemory: SESSION_MEMORY_MB, settings },
    ...{ streamResetBurst: STREAM_RESETS_AT_ONCE, streamResetRate: STREAM_RESETS_PER_SECOND },
  }
  // Only who speaks it loads it.
  const server = http2
    ? (await import('node:http2')).createSecureServer({ ...shared, ...http2Options })
    : createHttpsServer(shared)
  server.maxConnections = limits.connectionsMax
  return server
}

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

/** A request under way. */
interface Exchange {
  readonly abort: QuietAbort
  /** A stream or an upgraded connection: it never ends by itself. */
  lasting: boolean
  /** Since when there is an answer to be read that has an end. */
  answeredMs: number | undefined
  readonly emitter: Outgoing | Duplex
}

/** One for all: a stack trace for each finished request would cost more than it tells. */
const CLOSED = new Error('the connection was closed')

const STOPPING = new Error('the server is stopping')

/** Everything open on a set of servers, and what is under way on it. */
class Connections {
  /** Of the connections that begin now. */
  authorities: PeerAuthorities
  readonly #options: ListenOptions
  readonly #limits: HttpLimits
  readonly #peers: Peers
  readonly #sockets = new Set<Socket>()
  readonly #sessions = new Set<Http2Session>()
  readonly #exchanges = new Set<Exchange>()
  #draining = false
  #onIdle: () => void = () => {}
  readonly #bodies: BodyBudget
  readonly #bodyLimit: SharedTimer
  #readingCheck: Timer | undefined

  constructor(options: ListenOptions, limits: HttpLimits) {
    this.#options = options
    this.#limits = limits
    this.#bodies = new BodyBudget(limits.bodiesBytesMax)
    this.#bodyLimit = new SharedTimer(options.clock, limits.requestTimeoutMs)
    this.authorities = options.tls
    this.#peers = createPeers(options, () => this.authorities)
  }

  serve(server: Server): void {
    const { log, clock } = this.#options
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    server.on('request', (request: Incoming, response: Outgoing) =>
      this.#guarded(
        () => this.#onRequest(request, response),
        () => response.destroy(),
      ),
    )
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#guarded(
        () => this.#onUpgrade({ request, socket, head }),
        () => socket.destroy(),
      ),
    )
    server.on('clientError', (error: Error, socket: Duplex) => refuseMalformed(error, socket, clock))
    server.on('tlsClientError', (error: Error) => log.debug('TLS handshake failed', { error: error.message }))
    server.on('sessionError', (error: Error) => log.debug('HTTP/2 session failed', { error: error.message }))
    server.on('error', (error: Error) => log.error('the listener failed', { error }))
    server.on('session', (session: Http2Session) => watchSession(session, this.#sessions, this.#limits))
  }

  async drain(graceMs: number): Promise<void> {
    this.#draining = true
    this.#readingCheck?.cancel()
    for (const session of this.#sessions) session.close()
    for (const exchange of this.#exchanges) if (exchange.lasting) exchange.abort.abort(STOPPING)
    if (this.#exchanges.size > 0) {
      const idle = Promise.withResolvers<void>()
      this.#onIdle = idle.resolve
      const timer = this.#options.clock.after(graceMs, idle.resolve)
      await idle.promise
      timer.cancel()
    }
    for (const exchange of this.#exchanges) exchange.abort.abort(STOPPING)
    for (const session of this.#sessions) session.destroy()
    for (const socket of this.#sockets) socket.destroySoon()
  }

  #begin(emitter: Outgoing | Duplex, lasting: boolean): Exchange {
    const abort = new QuietAbort()
    const exchange: Exchange = { abort, lasting, answeredMs: undefined, emitter }
    this.#exchanges.add(exchange)
    emitter.on('close', () => {
      this.#exchanges.delete(exchange)
      // Nobody is left who would do anything for an answer that has been sent. Of a stream that is cut, HTTP/2 says so too.
      const isSent = emitter instanceof ServerResponse && emitter.writableFinished
      if (exchange.lasting || !isSent) abort.abort(CLOSED)
      if (this.#exchanges.size === 0) this.#onIdle()
    })
    return exchange
  }

  #onRequest(request: Incoming, response: Outgoing): Awaitable<void> {
    const exchange = this.#begin(response, false)
    const unread = this.#options.leavesBody?.(request.url ?? '') ?? false
    return whenDone(
      () => this.#answerOf(request, exchange.abort, unread ? exchangeOf(request, response) : undefined),
      (answer) => this.#send(exchange, answer, request, response),
      (error) => this.#send(exchange, this.#failure(request, exchange.abort, error), request, response),
    )
  }

  #send(exchange: Exchange, answer: ApiResponse, request: Incoming, response: Outgoing): Awaitable<void> {
    const { signal } = exchange.abort
    // Whoever was kept waiting for too long is still there to be told.
    if (signal.aborted && !(signal.reason instanceof DeadlineExceeded)) return
    if (this.#draining && request.httpVersionMajor === 1) response.setHeader('Connection', 'close')
    exchange.lasting = answer.body.type === 'stream' || answer.body.type === 'upgrade'
    if (exchange.lasting && this.#draining) exchange.abort.abort(STOPPING)
    if (answer.body.type === 'upgrade') return answer.body.connect(takenOver(request, response))
    if (!exchange.lasting) this.#expectReading(exchange)
    return writeResponse(answer, { request, response, signal })
  }

  /** Who does not read what they asked for must not keep it in memory for ever. */
  #expectReading(exchange: Exchange): void {
    exchange.answeredMs = this.#options.clock.monotonic()
    this.#checkReading()
  }

  #checkReading(): void {
    const { clock } = this.#options
    const { sendingTimeoutMs } = this.#limits
    if (this.#draining || this.#readingCheck) return
    this.#readingCheck = clock.after(sendingTimeoutMs / CHECKS_PER_LIMIT, () => {
      this.#readingCheck = undefined
      const lateMs = clock.monotonic() - sendingTimeoutMs
      const answered = [...this.#exchanges].filter(({ answeredMs }) => answeredMs !== undefined)
      for (const { answeredMs = 0, emitter } of answered) if (answeredMs <= lateMs) emitter.destroy()
      if (answered.length > 0) this.#checkReading()
    })
  }

  async #onUpgrade({ request, socket, head }: UpgradedSocket): Promise<void> {
    socket.on('error', () => socket.destroy())
    const { abort } = this.#begin(socket, true)
    const { signal } = abort
    const answer = this.#draining
      ? failureResponse(serviceUnavailable('the server is stopping').status)
      : await orElse(
          () => this.#answerOf(request, abort, 'upgrade'),
          (error) => this.#failure(request, abort, error),
        )
    if (signal.aborted) return
    if (answer.body.type === 'upgrade') {
      signal.addEventListener('abort', () => socket.destroy(), { once: true })
      answer.body.connect({ request, socket, head })
      return
    }
    socket.write(plainResponseHead(answer))
    await writeResponse(answer, { request, response: undefined, socket, signal })
  }

  /** `unread`: what is to be passed on as it comes. Absent: the body is read first. */
  #answerOf(request: Incoming, abort: QuietAbort, unread?: RawExchange | 'upgrade'): Awaitable<ApiResponse> {
    if (unread !== undefined) return this.#handled(request, abort, { body: NO_BODY, failure: undefined }, unread)
    const parts = { limit: this.#bodyLimit, abort, budget: this.#bodies }
    return whenThere(readBody(request, this.#limits.bodyBytesMax, parts), (body) => this.#handled(request, abort, body))
  }

  #failure(request: Incoming, { signal }: QuietAbort, error: unknown): ApiResponse {
    const { log } = this.#options
    const status = toStatus(error)
    if (!signal.aborted && status.code === 500) log.error('a request failed', { path: request.url, error })
    return failureResponse(status)
  }

  #handled(
    request: Incoming,
    abort: QuietAbort,
    { body, failure }: ReceivedBody,
    unread?: RawExchange | 'upgrade',
  ): Awaitable<ApiResponse> {
    const { handle } = this.#options
    const isUpgrade = unread === 'upgrade'
    const more = {
      bodyFailure: failure,
      exchange: isUpgrade ? undefined : unread,
      // What has been upgraded lasts beyond the answer, and so does its signal.
      ownAbort: isUpgrade ? undefined : abort,
    }
    const ask = () => handle(apiRequestOf(request, body, abort.signal, this.#peers.of(request), more))
    const answered = body.type === 'bytes' ? lastly(ask, () => this.#bodies.give(body.bytes.length)) : ask()
    if (failure === undefined) return answered
    // Nobody waits for the rest of a body that is not wanted.
    return whenThere(answered, (answer) => ({ ...answer, headers: { ...answer.headers, connection: 'close' } }))
  }

  #guarded(work: () => Awaitable<void>, close: () => void): void {
    void orElse(work, (error) => {
      this.#options.log.error('a response could not be written', { error })
      close()
    })
  }
}

function watchSession(session: Http2Session, sessions: Set<Http2Session>, limits: HttpLimits): void {
  let open = 0
  sessions.add(session)
  session.once('close', () => sessions.delete(session))
  session.on('error', () => session.destroy())
  session.on('stream', (stream) => {
    open++
    stream.once('close', () => open--)
    stream.on('error', () => stream.destroy())
  })
  session.setTimeout(limits.keepAliveTimeoutMs, () => {
    if (open === 0) session.close()
  })
}

/** What the HTTP/1.1 parser does not accept. The connection is of no further use. */
function refuseMalformed(error: Error & { readonly code?: string }, socket: Duplex, clock: Clock): void {
  if (socket.writableEnded) return
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const failure =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? requestEntityTooLarge('the request head is too large')
      : badRequest('malformed HTTP request')
  const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? { ...failure.status, code: 408 } : failure.status
  const body = encodeJson(status)
  const head = plainResponseHead({
    status: error.code === 'HPE_HEADER_OVERFLOW' ? 431 : (status.code ?? 400),
    headers: { 'content-type': 'application/json', 'content-length': String(body.length) },
    body: { type: 'none' },
  })
  socket.end(Buffer.concat([Buffer.from(head), body]))
  const timer = clock.after(LINGER_MS, () => socket.destroy())
  socket.once('close', () => timer.cancel())
}

/** Node's compatibility classes for HTTP/2 stand in for those of HTTP/1.1; their types do not say so. */
function exchangeOf(request: Incoming, response: Outgoing): RawExchange {
  return { request: request as IncomingMessage, response: response as ServerResponse }
}

/** The raw exchange for a handler that writes the answer itself. */
function takenOver(request: Incoming, response: Outgoing): UpgradedSocket {
  return { ...exchangeOf(request, response), socket: request.socket, head: Buffer.alloc(0) }
}
