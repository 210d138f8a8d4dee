/** Bearer tokens: from the Authorization header, or from the WebSocket protocols of a browser, which sets no header. */

import type { ApiRequest, UserInfo } from '../../machinery/wire/message.ts'
import { BEARER_PROTOCOL_PREFIX } from '../../machinery/wire/websocket.ts'
import { ABSENT, type Authentication, type Authenticator } from './authenticator.ts'
import { aggregated } from './texts.ts'

export interface VerifiedToken {
  readonly user: UserInfo
  /** Those of the asked audiences that the token is good for. */
  readonly audiences: readonly string[]
  /** What its bearer should know. */
  readonly warnings?: readonly string[] | undefined
  /** What the audit log is to say of the proof, by key. */
  readonly facts?: readonly (readonly [string, string])[] | undefined
}

export interface TokenVerifier {
  /**
   * `audiences`: one of them must be meant; there is at least one. Undefined: not a token of this kind. Throws when it
   * is one and must not be accepted; the message never holds the token.
   */
  verify(token: string, audiences: readonly string[]): Promise<VerifiedToken | undefined>
}

/** Bytes. Beyond any token the server issues, with room for those of identity providers. */
const TOKEN_BYTES_MAX = 32 * 1024

export const INVALID_TOKEN = 'invalid bearer token'

/** `audiences`: those of the API server. */
export function bearerToken(verifier: TokenVerifier, audiences: readonly string[]): Authenticator {
  return {
    async authenticate(request): Promise<Authentication> {
      try {
        const token = tokenOf(request)
        if (token === undefined) return ABSENT
        const verified = await verifier.verify(token, audiences)
        if (!verified) return { outcome: 'failed', reason: INVALID_TOKEN }
        const { user, warnings, facts } = verified
        return { outcome: 'user', user, warnings, facts }
      } catch (error) {
        return { outcome: 'failed', reason: error instanceof Error ? error.message : INVALID_TOKEN }
      }
    },
  }
}

/** The first that knows the token decides; what others had against it counts only when none does. */
export function tokensInOrder(verifiers: readonly TokenVerifier[]): TokenVerifier {
  return {
    async verify(token, audiences) {
      if (token.length > TOKEN_BYTES_MAX) throw new Error('the bearer token is too long')
      const failures: string[] = []
      for (const verifier of verifiers) {
        try {
          const verified = await verifier.verify(token, audiences)
          if (verified) return verified
        } catch (error) {
          failures.push(error instanceof Error ? error.message : String(error))
        }
      }
      if (failures.length > 0) throw new Error(aggregated(failures))
      return undefined
    },
  }
}

/** Tokens that say nothing of audiences are for the API server, whose are `own`, and for nobody else. */
export function forAudiences(
  own: readonly string[],
  verify: (token: string) => UserInfo | undefined | Promise<UserInfo | undefined>,
): TokenVerifier {
  return {
    async verify(token, asked) {
      const audiences = own.filter((audience) => asked.includes(audience))
      if (audiences.length === 0) return undefined
      const user = await verify(token)
      return user && { user, audiences }
    },
  }
}

const BLANK_BEFORE = 'the provided Authorization header contains extra space before the bearer token, and is ignored'

/** What comes after the token is not looked at. Throws for WebSocket protocols that hold no token, or several. */
export function tokenOf({ headers, warn }: Pick<ApiRequest, 'headers' | 'warn'>): string | undefined {
  const [scheme = '', token = '', ...rest] = (headers.authorization ?? '').trim().split(' ')
  if (scheme.toLowerCase() === 'bearer') {
    if (token !== '') return token
    if (rest.length > 0) warn?.(BLANK_BEFORE)
  }
  return headers.upgrade?.toLowerCase() === 'websocket' ? webSocketToken(headers['sec-websocket-protocol']) : undefined
}

function webSocketToken(header = ''): string | undefined {
  const protocols = header.split(',').map((protocol) => protocol.trim())
  const [encoded, ...others] = protocols.filter((protocol) => protocol.startsWith(BEARER_PROTOCOL_PREFIX))
  if (encoded === undefined) return undefined
  if (others.length > 0) throw new Error('multiple base64.bearer.authorization tokens specified')
  // The answer names one of the protocols: not this one.
  if (protocols.length === 1) throw new Error('missing additional subprotocol')
  return decoded(encoded.slice(BEARER_PROTOCOL_PREFIX.length))
}

function decoded(text: string): string | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new Error('invalid base64.bearer.authorization token encoding')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64url')) || undefined
  } catch {
    throw new Error('invalid base64.bearer.authorization token')
  }
}
