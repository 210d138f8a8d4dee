/** One of the two API servers that are compared, as its callers see it: HTTPS with a client certificate. */

import { Agent, request as httpsRequest } from 'node:https'
import type { KeyPair } from '../../src/server/auth/certificate-authority.ts'

export interface Peer {
  readonly name: 'upstream' | 't8s'
  send(request: PeerRequest): Promise<Answer>
}

export interface PeerRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | undefined
  /** Without a certificate. */
  readonly anonymous: boolean
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: Buffer
}

export interface PeerPlace {
  readonly name: Peer['name']
  readonly port: number
  /** PEM: who signed the server's certificate. */
  readonly authority: string
  readonly admin: KeyPair
}

/** A request that takes longer has no answer: the longest of the cases waits two seconds. */
const ANSWER_TIMEOUT_MS = 30_000
/** Enough for everything that is played at the same time. */
const CONNECTIONS_MAX = 64

export function connectPeer({ name, port, authority, admin }: PeerPlace): Peer & Disposable {
  const shared = { keepAlive: true, maxSockets: CONNECTIONS_MAX, ca: authority }
  const asAdmin = new Agent({ ...shared, cert: admin.certificate, key: admin.key })
  const asNobody = new Agent(shared)
  return {
    name,
    send: (request) => sendTo({ port, agent: request.anonymous ? asNobody : asAdmin }, request),
    [Symbol.dispose]() {
      asAdmin.destroy()
      asNobody.destroy()
    },
  }
}

function sendTo(to: { readonly port: number; readonly agent: Agent }, request: PeerRequest): Promise<Answer> {
  const { method, url, headers, body } = request
  const length = body === undefined ? {} : { 'content-length': String(body.length) }
  return new Promise((resolve) => {
    // A server that hangs up has answered as well, only badly.
    const reject = ({ message }: Error) => resolve({ status: 0, headers: {}, body: Buffer.from(message) })
    const sent = httpsRequest(
      { host: '127.0.0.1', ...to, method, path: url, headers: { ...headers, ...length } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: definedHeaders(response.headers),
            body: Buffer.concat(chunks),
          }),
        )
      },
    )
    sent.setTimeout(ANSWER_TIMEOUT_MS, () => sent.destroy(new Error(`no answer to ${method} ${url}`)))
    sent.on('error', reject)
    sent.end(body)
  })
}

function definedHeaders(headers: NodeJS.Dict<string | string[]>): Answer['headers'] {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
