/**
 * The issuers of tokens that the cluster's AuthenticationConfiguration trusts. The file is followed: a new one that is
 * valid takes the place of the old as soon as its issuers have been reached, an invalid one is logged.
 */

import { deepEqual } from '../../base/deep-equal.ts'
import type { Metrics } from '../../base/metrics.ts'
import { anonymous, anonymousAt } from '../../server/auth/anonymous.ts'
import type { Authenticator } from '../../server/auth/authenticator.ts'
import { forAudiences, type TokenVerifier } from '../../server/auth/bearer-token.ts'
import type { AnonymousConfiguration, AuthenticationConfiguration } from '../../server/auth/oidc/configuration.ts'
import { configurationErrors } from '../../server/auth/oidc/configuration-errors.ts'
import { createJsonWebTokens, type JsonWebTokens } from '../../server/auth/oidc/json-web-tokens.ts'
import { createJwtMetrics, type JwtMetrics } from '../../server/auth/oidc/metrics.ts'
import { cachedTokens } from '../../server/auth/tokens/token-cache.ts'
import { checkAuthenticationConfiguration } from '../documents/checks.gen.ts'
import type { Environment } from '../environment.ts'
import { invalid, readDocument, refuseInvalid } from './config-document.ts'
import { reloadCount, reloadInTurn } from './reload.ts'

export interface StructuredParts {
  /** Of the file. */
  readonly path: string
  /** What this server's own tokens name as their issuer. */
  readonly ownIssuer: string
  /** Of the API server. */
  readonly audiences: readonly string[]
  readonly environment: Pick<Environment, 'clock' | 'random' | 'log'>
  readonly metrics: Metrics
  readonly signal: AbortSignal
}

export interface StructuredAuthentication {
  readonly tokens: TokenVerifier
  /** Undefined: nobody is anonymous anywhere. */
  readonly anonymous: Authenticator | undefined
}

/** How long what a token makes is remembered; upstream's. */
const REMEMBERED_MS = 10_000
/** After this long no request is under way that began with the former issuers. */
const RETIRE_MS = 60_000

/** Throws `ConfigError` when the file cannot be used. */
export async function structuredAuthentication(parts: StructuredParts): Promise<StructuredAuthentication> {
  const { environment, audiences, signal } = parts
  const first = await read(parts)
  const builder = { environment, metrics: createJwtMetrics(parts.metrics, environment.clock), signal }
  let current = build(first, builder)
  const known = forAudiences(audiences, (token) => current.tokens.verify(token))
  const tokens = cachedTokens(known, { ...environment, successMs: REMEMBERED_MS, unknownMs: 0 })
  follow(parts, first, (next) => {
    const candidate = build(next, builder)
    const taken = candidate.tokens.ready.then(() => {
      void environment.clock.sleep(RETIRE_MS, signal).then(current.retire, current.retire)
      current = candidate
      tokens.clear()
    })
    return {
      taken,
      abandon: () => {
        if (current !== candidate) candidate.retire()
      },
    }
  })
  return { tokens, anonymous: anonymousOf(first.anonymous) }
}

interface Builder {
  readonly environment: StructuredParts['environment']
  readonly metrics: JwtMetrics
  readonly signal: AbortSignal
}

interface Built {
  readonly tokens: JsonWebTokens
  /** Ends what is asked of the issuers. */
  readonly retire: () => void
}

function build(configuration: AuthenticationConfiguration, { environment, metrics, signal }: Builder): Built {
  const retired = new AbortController()
  const parts = { ...environment, metrics, signal: AbortSignal.any([signal, retired.signal]) }
  return { tokens: createJsonWebTokens(configuration, parts), retire: () => retired.abort() }
}

function anonymousOf(configured: AnonymousConfiguration | null | undefined): Authenticator | undefined {
  if (!configured) return anonymous
  if (!configured.enabled) return undefined
  return anonymousAt((configured.conditions ?? []).map(({ path = '' }) => path))
}

async function read({ path, ownIssuer }: StructuredParts): Promise<AuthenticationConfiguration> {
  const configuration = await readDocument<AuthenticationConfiguration>(path, checkAuthenticationConfiguration)
  refuseInvalid(path, configurationErrors(configuration, [ownIssuer]))
  return configuration
}

/** A configuration that is being tried, until its issuers have been reached. */
interface Trial {
  readonly taken: Promise<void>
  /** Ends it, unless it has been taken. */
  readonly abandon: () => void
}

/** `attempt` begins with a configuration that is valid; a newer one takes the place of one that is still tried. */
function follow(
  parts: StructuredParts,
  first: AuthenticationConfiguration,
  attempt: (configuration: AuthenticationConfiguration) => Trial,
): void {
  const { path, environment, metrics, signal } = parts
  const count = reloadCount(metrics, environment.clock, 'authentication')
  let trial: Trial | undefined
  reloadInTurn({ path, name: 'authentication configuration', environment, signal, count }, async (used) => {
    trial?.abandon()
    trial = undefined
    const next = await read(parts)
    if (!deepEqual(first.anonymous ?? undefined, next.anonymous ?? undefined))
      throw invalid(path, ['anonymous: Forbidden: changed from initial configuration file'])
    const begun = attempt(next)
    trial = begun
    void begun.taken.then(() => {
      if (trial === begun) trial = undefined
      used()
    })
  })
}
