/** Bearer tokens: from the Authorization header, or from the WebSocket protocols of a browser, which sets no header. */

import type { ApiRequest, UserInfo } from '../../machinery/wire/message.ts'
import { ABSENT, type Authentication, type Authenticator } from './authenticator.ts'

export interface TokenVerifier {
  /** Undefined: not a token of this kind. Throws when it is one and must not be accepted. */
  verify(token: string): Promise<UserInfo | undefined>
}

/** Bytes. Beyond any token the server issues, with room for those of identity providers. */
const TOKEN_BYTES_MAX = 32 * 1024

const WEBSOCKET_PREFIX = 'base64url.bearer.authorization.k8s.io.'

export function bearerToken(verifiers: readonly TokenVerifier[]): Authenticator {
  return {
    async authenticate(request): Promise<Authentication> {
      const token = tokenOf(request)
      if (token === undefined) return ABSENT
      if (token.length > TOKEN_BYTES_MAX) return { outcome: 'failed', reason: 'the bearer token is too long' }
      try {
        for (const verifier of verifiers) {
          const user = await verifier.verify(token)
          if (user) return { outcome: 'user', user }
        }
        return { outcome: 'failed', reason: 'the bearer token is unknown' }
      } catch (error) {
        return { outcome: 'failed', reason: error instanceof Error ? error.message : 'the bearer token is invalid' }
      }
    },
  }
}

export function tokenOf({ headers }: Pick<ApiRequest, 'headers'>): string | undefined {
  const match = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')
  return match?.[1] ?? webSocketToken(headers['sec-websocket-protocol'])
}

function webSocketToken(protocols: string | undefined): string | undefined {
  const entry = protocols?.split(',').find((protocol) => protocol.trim().startsWith(WEBSOCKET_PREFIX))
  if (entry === undefined) return undefined
  return Buffer.from(entry.trim().slice(WEBSOCKET_PREFIX.length), 'base64url').toString('utf8')
}
