/**
 * Calls to webhooks, for admission and for conversion: a JSON document is posted to a URL or to a Service of the
 * cluster over TLS, and JSON comes back in time and in bounds, or a failure in the words that clients know from
 * upstream. Connections are kept and shared by calls to the same place with the same trust.
 */

import type { IncomingMessage } from 'node:http'
import { Agent, type RequestOptions, request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { WEBHOOK_PORT, type WebhookService } from '../../../apis/webhook-address.ts'
import type { Clock } from '../../../base/clock.ts'
import { deadline, orAborted } from '../../../base/deadline.ts'
import { formatDuration } from '../../../machinery/meta/time.ts'
import { callFailure, refusal } from '../../outbound/call-failures.ts'
import { collect } from '../../outbound/framing.ts'

/** The `clientConfig` of a webhook. */
export interface WebhookAddress {
  readonly url?: string | undefined
  readonly service?: WebhookService | undefined
  /** PEM in base64; without it, the authorities that the machine trusts. */
  readonly caBundle?: string | undefined
}

/** Where a Service is reached. */
export interface Place {
  readonly host: string
  readonly port: number
}

/** Throws with upstream's text when the Service cannot be reached. */
export type ResolveService = (namespace: string, name: string, port: number) => Promise<Place>

export interface WebhookClient extends Disposable {
  /** The JSON that the webhook answers with. Throws `WebhookCallError`. */
  call(address: WebhookAddress, body: unknown, options: CallOptions): Promise<unknown>
}

export interface CallOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** Why there is no answer. */
export class WebhookCallError extends Error {
  override readonly name = 'WebhookCallError'
}

/** Bytes of an answer; a patch may be as large as the object, and is written in base64. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024
/** Connections to one place; further calls wait for one, within their timeout. */
const CONNECTIONS_MAX = 64
const IDLE_CONNECTIONS_MAX = 4
/** Places whose connections are kept. */
const AGENTS_MAX = 128

export function createWebhookClient(parts: { readonly clock: Clock; readonly resolve: ResolveService }): WebhookClient {
  const agents = createAgents()
  return {
    async call(address, body, { timeoutMs, signal }) {
      const target = targetOf(address, timeoutMs)
      using limit = deadline(parts.clock, timeoutMs, signal)
      try {
        const { service } = target
        const place = service
          ? await orAborted(parts.resolve(service.namespace, service.name, target.port), limit.signal)
          : { host: target.host, port: target.port }
        const agent = agents.of({ place, address, serverName: target.serverName })
        return await postAgain({ place, agent, target, body: JSON.stringify(body), signal: limit.signal })
      } catch (error) {
        throw new WebhookCallError(failureText(target, error, limit.signal))
      }
    },
    [Symbol.dispose]: () => agents.destroy(),
  }
}

interface Target extends Place {
  readonly service: { readonly namespace: string; readonly name: string } | undefined
  readonly serverName: string
  readonly path: string
  /** As messages name it. */
  readonly url: string
}

function targetOf({ url, service }: WebhookAddress, timeoutMs: number): Target {
  const timeout = formatDuration(Math.ceil(timeoutMs / 1000) * 1000)
  if (service !== undefined) {
    const { namespace = '', name = '', port = WEBHOOK_PORT, path = '' } = service
    const host = `${name}.${namespace}.svc`
    const pathWithQuery = `${path.startsWith('/') ? path : `/${path}`}?timeout=${timeout}`
    const shown = `https://${host}:${port}${pathWithQuery}`
    return { service: { namespace, name }, serverName: host, host, port, path: pathWithQuery, url: shown }
  }
  if (url === undefined || !URL.canParse(url))
    throw new WebhookCallError('webhook configuration must have either service or URL')
  const parsed = new URL(url)
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1')
  const path = `${parsed.pathname}?timeout=${timeout}`
  return {
    service: undefined,
    serverName: host,
    host,
    port: parsed.port === '' ? WEBHOOK_PORT : Number(parsed.port),
    path,
    url: `${parsed.protocol}//${parsed.host}${path}`,
  }
}

function failureText({ url }: Target, error: unknown, signal: AbortSignal): string {
  if (error instanceof WebhookCallError) return error.message
  return `Post ${JSON.stringify(url)}: ${callFailure(error, signal)}`
}

interface Agents {
  of(use: { readonly place: Place; readonly address: WebhookAddress; readonly serverName: string }): Agent
  destroy(): void
}

/** One agent for each place and trust; the one used least recently goes when there are too many. */
function createAgents(): Agents {
  const agents = new Map<string, Agent>()
  return {
    of({ place, address: { caBundle }, serverName }) {
      const key = JSON.stringify([place.host, place.port, serverName, caBundle ?? ''])
      const agent = agents.get(key) ?? createAgent(serverName, caBundle)
      agents.delete(key)
      agents.set(key, agent)
      const [oldest] = agents
      if (agents.size > AGENTS_MAX && oldest !== undefined) {
        oldest[1].destroy()
        agents.delete(oldest[0])
      }
      return agent
    },
    destroy() {
      for (const agent of agents.values()) agent.destroy()
      agents.clear()
    },
  }
}

function createAgent(servername: string, caBundle: string | undefined): Agent {
  return new Agent({
    keepAlive: true,
    maxSockets: CONNECTIONS_MAX,
    maxFreeSockets: IDLE_CONNECTIONS_MAX,
    // A name that is an address is checked, but not asked for.
    ...(isIP(servername) === 0 ? { servername } : {}),
    ...(caBundle ? { ca: Buffer.from(caBundle, 'base64') } : {}),
  })
}

interface Post {
  readonly place: Place
  readonly agent: Agent
  readonly target: Target
  readonly body: string
  readonly signal: AbortSignal
}

/** A connection that was kept may be gone when it is used again; nothing was asked on it then. */
async function postAgain(call: Post): Promise<unknown> {
  try {
    return await post(call)
  } catch (error) {
    if (!(error instanceof ConnectionGone)) throw error
    return post(call)
  }
}

class ConnectionGone extends Error {
  override readonly name = 'ConnectionGone'
}

function post({ place, agent, target, body, signal }: Post): Promise<unknown> {
  const headers = {
    host: target.port === WEBHOOK_PORT ? target.host : `${target.host}:${target.port}`,
    'content-type': 'application/json',
    accept: 'application/json, */*',
    'user-agent': 'kube-apiserver-admission',
    'content-length': Buffer.byteLength(body),
  }
  const options: RequestOptions = { ...place, agent, method: 'POST', path: target.path, headers, signal }
  return new Promise((resolve, reject) => {
    const sent = requestHttps(options, (response) => {
      textOf(response)
        .then((text) => answerOf(response.statusCode ?? 0, text))
        .then(resolve, reject)
    })
    sent.once('error', (error: NodeJS.ErrnoException) => {
      const gone = sent.reusedSocket && error.code === 'ECONNRESET'
      reject(gone ? new ConnectionGone('EOF') : error)
    })
    sent.end(body)
  })
}

async function textOf(response: IncomingMessage): Promise<string> {
  const bytes = await collect(response, ANSWER_BYTES_MAX)
  if (bytes === undefined) throw new WebhookCallError(`the answer is larger than ${ANSWER_BYTES_MAX} bytes`)
  return bytes.toString('utf8')
}

function answerOf(statusCode: number, text: string): unknown {
  if (statusCode < 200 || statusCode > 206) throw new WebhookCallError(refusal(statusCode, text))
  try {
    return JSON.parse(text)
  } catch {
    throw new WebhookCallError("couldn't get version/kind; json parse error: the answer is no JSON")
  }
}
