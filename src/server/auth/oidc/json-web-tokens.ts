/** Tokens of the issuers that a configuration trusts: each belongs to the one issuer that it names. */

import type { UserInfo } from '../../../machinery/wire/message.ts'
import { unverifiedIssuer } from '../service-account-token.ts'
import { type ClaimMapping, claimMapping } from './claim-mapping.ts'
import type { AuthenticationConfiguration, JwtAuthenticator } from './configuration.ts'
import { distributedClaim, type Expand } from './distributed-claim.ts'
import { canonicalIssuer } from './id-token.ts'
import { createIssuer, type IssuerParts, type IssuerSettings, type TokenIssuerClient } from './issuer.ts'

export interface JsonWebTokens {
  /** Resolves when all issuers have been reached. */
  readonly ready: Promise<unknown>
  /** Undefined: of none of the issuers. Throws why a token of one of them makes no user. */
  verify(token: string): Promise<UserInfo | undefined>
}

/** Of a configuration in which `configurationErrors` finds nothing. */
export function createJsonWebTokens({ jwt }: AuthenticationConfiguration, parts: IssuerParts): JsonWebTokens {
  const issuers = new Map((jwt ?? []).map((authenticator) => authenticatorOf(authenticator, parts)))
  return {
    ready: Promise.all([...issuers.values()].map(({ issuer }) => issuer.ready)),
    async verify(token) {
      const issuer = canonicalIssuer(unverifiedIssuer(token))
      const found = typeof issuer === 'string' ? issuers.get(issuer) : undefined
      return found && timed(found, token, parts)
    },
  }
}

interface Authenticator {
  readonly url: string
  readonly issuer: TokenIssuerClient
  readonly expand: Expand
  readonly map: ClaimMapping
}

function authenticatorOf(authenticator: JwtAuthenticator, parts: IssuerParts): readonly [string, Authenticator] {
  const { url = '', discoveryURL, certificateAuthority, audiences } = authenticator.issuer ?? {}
  const settings: IssuerSettings = {
    url,
    discoveryUrl: discoveryURL || undefined,
    ca: certificateAuthority || undefined,
    audiences: audiences ?? [],
  }
  const issuer = createIssuer(settings, parts)
  const claim = authenticator.claimMappings?.groups?.claim ?? ''
  const expand: Expand = claim === '' ? async (claims) => claims : distributedClaim(claim, { settings, issuer }, parts)
  return [url, { url, issuer, expand, map: claimMapping(authenticator) }]
}

async function timed(
  { url, issuer, expand, map }: Authenticator,
  token: string,
  parts: IssuerParts,
): Promise<UserInfo> {
  const { clock, metrics } = parts
  const startMs = clock.monotonic()
  const seconds = () => (clock.monotonic() - startMs) / 1_000
  try {
    const user = map(await expand(await issuer.verify(token)))
    metrics.verified(url, 'success', seconds())
    return user
  } catch (error) {
    metrics.verified(url, 'failure', seconds())
    throw error
  }
}
