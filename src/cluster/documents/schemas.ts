/**
 * What may stand in documents about a cluster, as JSON schemas: names and types of fields, the rules between them are
 * where the documents are used. `npm run gen` makes the checks of `checks.gen.ts` from them.
 */

type Schema = Readonly<Record<string, unknown>>
type Properties = Readonly<Record<string, Schema>>

const text = { type: 'string' }
const flag = { type: 'boolean' }
const count = { type: 'integer', minimum: 0 }
const path = { type: 'string', minLength: 1 }

function oneOf(...values: readonly string[]): Schema {
  return { type: 'string', enum: values }
}

function fields(properties: Properties, required: readonly string[] = []): Schema {
  return { type: 'object', additionalProperties: false, properties, required }
}

function listOf(items: Schema): Schema {
  return { type: 'array', items }
}

/** Upstream's pointers may be null, and so may its lists. */
function orNull(schema: Schema): Schema {
  return { ...schema, type: [schema.type, 'null'] }
}

/** The versions of a document have the same fields. */
function document(kind: string, apiVersions: readonly string[], properties: Properties): Schema {
  const head = { apiVersion: oneOf(...apiVersions), kind: { type: 'string', const: kind } }
  return fields({ ...head, metadata: { type: 'object' }, ...properties }, ['apiVersion', 'kind'])
}

/** `SecuritySettings` of `cluster/security/settings.ts`. */
const security = fields({
  authentication: fields({
    config: path,
    tokens: path,
    webhook: fields({ kubeconfig: path, version: oneOf('v1', 'v1beta1'), cacheSeconds: count }, ['kubeconfig']),
  }),
  authorization: fields({ config: path }),
  audit: fields({
    enabled: flag,
    policy: path,
    log: fields({ path, maxAgeDays: count, maxBackups: count, maxSize: { type: 'integer', minimum: 1 } }),
    webhook: fields({ kubeconfig: path, mode: oneOf('batch', 'blocking', 'blocking-strict') }, ['kubeconfig']),
  }),
  encryption: fields({ enabled: flag, config: path }),
})

/** `ClusterDocument` of `cli/config-file.ts`. */
const cluster = document('Cluster', ['t8s.dev/v1alpha1'], {
  metadata: fields({ name: text }),
  spec: fields({
    server: fields({ port: { type: 'integer', minimum: 0, maximum: 65_535 }, http2: flag }),
    storage: fields({ data: oneOf('memory', 'disk') }),
    network: fields({ podCidr: text, serviceCidr: text, nodeCidr: text, domain: text }),
    security,
    nodes: listOf(fields({ count, runtime: oneOf('docker', 'simulated') })),
  }),
})

const API_SERVER_CONFIG = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `apiserver.config.k8s.io/${version}`)

const claimOrExpression = { claim: text, expression: text }
const prefixedClaim = fields({ claim: text, prefix: orNull(text), expression: text })

const jsonWebTokens = fields({
  issuer: fields({
    url: text,
    discoveryURL: orNull(text),
    certificateAuthority: text,
    audiences: orNull(listOf(text)),
    audienceMatchPolicy: text,
    egressSelectorType: text,
  }),
  claimValidationRules: orNull(listOf(fields({ ...claimOrExpression, requiredValue: text, message: text }))),
  claimMappings: fields({
    username: prefixedClaim,
    groups: prefixedClaim,
    uid: fields(claimOrExpression),
    extra: orNull(listOf(fields({ key: text, valueExpression: text }))),
  }),
  userValidationRules: orNull(listOf(fields({ expression: text, message: text }))),
})

/** `AuthenticationConfiguration` of `server/auth/oidc/configuration.ts`. */
const authentication = document('AuthenticationConfiguration', API_SERVER_CONFIG, {
  jwt: orNull(listOf(jsonWebTokens)),
  anonymous: orNull(fields({ enabled: flag, conditions: orNull(listOf(fields({ path: text }))) })),
})

/** `AuthorizationConfiguration` of `server/auth/structured/authorization-configuration.ts`. */
const authorization = document('AuthorizationConfiguration', API_SERVER_CONFIG, {
  authorizers: listOf(
    fields({
      type: text,
      name: text,
      webhook: orNull(
        fields({
          authorizedTTL: text,
          cacheAuthorizedRequests: orNull(flag),
          unauthorizedTTL: text,
          cacheUnauthorizedRequests: orNull(flag),
          timeout: text,
          subjectAccessReviewVersion: text,
          matchConditionSubjectAccessReviewVersion: text,
          failurePolicy: text,
          connectionInfo: fields({ type: text, kubeConfigFile: orNull(text) }),
          matchConditions: listOf(fields({ expression: text })),
        }),
      ),
    }),
  ),
})

const keys = fields({ keys: listOf(fields({ name: text, secret: text })) })
const kms = fields({ apiVersion: text, name: text, cachesize: { type: 'integer' }, endpoint: text, timeout: text })
const provider = fields({ aesgcm: keys, aescbc: keys, secretbox: keys, identity: { type: 'object' }, kms })

/** `EncryptionConfiguration` of `cluster/security/encryption-config.ts`. */
const encryption = document('EncryptionConfiguration', ['apiserver.config.k8s.io/v1'], {
  resources: listOf(fields({ resources: listOf(text), providers: listOf(provider) })),
})

const texts = listOf(text)

/** `AuditPolicy` of `server/audit/policy.ts`. */
const auditPolicy = document('Policy', ['audit.k8s.io/v1'], {
  rules: listOf(
    fields({
      level: text,
      users: texts,
      userGroups: texts,
      verbs: texts,
      resources: listOf(fields({ group: text, resources: texts, resourceNames: texts })),
      namespaces: texts,
      nonResourceURLs: texts,
      omitStages: texts,
      omitManagedFields: flag,
    }),
  ),
  omitStages: texts,
  omitManagedFields: flag,
})

/** By the names that their checks are exported with. */
export const SCHEMAS: Properties = {
  checkAuditPolicy: auditPolicy,
  checkAuthenticationConfiguration: authentication,
  checkAuthorizationConfiguration: authorization,
  checkCluster: cluster,
  checkEncryptionConfiguration: encryption,
}
