/**
 * Which issuers of JSON web tokens vouch for whom, and where nobody needs anyone to: an AuthenticationConfiguration in
 * upstream's format. Its rules are in `configuration-errors.ts`.
 */

/** As it stands in the file. */
export interface AuthenticationConfiguration {
  readonly jwt?: readonly JwtAuthenticator[] | null | undefined
  readonly anonymous?: AnonymousConfiguration | null | undefined
}

export interface AnonymousConfiguration {
  readonly enabled?: boolean | undefined
  /** Empty: everywhere. */
  readonly conditions?: readonly { readonly path?: string | undefined }[] | null | undefined
}

export interface JwtAuthenticator {
  readonly issuer?: Issuer | undefined
  readonly claimValidationRules?: readonly ClaimValidationRule[] | null | undefined
  readonly claimMappings?: ClaimMappings | undefined
  readonly userValidationRules?: readonly UserValidationRule[] | null | undefined
}

export interface Issuer {
  /** What tokens name as their issuer; below it the issuer describes itself, unless `discoveryURL` says where. */
  readonly url?: string | undefined
  readonly discoveryURL?: string | null | undefined
  /** PEM. Absent: the authorities that the machine trusts. */
  readonly certificateAuthority?: string | undefined
  readonly audiences?: readonly string[] | null | undefined
  readonly audienceMatchPolicy?: string | undefined
  readonly egressSelectorType?: string | undefined
}

export interface ClaimValidationRule {
  readonly claim?: string | undefined
  readonly requiredValue?: string | undefined
  readonly expression?: string | undefined
  readonly message?: string | undefined
}

export interface ClaimMappings {
  readonly username?: PrefixedClaim | undefined
  readonly groups?: PrefixedClaim | undefined
  readonly uid?: ClaimOrExpression | undefined
  readonly extra?: readonly ExtraMapping[] | null | undefined
}

export interface ClaimOrExpression {
  readonly claim?: string | undefined
  readonly expression?: string | undefined
}

export interface PrefixedClaim extends ClaimOrExpression {
  /** Stands before what the claim says. Needed with a claim: empty means none. */
  readonly prefix?: string | null | undefined
}

export interface ExtraMapping {
  readonly key?: string | undefined
  readonly valueExpression?: string | undefined
}

export interface UserValidationRule {
  readonly expression?: string | undefined
  readonly message?: string | undefined
}
