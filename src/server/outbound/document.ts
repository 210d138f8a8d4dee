/** Documents of services outside the cluster, over HTTPS: in time, in bounds, without redirects. */

import { request } from 'node:https'
import type { Clock } from '../../base/clock.ts'
import { deadline } from '../../base/deadline.ts'
import { callFailure } from './call-failures.ts'
import { RemoteError, successOf, textOf } from './remote.ts'

export interface DocumentOptions {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** PEM. Absent: the authorities that the machine trusts. */
  readonly ca?: string | undefined
  /** The whole value of the `Authorization` header. */
  readonly authorization?: string | undefined
}

/** Throws `RemoteError`. */
export async function fetchJson(url: string, options: DocumentOptions): Promise<unknown> {
  const text = await fetchText(url, options)
  try {
    return JSON.parse(text)
  } catch {
    throw new RemoteError(`Get ${JSON.stringify(url)}: the answer is no JSON`)
  }
}

/** Throws `RemoteError`. */
export async function fetchText(url: string, options: DocumentOptions): Promise<string> {
  using limit = deadline(options.clock, options.timeoutMs, options.signal)
  try {
    return await get(url, options, limit.signal)
  } catch (error) {
    if (error instanceof RemoteError) throw error
    throw new RemoteError(`Get ${JSON.stringify(url)}: ${callFailure(error, limit.signal)}`)
  }
}

function get(url: string, { ca, authorization }: DocumentOptions, signal: AbortSignal): Promise<string> {
  const headers = {
    accept: 'application/json',
    'user-agent': 't8s',
    ...(authorization !== undefined && { authorization }),
  }
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers, signal, agent: false, ...(ca !== undefined && { ca }) }, (response) => {
      textOf(response)
        .then((text) => resolve(successOf(response, text)))
        .catch(reject)
    })
    sent.once('error', reject)
    sent.end()
  })
}
