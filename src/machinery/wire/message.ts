/**
 * A request to the API and its answer, as plain values: the currency between transports and the server.
 * `http.ts` makes them from sockets, the loopback transport from function calls; nothing else differs.
 */

import type { Awaitable } from '../../base/awaitable.ts'
import type { QuietAbort } from '../../base/deadline.ts'
import type { ApiError, Status } from '../meta/api-error.ts'
import type { KubeObject } from '../meta/object.ts'
import type { ChunkSink } from './chunk.ts'

/** Who asks. Set by authentication. */
export interface UserInfo {
  readonly name: string
  readonly uid?: string | undefined
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined
}

/** Why a write happens: kept beside the revision, outside the object. */
export interface Cause {
  /** `request` for a caller over the wire, else the name of the component. */
  readonly by: string
  readonly user?: string | undefined
  /** The request's id, or `resource namespace/name` of the object that was acted on. */
  readonly about?: string | undefined
  /** The newest revision the component had seen. */
  readonly revision?: number | undefined
}

/** Levels of the audit log that say more than the one before. */
export type AuditDetail = 'Metadata' | 'Request'

/** Parts of the server in which a request may spend its time, as the audit log names them. */
export type AuditLayer =
  | 'authentication'
  | 'impersonation'
  | 'authorization'
  | 'mutating-webhook'
  | 'validating-webhook'

/** What the parts of the server that handle a request tell the audit log of it. */
export interface AuditTrail {
  /** A short fact. What was said first under a key stays. `from`: the level from which on it is logged; absent: all. */
  annotate(key: string, value: string, from?: AuditDetail): void
  /** What `work` returns, and how long the request was in that part of the server: told of those that took long. */
  timed<T>(layer: AuditLayer, work: () => Awaitable<T>): Awaitable<T>
  /** The body, as it was understood. `form` makes what is logged of it, where bodies are. */
  sent(object: KubeObject | undefined, form: () => unknown): void
  /** As whom the user acts; `constraint` is the right by which, if that is a limited one. */
  impersonated(user: UserInfo, constraint: string | undefined): void
  /** The object of the answer; `form` makes it, where answers are logged. Not for watches. */
  answers(form: () => unknown): void
  /** The answer is a Status, which is logged in short wherever anything is. */
  answersStatus(status: Status): void
  /** The code that a handler answers with which took the connection over. */
  answered(code: number): void
}

export interface ApiRequest {
  /** Upper case. */
  readonly method: string
  /** Decoded by nobody yet: as on the request line, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** As on the request line, without the question mark. Absent over loopback. */
  readonly rawQuery?: string | undefined
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: RequestBody
  /** Why there is no body although one was sent: it is too large, or it broke off. Told once the caller is known. */
  readonly bodyFailure?: ApiError | undefined
  /** Aborts when the caller goes away or the server stops. */
  readonly signal: AbortSignal
  /** Of , where that is this request's alone: it aborts then, too, when the request has taken too long. */
  readonly ownAbort?: QuietAbort | undefined
  /** The verified identity of the connection: a client certificate over TLS, the component's own over loopback. */
  readonly peer?: UserInfo | undefined
  /** The common name of the front proxy whose certificate the connection presented: it may say who asks. */
  readonly frontProxy?: string | undefined
  /** Why the certificate that the connection presented proves nobody: unknown authority, expired. */
  readonly peerFailure?: string | undefined
  /** Names and values in turn as received, for the few headers that may repeat. Absent over loopback. */
  readonly rawHeaders?: readonly string[] | undefined
  readonly remoteAddress?: string | undefined
  /** Who asks, after authentication and impersonation. */
  readonly user?: UserInfo | undefined
  /** Adds a text to the answer's `Warning` headers. */
  readonly warn?: ((text: string) => void) | undefined
  readonly cause?: Cause | undefined
  /** Takes what the audit log is to say of the request. Absent: it is not logged. */
  readonly audit?: AuditTrail | undefined
  /** `object`: the caller is in this process and takes parsed, frozen objects instead of bytes. */
  readonly wants: 'bytes' | 'object'
  /** Where the body was left unread, for whoever passes the request on: what it is read from. See `server/aggregation`. */
  readonly exchange?: RawExchange | undefined
}

/** The transport's own request and answer. The answer is the transport's to write. */
export interface RawExchange {
  readonly request: import('node:http').IncomingMessage
  readonly response: import('node:http').ServerResponse
}

export type RequestBody =
  | { readonly type: 'none' }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  /** Loopback: a JSON value that nobody changes any more. */
  | { readonly type: 'object'; readonly object: unknown }

export interface ApiResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: ResponseBody
}

export type ResponseBody =
  | { readonly type: 'none' }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array | readonly Uint8Array[] }
  /** `length` bytes that are made while they are written: a large list. A piece lasts until the next is asked for. */
  | { readonly type: 'pieces'; readonly length: number; readonly pieces: Iterable<Uint8Array> }
  | StreamBody
  /** Loopback only. */
  | { readonly type: 'object'; readonly object: unknown }
  | { readonly type: 'events'; readonly events: AsyncIterable<readonly WatchEvent[]> }
  /** Take the connection over: after an upgrade, or to proxy one exchange. See `server/streaming-proxy.ts`. */
  | { readonly type: 'upgrade'; readonly connect: (socket: UpgradedSocket) => void }

/** Bytes that arrive over time: a watch, a log. */
export interface StreamBody {
  readonly type: 'stream'
  /** Ends with the iterator; `return()` is called when the caller leaves. */
  readonly chunks: AsyncIterable<Uint8Array>
  /** The same bytes for a transport that takes them as they come. It uses one or the other. */
  readonly push?: ((sink: ChunkSink) => void) | undefined
}

/** What `http.ts` hands to a handler that took over a connection. */
export interface UpgradedSocket {
  readonly request: import('node:http').IncomingMessage
  readonly socket: import('node:stream').Duplex
  /** What came after the request's head in the same packet. */
  readonly head: Buffer
  /** Present when the request asked for no upgrade: the answer goes here, and the socket stays the transport's. */
  readonly response?: import('node:http').ServerResponse | undefined
}

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'

export interface WatchEvent<T = KubeObject> {
  readonly type: WatchEventType
  /** An object of the resource; for BOOKMARK one with nothing but its resourceVersion; for ERROR a Status. */
  readonly object: T
}

/** Answers at once where nothing has to be waited for. */
export type Handler = (request: ApiRequest) => Awaitable<ApiResponse>
