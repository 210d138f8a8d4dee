/** Token reviews ask about every kind of token; those without audiences of their own are for the API server. */

import type { TokenVerifier, VerifiedToken } from './bearer-token.ts'

export interface TokenReviewer {
  /** `audiences`: none for those of the API server. Undefined: nobody knows the token. Throws why it is not good. */
  review(token: string, audiences: readonly string[]): Promise<VerifiedToken | undefined>
}

/** `own`: the audiences of the API server. */
export function tokenReviewer(verifier: TokenVerifier, own: readonly string[]): TokenReviewer {
  return { review: (token, asked) => verifier.verify(token, asked.length > 0 ? asked : own) }
}
