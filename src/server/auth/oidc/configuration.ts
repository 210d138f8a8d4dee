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

const text = { type: 'string' }
const maybeText = { type: ['string', 'null'] }

function fields(properties: Readonly<Record<string, unknown>>) {
  return { type: 'object', additionalProperties: false, properties }
}

function listOf(items: unknown) {
  return { type: ['array', 'null'], items }
}

const prefixed = fields({ claim: text, prefix: maybeText, expression: text })

/** How the file is read: names and types of fields only. */
export const AUTHENTICATION_CONFIGURATION = {
  apiVersions: ['v1', 'v1beta1', 'v1alpha1'].map((version) => `apiserver.config.k8s.io/${version}`),
  kind: 'AuthenticationConfiguration',
  properties: {
    jwt: listOf(
      fields({
        issuer: fields({
          url: text,
          discoveryURL: maybeText,
          certificateAuthority: text,
          audiences: listOf(text),
          audienceMatchPolicy: text,
          egressSelectorType: text,
        }),
        claimValidationRules: listOf(fields({ claim: text, requiredValue: text, expression: text, message: text })),
        claimMappings: fields({
          username: prefixed,
          groups: prefixed,
          uid: fields({ claim: text, expression: text }),
          extra: listOf(fields({ key: text, valueExpression: text })),
        }),
        userValidationRules: listOf(fields({ expression: text, message: text })),
      }),
    ),
    anonymous: {
      ...fields({ enabled: { type: 'boolean' }, conditions: listOf(fields({ path: text })) }),
      type: ['object', 'null'],
    },
  },
}
