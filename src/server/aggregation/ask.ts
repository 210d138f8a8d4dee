/** What this server asks an aggregated one for itself, as one of upstream's own users: whole answers, bounded and in time. */

import type { Clock } from '../../base/clock.ts'
import { deadline, orAborted } from '../../base/deadline.ts'
import type { UserInfo } from '../../machinery/wire/message.ts'
import { callFailure } from '../outbound/call-failures.ts'
import { collect } from '../outbound/framing.ts'
import { call } from './call.ts'
import { backendHeaders } from './caller-headers.ts'
import type { Connections } from './connections.ts'
import type { RemoteVersion } from './remote-version.ts'

export interface Asked {
  readonly path: string
  readonly user: UserInfo
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly timeoutMs: number
  readonly bytesMax: number
  readonly signal: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly etag: string | undefined
  readonly bytes: Buffer
  /** Where the answer is from: `https://host:port/path`. */
  readonly url: string
}

export type Ask = (remote: RemoteVersion, asked: Asked) => Promise<Answer>

/** Why there is no answer, in the words of upstream's client. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  /** What was asked for. */
  readonly url: string

  constructor(url: string, reason: string) {
    super(`Get ${JSON.stringify(url)}: ${reason}`)
    this.url = url
  }
}

/** Throws `Unresolved` and `NoAnswer`. */
export function createAsk(clock: Clock, connections: Connections): Ask {
  return async (remote, { path, user, headers = {}, timeoutMs, bytesMax, signal }) => {
    using limit = deadline(clock, timeoutMs, signal)
    const reached = await orAborted(connections.reach(remote), limit.signal)
    const url = `https://${reached.authority}${path}`
    const request = { path, headers }
    const sent = backendHeaders(request, user, { authority: reached.authority, keepsLength: false })
    try {
      const response = await call(reached, { method: 'GET', path, headers: sent, signal: limit.signal })
      const bytes = await orAborted(collect(response, bytesMax), limit.signal)
      if (bytes === undefined) throw new Error(`the answer is larger than ${bytesMax} bytes`)
      return { status: response.statusCode ?? 0, etag: response.headers.etag, bytes, url }
    } catch (error) {
      if (signal.aborted) throw error
      throw new NoAnswer(url, callFailure(error, limit.signal))
    }
  }
}
