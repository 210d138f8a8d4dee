/** Who may prove to be whom, put together: certificates first, then every kind of bearer token, then nobody at all. */

import { nodes } from '../../apis/core/node.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import { secrets } from '../../apis/core/secret.ts'
import { serviceAccounts } from '../../apis/core/service-account.ts'
import type { Secret } from '../../apis/core/types.gen.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import { messageOf } from '../../base/error-text.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { Client } from '../../client/client.ts'
import { type KubeObject, keyOf, type ObjectKey } from '../../machinery/meta/object.ts'
import { parseTime } from '../../machinery/meta/time.ts'
import { anonymous } from '../../server/auth/anonymous.ts'
import { countedAuthenticator } from '../../server/auth/authentication-metrics.ts'
import { type Authenticator, inOrder, peerIdentity } from '../../server/auth/authenticator.ts'
import { bearerToken, forAudiences, type TokenVerifier, tokensInOrder } from '../../server/auth/bearer-token.ts'
import type { TokenKeys } from '../../server/auth/json-web-token.ts'
import { legacyTokens } from '../../server/auth/legacy-token.ts'
import { requestHeaders } from '../../server/auth/request-header.ts'
import {
  type BoundObjects,
  createServiceAccountTokens,
  type TokenIssuer,
} from '../../server/auth/service-account-token.ts'
import { type TokenReviewer, tokenReviewer } from '../../server/auth/token-review.ts'
import { bootstrapTokens } from '../../server/auth/tokens/bootstrap-token.ts'
import type { Registries } from '../../server/registry/registries.ts'
import type { ClusterConfig } from '../config.ts'
import type { Environment } from '../environment.ts'
import { FRONT_PROXY_NAME } from '../front-proxy.ts'

export interface AuthenticationParts {
  readonly config: Pick<ClusterConfig, 'domain' | 'security'>
  readonly environment: Pick<Environment, 'clock' | 'random' | 'log'>
  /** Sign the tokens of service accounts. */
  readonly keys: TokenKeys
  /** Of the server that this is a part of: there before the first request. */
  readonly registries: () => Registries
  /** The server's own client. */
  readonly client: () => Client
  readonly metrics: Metrics
  /** Ends the following of files and the connections to webhooks. */
  readonly signal: AbortSignal
}

export interface Authentication {
  readonly authenticator: Authenticator
  /** What tokens of service accounts name as their issuer. */
  readonly issuer: string
  readonly tokenIssuer: TokenIssuer
  readonly tokenReviewer: TokenReviewer
}

type Audiences = readonly string[]

/** Throws `ConfigError` when a file that the settings name cannot be used. */
export async function createAuthentication(parts: AuthenticationParts): Promise<Authentication> {
  const { config, environment, keys } = parts
  const issuer = `https://kubernetes.default.svc.${config.domain}`
  const audiences = [issuer]
  const bound = boundObjects(parts)
  const tokenIssuer = createServiceAccountTokens({ ...environment, keys, issuer, audiences, bound })
  const structured = await structuredOf({ ...parts, ownIssuer: issuer, audiences })
  const verifier = tokensInOrder([
    ...(await listedTokens(parts, audiences)),
    legacyOf(parts, audiences),
    tokenIssuer,
    bootstrapOf(parts, audiences),
    ...(structured ? [structured.tokens] : []),
    ...(await askedTokens(parts, audiences)),
  ])
  const ways = [requestHeaders([FRONT_PROXY_NAME]), peerIdentity, bearerToken(verifier, audiences)]
  const authenticator = inOrder(ways, structured ? structured.anonymous : anonymous)
  return {
    authenticator: countedAuthenticator(authenticator, parts.metrics, environment.clock),
    issuer,
    tokenIssuer,
    tokenReviewer: tokenReviewer(verifier, audiences),
  }
}

// What is not configured is not loaded.

async function structuredOf(
  parts: AuthenticationParts & { readonly ownIssuer: string; readonly audiences: Audiences },
) {
  const path = parts.config.security.authentication?.config
  if (path === undefined) return undefined
  const { structuredAuthentication } = await import('./structured-authentication.ts')
  return structuredAuthentication({ ...parts, path })
}

async function listedTokens(parts: AuthenticationParts, audiences: Audiences): Promise<readonly TokenVerifier[]> {
  const path = parts.config.security.authentication?.tokens
  if (path === undefined) return []
  const { staticTokens } = await import('./outside-tokens.ts')
  return [await staticTokens({ ...parts, path, audiences })]
}

async function askedTokens(parts: AuthenticationParts, audiences: Audiences): Promise<readonly TokenVerifier[]> {
  const webhook = parts.config.security.authentication?.webhook
  if (webhook === undefined) return []
  const { reviewedTokens } = await import('./outside-tokens.ts')
  return [await reviewedTokens({ ...parts, ...webhook, audiences })]
}

function legacyOf(parts: AuthenticationParts, audiences: Audiences): TokenVerifier {
  const { environment, keys, client } = parts
  const { clock, log } = environment
  const [secret, serviceAccount] = [lookup(parts, secrets), lookup(parts, serviceAccounts)]
  const label = async (of: Secret, name: string, value: string): Promise<void> => {
    const body = { metadata: { uid: of.metadata.uid, labels: { [name]: value } } }
    try {
      await client().of(secrets).patch(keyOf(of), { type: 'merge', body })
    } catch (error) {
      log.warn('the use of a token could not be noted', { secret: of.metadata.name, error: messageOf(error) })
    }
  }
  return legacyTokens({ keys, audiences, clock, secret, serviceAccount, label })
}

function bootstrapOf(parts: AuthenticationParts, audiences: Audiences): TokenVerifier {
  const { clock } = parts.environment
  return forAudiences(audiences, bootstrapTokens({ clock, secret: lookup(parts, secrets) }))
}

/** What is in the server's memory: every use of a token looks there, so that deletions count at once. */
function lookup<T extends KubeObject>({ registries }: AuthenticationParts, definition: ResourceDefinition<T>) {
  return (key: ObjectKey): T | undefined => registries().of(definition).peek(key)?.object()
}

const BOUND = { serviceaccounts: serviceAccounts, pods, secrets, nodes }

function boundObjects(parts: AuthenticationParts): BoundObjects {
  return {
    bound(resource, key) {
      const object = lookup<KubeObject>(parts, BOUND[resource])(key)
      if (!object) return undefined
      const { uid, deletionTimestamp } = object.metadata
      return { uid, deletedAtMs: deletionTimestamp === undefined ? undefined : (parseTime(deletionTimestamp) ?? 0) }
    },
  }
}
