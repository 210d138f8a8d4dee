/** The server's paths that are no resources: health, metrics, and the public keys of service-account tokens. */

import type { Metrics } from '../base/metrics.ts'
import type { ApiResponse } from '../machinery/wire/message.ts'
import type { TokenKeys } from './auth/json-web-token.ts'
import { createHealth, type HealthChecks } from './health.ts'
import { metricsEndpoint } from './metrics-endpoint.ts'
import { createPlainRoutes } from './plain-routes.ts'
import type { PathHandler } from './server.ts'

export interface PlainPathsParts {
  readonly checks: HealthChecks
  readonly metrics: Metrics
  readonly keys: TokenKeys
  /** What tokens name as their issuer. */
  readonly issuer: string
  /** `https://host:port` of this server. */
  readonly address: string
}

const HEALTH_PATHS = ['/healthz', '/livez', '/readyz']
const CONFIGURATION_PATH = '/.well-known/openid-configuration'
const KEYS_PATH = '/openid/v1/jwks'
/** Seconds that clients may keep the documents. */
const PUBLIC_SECONDS = 3600

export function plainPaths({ checks, metrics, keys, issuer, address }: PlainPathsParts): PathHandler {
  const health = createHealth(checks)
  const configuration = {
    issuer,
    jwks_uri: `${address}${KEYS_PATH}`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
  }
  const described = async () => {
    const algorithms = new Set((await keys.published()).keys.map(({ alg }) => alg))
    return json('application/json', { ...configuration, id_token_signing_alg_values_supported: [...algorithms].sort() })
  }
  return {
    names: [...health.names, '/metrics', CONFIGURATION_PATH, KEYS_PATH],
    handle: createPlainRoutes([
      ...HEALTH_PATHS.map((path) => ({ path, below: true, handle: health.handle })),
      { path: '/metrics', handle: metricsEndpoint(metrics) },
      { path: CONFIGURATION_PATH, handle: described },
      { path: KEYS_PATH, handle: async () => json('application/jwk-set+json', await keys.published()) },
    ]),
  }
}

function json(type: string, value: object): ApiResponse {
  const headers = { 'content-type': type, 'cache-control': `public, max-age=${PUBLIC_SECONDS}` }
  return { status: 200, headers, body: { type: 'bytes', bytes: Buffer.from(JSON.stringify(value)) } }
}
