/**
 * Services outside the cluster that the server asks: token and access reviewers, receivers of audit events. JSON is
 * posted to one URL; JSON comes back in time and in bounds. Redirects are not followed, connections are kept.
 */

import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { type Backoff, backoffMs } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import { DeadlineExceeded, deadline } from '../../base/deadline.ts'
import type { Random } from '../../base/random.ts'
import { callFailure } from './call-failures.ts'
import { collect } from './framing.ts'

/** Where a service is, how it is trusted and how it knows this server. */
export interface Remote {
  readonly url: string
  /** PEM. Absent: the authorities that the machine trusts. */
  readonly ca?: string | undefined
  /** PEM. */
  readonly certificate?: string | undefined
  readonly key?: string | undefined
  /** The name that the certificate must be for, where that is not the host. */
  readonly serverName?: string | undefined
  /** Takes whatever certificate the service shows. */
  readonly insecure?: boolean | undefined
  /** The whole value of the `Authorization` header. */
  readonly authorization?: string | undefined
}

export interface RemoteCaller extends Disposable {
  /**
   * What the service answers with, undefined for an empty answer. Tries again as `backoff` says when it cannot be
   * reached or is overloaded. Throws `RemoteError`.
   */
  post(body: unknown, options: PostOptions): Promise<unknown>
}

export interface RemoteReceiver extends Disposable {
  /** Sends a JSON text, once; an answer of success may say what it wants. Throws `RemoteError`. */
  deliver(json: string, options: PostOptions): Promise<void>
}

export interface PostOptions {
  /** Of each attempt. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

export interface RemoteParts {
  readonly clock: Clock
  readonly random: Random
  readonly retry?: Retry | undefined
}

export interface Retry {
  readonly backoff: Backoff
  /** The first one included. */
  readonly attemptsMax: number
}

/** Why there is no answer. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError'
  /** The HTTP status, when the service answered. */
  readonly status: number | undefined
  readonly retryAfterSeconds: number | undefined
  /** The time for an answer has passed. */
  readonly isLate: boolean

  constructor(message: string, status?: number, retryAfterSeconds?: number, isLate = false) {
    super(message)
    this.status = status
    this.retryAfterSeconds = retryAfterSeconds
    this.isLate = isLate
  }
}

/** Bytes of an answer. Reviews are small. */
const ANSWER_BYTES_MAX = 1024 * 1024
/** Connections to the service; further calls wait for one, within their timeout. */
const CONNECTIONS_MAX = 64
const IDLE_CONNECTIONS_MAX = 4
/** Upstream's, for webhooks that are asked. */
export const USUAL_RETRY: Retry = {
  backoff: { initialMs: 500, factor: 1.5, maxMs: 30_000, jitter: 0.2 },
  attemptsMax: 5,
}

export function createRemoteCaller(remote: Remote, parts: RemoteParts): RemoteCaller & RemoteReceiver {
  const url = new URL(remote.url)
  const agent = agentFor(remote, url)
  const { clock, random, retry = USUAL_RETRY } = parts
  const attempt = async <T>(read: Read<T>, text: string, { timeoutMs, signal }: PostOptions): Promise<T> => {
    using limit = deadline(clock, timeoutMs, signal)
    try {
      return await post({ remote, url, agent, text, read, signal: limit.signal })
    } catch (error) {
      if (error instanceof RemoteError) throw error
      const isLate = limit.signal.reason instanceof DeadlineExceeded
      const why = callFailure(error, limit.signal)
      throw new RemoteError(`Post ${JSON.stringify(remote.url)}: ${why}`, undefined, undefined, isLate)
    }
  }
  return {
    async post(body, options) {
      const text = JSON.stringify(body)
      for (let tried = 1; ; tried++) {
        try {
          return await attempt(answerOf, text, options)
        } catch (error) {
          if (!(error instanceof RemoteError) || tried >= retry.attemptsMax || !mayPass(error)) throw error
          options.signal?.throwIfAborted()
          const asked = (error.retryAfterSeconds ?? 0) * 1_000
          await clock.sleep(Math.max(asked, backoffMs(retry.backoff, tried - 1, random.next())), options.signal)
        }
      }
    },
    deliver: async (json, options) => void (await attempt(successOf, json, options)),
    [Symbol.dispose]: () => agent.destroy(),
  }
}

/** Whether the same request may have an answer later. */
function mayPass({ status, retryAfterSeconds }: RemoteError): boolean {
  if (status === undefined || status === 429) return true
  return status >= 500 && (status !== 503 || retryAfterSeconds !== undefined)
}

function agentFor({ ca, certificate, key, serverName, insecure = false }: Remote, { protocol }: URL) {
  const bounds = { keepAlive: true, maxSockets: CONNECTIONS_MAX, maxFreeSockets: IDLE_CONNECTIONS_MAX }
  if (protocol === 'http:') return new HttpAgent(bounds)
  return new HttpsAgent({
    ...bounds,
    rejectUnauthorized: !insecure,
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { servername: serverName }),
  })
}

type Read<T> = (response: IncomingMessage, text: string) => T

interface Post<T> {
  readonly remote: Remote
  readonly url: URL
  readonly agent: HttpAgent
  readonly text: string
  readonly read: Read<T>
  readonly signal: AbortSignal
}

function post<T>({ remote, url, agent, text, read, signal }: Post<T>): Promise<T> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    'user-agent': 't8s',
    'content-length': Buffer.byteLength(text),
    ...(remote.authorization !== undefined && { authorization: remote.authorization }),
  }
  const send = url.protocol === 'http:' ? requestHttp : requestHttps
  return new Promise((resolve, reject) => {
    const sent = send(url, { agent, method: 'POST', headers, signal }, (response) => {
      textOf(response)
        .then((answer) => resolve(read(response, answer)))
        .catch(reject)
    })
    sent.once('error', reject)
    sent.end(text)
  })
}

/** Throws `RemoteError` for an answer that is too large. */
export async function textOf(response: IncomingMessage): Promise<string> {
  const bytes = await collect(response, ANSWER_BYTES_MAX)
  if (bytes === undefined) throw new RemoteError(`the answer is larger than ${ANSWER_BYTES_MAX} bytes`)
  return bytes.toString('utf8')
}

/** Characters of a refusal that a message repeats. */
const SHOWN_CHARACTERS_MAX = 512

/** The text of an answer of success. Throws `RemoteError`. */
export function successOf({ statusCode = 0, headers }: IncomingMessage, text: string): string {
  if (statusCode < 200 || statusCode > 299) {
    const seconds = Number(headers['retry-after'])
    const after = Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined
    const shown = JSON.stringify(text.trim().slice(0, SHOWN_CHARACTERS_MAX))
    throw new RemoteError(`the service answered with ${statusCode}: ${shown}`, statusCode, after)
  }
  return text
}

/** Undefined for an empty answer. */
function answerOf(response: IncomingMessage, answer: string): unknown {
  const text = successOf(response, answer)
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new RemoteError('the answer is no JSON')
  }
}
