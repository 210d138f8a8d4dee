/** Whether an aggregated server answers for its version: what upstream asks before it calls one available. */

import type { UserInfo } from '../../machinery/wire/message.ts'
import { type Ask, NoAnswer } from './ask.ts'
import type { RemoteVersion } from './remote-version.ts'

/** Upstream's. It may everything, so that a refusal tells of no missing right. */
const USER: UserInfo = { name: 'system:kube-aggregator', groups: ['system:masters'] }
/** At the same time, to as many endpoints as chance picks: one that answers is enough. */
const ATTEMPTS = 5
const TIMEOUT_MS = 5_000
/** Bytes of a document that nobody reads. */
const BYTES_MAX = 32 * 1024 * 1024

/** Throws the last failure, in upstream's words, when no attempt succeeds. */
export async function checkDiscovery(ask: Ask, remote: RemoteVersion, signal: AbortSignal): Promise<void> {
  const done = new AbortController()
  const either = AbortSignal.any([signal, done.signal])
  try {
    await Promise.any(Array.from({ length: ATTEMPTS }, () => attempt(ask, remote, either)))
  } catch (error) {
    throw error instanceof AggregateError ? error.errors.at(-1) : error
  } finally {
    done.abort()
  }
}

async function attempt(ask: Ask, remote: RemoteVersion, signal: AbortSignal): Promise<void> {
  const path = `/apis/${remote.group}/${remote.version}`
  try {
    const { status, url } = await ask(remote, { path, user: USER, timeoutMs: TIMEOUT_MS, bytesMax: BYTES_MAX, signal })
    if (status < 200 || status >= 300) throw new Error(failing(url, `bad status from ${url}: ${status}`))
  } catch (error) {
    if (error instanceof NoAnswer) throw new Error(failing(error.url, error.message))
    throw error
  }
}

function failing(url: string, reason: string): string {
  return `failing or missing response from ${url}: ${reason}`
}
