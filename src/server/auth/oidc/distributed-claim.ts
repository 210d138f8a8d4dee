/**
 * A claim that the issuer keeps elsewhere (OpenID Connect Core 1.0, 5.6.2): the token names a source for it, the source
 * an endpoint, and the endpoint answers with a token that has the claim.
 *
 * ```json
 * { "_claim_names": { "groups": "src1" },
 *   "_claim_sources": { "src1": { "endpoint": "https://directory.example.com/jane", "access_token": "…" } } }
 * ```
 */

import type { Clock } from '../../../base/clock.ts'
import { setOwn } from '../../../base/deep-freeze.ts'
import { messageOf } from '../../../base/error-text.ts'
import { isRecord } from '../../../base/is-record.ts'
import { fetchText } from '../../outbound/document.ts'
import { unverifiedIssuer } from '../service-account-token.ts'
import { type Claims, canonicalIssuer } from './id-token.ts'
import {
  createIssuer,
  FETCH_TIMEOUT_MS,
  type IssuerParts,
  type IssuerSettings,
  type TokenIssuerClient,
} from './issuer.ts'

/** The claims, with the one that was elsewhere. Throws why it cannot be had. */
export type Expand = (claims: Claims) => Promise<Claims>

/** Whose tokens endpoints answer with, besides the issuer itself. Each is asked for its keys. */
const OTHER_ISSUERS_MAX = 8

/** `issuer`: whose tokens name the endpoints; authorities and audiences are its own everywhere. */
export function distributedClaim(
  claim: string,
  { settings, issuer }: { readonly settings: IssuerSettings; readonly issuer: TokenIssuerClient },
  parts: IssuerParts,
): Expand {
  const issuers = new Map<string, TokenIssuerClient>([[settings.url, issuer]])
  const issuerOf = (token: string): TokenIssuerClient => {
    const url = canonicalIssuer(unverifiedIssuer(token))
    if (typeof url !== 'string' || URL.parse(url)?.protocol !== 'https:') throw new Error('the answer names no issuer')
    const known = issuers.get(url)
    if (known) return known
    if (issuers.size > OTHER_ISSUERS_MAX) throw new Error(`there are too many issuers besides ${settings.url}`)
    const { ca, audiences } = settings
    const created = createIssuer({ url, ca, audiences }, parts)
    issuers.set(url, created)
    return created
  }
  return async (claims) => {
    try {
      const endpoint = endpointOf(claims, claim)
      if (!endpoint) return claims
      const value = await valueAt(endpoint, claim, { settings, issuerOf, parts })
      const expanded = { ...claims }
      setOwn(expanded, claim, value)
      return expanded
    } catch (error) {
      throw new Error(`oidc: could not expand distributed claims: ${messageOf(error)}`)
    }
  }
}

interface Endpoint {
  readonly url: string
  readonly accessToken: string
}

/** Undefined: the claim is in the token, or nowhere. */
function endpointOf(claims: Claims, claim: string): Endpoint | undefined {
  const names = own(claims, '_claim_names')
  if (own(claims, claim) !== undefined || names === undefined) return undefined
  if (!isRecord(names)) throw new Error('error parsing distributed claim names')
  const sources = own(claims, '_claim_sources')
  if (sources === undefined) throw new Error('no claim sources')
  if (!isRecord(sources)) throw new Error('could not parse claim sources')
  const name = own(names, claim)
  if (name === undefined) return undefined
  const source = typeof name === 'string' ? own(sources, name) : undefined
  if (!isRecord(source)) throw new Error(`id token _claim_names contained a source ${name} missing in _claims_sources`)
  const [url, accessToken] = [source.endpoint ?? '', source.access_token ?? '']
  if (typeof url !== 'string' || typeof accessToken !== 'string') throw new Error('could not parse claim sources')
  // Then it is in another token within this one, which upstream leaves alone, too.
  return url === '' ? undefined : { url, accessToken }
}

function own(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? (claims[name] ?? undefined) : undefined
}

interface Reach {
  readonly settings: IssuerSettings
  readonly issuerOf: (token: string) => TokenIssuerClient
  readonly parts: IssuerParts
}

async function valueAt({ url, accessToken }: Endpoint, claim: string, reach: Reach): Promise<unknown> {
  const { clock, signal } = reach.parts
  if (URL.parse(url)?.protocol !== 'https:') throw new Error('the endpoint of a claim is no https URL')
  const authorization = accessToken === '' ? undefined : `Bearer ${accessToken}`
  const options = { clock, signal, ca: reach.settings.ca, timeoutMs: FETCH_TIMEOUT_MS, authorization }
  const token = (await fetchText(url, options)).trim()
  const issuer = reach.issuerOf(token)
  await readyOrLate(issuer, clock)
  const value = own(await issuer.verify(token), claim)
  if (value === undefined)
    throw new Error(`jwt returned by distributed claim endpoint ${JSON.stringify(url)} did not contain claim: ${claim}`)
  return value
}

/** An issuer that is new has to describe itself first. */
async function readyOrLate({ ready }: TokenIssuerClient, clock: Clock): Promise<void> {
  const late = Promise.withResolvers<void>()
  const timer = clock.after(FETCH_TIMEOUT_MS, late.resolve)
  await Promise.race([ready, late.promise])
  timer.cancel()
}
