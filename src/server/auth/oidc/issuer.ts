/**
 * One issuer of tokens: described by itself at a well-known place, asked in the background until it answers. The
 * description must be its own; where the keys are, it says.
 */

import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/error-text.ts'
import { isRecord } from '../../../base/is-record.ts'
import type { Logger } from '../../../base/log.ts'
import { fetchJson } from '../../outbound/document.ts'
import { type Claims, checkedClaims, headerOf } from './id-token.ts'
import { createKeySet, type KeySet } from './key-set.ts'
import type { JwtMetrics } from './metrics.ts'

export interface IssuerSettings {
  readonly url: string
  /** Where the description is; absent: below the URL. */
  readonly discoveryUrl?: string | undefined
  /** PEM. */
  readonly ca?: string | undefined
  readonly audiences: readonly string[]
}

export interface IssuerParts {
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: JwtMetrics
  /** Ends all that is asked of the issuer. */
  readonly signal: AbortSignal
}

export interface TokenIssuerClient {
  /** Resolves when the issuer has described itself; never, when the signal aborts before. */
  readonly ready: Promise<void>
  /** The claims of a token that this issuer has signed for one of the audiences. Throws why they do not count. */
  verify(token: string): Promise<Claims>
}

const WELL_KNOWN = '/.well-known/openid-configuration'
/** Between attempts to reach the issuer; upstream's. */
const RETRY_MS = 10_000
/** Of one request to the issuer. */
export const FETCH_TIMEOUT_MS = 10_000

export function createIssuer(settings: IssuerSettings, parts: IssuerParts): TokenIssuerClient {
  const { url, audiences } = settings
  const { clock } = parts
  let keySet: KeySet | undefined
  const ready = discovered(settings, parts).then((keysUrl) => {
    keySet = createKeySet({ clock, fetch: () => fetchKeys(keysUrl, settings, parts) })
  })
  return {
    ready,
    async verify(token) {
      if (!keySet) throw new Error('oidc: authenticator not initialized')
      try {
        const payload = await signedPayload(keySet, token)
        return checkedClaims(payload, { issuer: url, audiences, nowMs: clock.now() })
      } catch (error) {
        throw new Error(`oidc: verify token: ${messageOf(error)}`)
      }
    },
  }
}

async function signedPayload(keySet: KeySet, token: string): Promise<Uint8Array> {
  const header = headerOf(token)
  try {
    return await keySet.verify(token, header)
  } catch (error) {
    throw new Error(`failed to verify signature: ${messageOf(error)}`)
  }
}

/** Where the keys are. Resolves when the issuer has said so. */
async function discovered(settings: IssuerSettings, { clock, log, signal }: IssuerParts): Promise<string> {
  for (;;) {
    try {
      return await discover(settings, clock, signal)
    } catch (error) {
      if (signal.aborted) return new Promise(() => {})
      log.error('an issuer of tokens cannot be used yet', { issuer: settings.url, reason: messageOf(error) })
    }
    await clock.sleep(RETRY_MS, signal).catch(() => {})
  }
}

async function discover(settings: IssuerSettings, clock: Clock, signal: AbortSignal): Promise<string> {
  const { url, discoveryUrl = `${url.replace(/\/$/, '')}${WELL_KNOWN}`, ca } = settings
  const document = await fetchJson(discoveryUrl, { ca, clock, signal, timeoutMs: FETCH_TIMEOUT_MS })
  const { issuer, jwks_uri: keysUrl } = isRecord(document) ? document : {}
  if (issuer !== url)
    throw new Error(
      'oidc: issuer did not match the issuer returned by provider, ' +
        `expected ${JSON.stringify(url)} got ${JSON.stringify(issuer)}`,
    )
  if (typeof keysUrl !== 'string' || URL.parse(keysUrl)?.protocol !== 'https:')
    throw new Error('provider did not return JWKS URL')
  return keysUrl
}

async function fetchKeys(keysUrl: string, { url, ca }: IssuerSettings, parts: IssuerParts): Promise<unknown> {
  const { clock, signal, metrics } = parts
  try {
    const document = await fetchJson(keysUrl, { ca, clock, signal, timeoutMs: FETCH_TIMEOUT_MS })
    metrics.keysFetched(url, 'success')
    return document
  } catch (error) {
    metrics.keysFetched(url, 'failure')
    throw new Error(`fetching keys ${messageOf(error)}`)
  }
}
