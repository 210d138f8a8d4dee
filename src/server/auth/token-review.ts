/** Token reviews ask about every kind of token; those without audiences of their own are for the API server. */

import type { TokenVerifier } from './bearer-token.ts'
import { otherAudiences, type ServiceAccountTokens } from './service-account-token.ts'

export type TokenReviewer = Pick<ServiceAccountTokens, 'review'>

/** `audiences`: those of the API server. */
export function tokenReviewer(
  tokens: TokenReviewer,
  others: readonly TokenVerifier[],
  audiences: readonly string[],
): TokenReviewer {
  return {
    async review(token, asked) {
      const verified = await tokens.review(token, asked)
      if (verified) return verified
      for (const verifier of others) {
        const user = await verifier.verify(token)
        if (!user) continue
        const shared = asked.length > 0 ? asked.filter((audience) => audiences.includes(audience)) : audiences
        if (shared.length === 0) throw new Error(otherAudiences(audiences, asked))
        return { user, audiences: shared }
      }
      return undefined
    },
  }
}
