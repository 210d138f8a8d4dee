/** TokenRequests: a token for a service account, through its `token` subresource. Not a resource of its own. */

import { type FieldError, FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import { withAbsent } from '../field-defaults.ts'
import type { TokenRequest } from './types.gen.ts'

const EXPIRATION_SECONDS_DEFAULT = 3600
const EXPIRATION_SECONDS_MIN = 600
const EXPIRATION_SECONDS_MAX = 2 ** 32

export function defaultTokenRequest(request: TokenRequest): TokenRequest {
  const spec = withAbsent({ ...request.spec }, { expirationSeconds: EXPIRATION_SECONDS_DEFAULT })
  return { ...request, spec }
}

export function validateTokenRequest({ spec }: TokenRequest): readonly FieldError[] {
  const { expirationSeconds = EXPIRATION_SECONDS_DEFAULT } = spec ?? {}
  const path = new FieldPath('spec.expirationSeconds')
  if (expirationSeconds < EXPIRATION_SECONDS_MIN)
    return [invalidValue(path, expirationSeconds, 'may not specify a duration less than 10 minutes')]
  if (expirationSeconds > EXPIRATION_SECONDS_MAX)
    return [invalidValue(path, expirationSeconds, 'may not specify a duration larger than 2^32 seconds')]
  return []
}
