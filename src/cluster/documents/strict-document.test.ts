import { expect, test } from 'vitest'
import {
  checkAuditPolicy,
  checkAuthenticationConfiguration,
  checkAuthorizationConfiguration,
  checkCluster,
  checkEncryptionConfiguration,
} from './checks.gen.ts'
import { type Check, findingsIn } from './strict-document.ts'

const API_SERVER_CONFIG = 'apiserver.config.k8s.io/v1'

const CLUSTER = {
  apiVersion: 't8s.dev/v1alpha1',
  kind: 'Cluster',
  metadata: { name: 'here' },
  spec: {
    server: { port: 6443, http2: false },
    storage: { data: 'disk' },
    network: { podCidr: '10.0.0.0/16', serviceCidr: '10.1.0.0/16', nodeCidr: '10.2.0.0/16', domain: 'cluster.local' },
    security: {
      authentication: { config: 'a.yaml', tokens: 't', webhook: { kubeconfig: 'k', version: 'v1', cacheSeconds: 0 } },
      authorization: { config: 'b.yaml' },
      audit: {
        enabled: false,
        policy: 'p.yaml',
        log: { path: '-', maxAgeDays: 1, maxBackups: 2, maxSize: 3 },
        webhook: { kubeconfig: 'k', mode: 'batch' },
      },
      encryption: { enabled: true, config: 'e.yaml' },
    },
    nodes: [{ count: 2, runtime: 'docker' }, { runtime: 'simulated' }],
  },
}

const AUTHENTICATION = {
  apiVersion: 'apiserver.config.k8s.io/v1beta1',
  kind: 'AuthenticationConfiguration',
  jwt: [
    {
      issuer: {
        url: 'https://a',
        discoveryURL: 'https://b',
        certificateAuthority: 'PEM',
        audiences: ['a'],
        audienceMatchPolicy: 'MatchAny',
        egressSelectorType: 'cluster',
      },
      claimValidationRules: [{ claim: 'a', requiredValue: 'b', expression: 'c', message: 'd' }],
      claimMappings: {
        username: { claim: 'sub', prefix: '' },
        groups: { expression: 'a' },
        uid: { claim: 'b', expression: 'c' },
        extra: [{ key: 'a', valueExpression: 'b' }],
      },
      userValidationRules: [{ expression: 'a', message: 'b' }],
    },
  ],
  anonymous: { enabled: true, conditions: [{ path: '/livez' }] },
}

const AUTHORIZATION = {
  apiVersion: API_SERVER_CONFIG,
  kind: 'AuthorizationConfiguration',
  authorizers: [
    {
      type: 'Webhook',
      name: 'w',
      webhook: {
        authorizedTTL: '1s',
        cacheAuthorizedRequests: true,
        unauthorizedTTL: '1s',
        cacheUnauthorizedRequests: false,
        timeout: '3s',
        subjectAccessReviewVersion: 'v1',
        matchConditionSubjectAccessReviewVersion: 'v1',
        failurePolicy: 'Deny',
        connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: '/k' },
        matchConditions: [{ expression: 'true' }],
      },
    },
  ],
}

const keys = { keys: [{ name: 'a', secret: 'b' }] }
const kms = { apiVersion: 'v2', name: 'a', cachesize: 1, endpoint: 'unix:///a', timeout: '3s' }

const ENCRYPTION = {
  apiVersion: API_SERVER_CONFIG,
  kind: 'EncryptionConfiguration',
  resources: [
    { resources: ['secrets'], providers: [{ aesgcm: keys, aescbc: keys, secretbox: keys, identity: { a: 1 }, kms }] },
  ],
}

const AUDIT = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  metadata: { name: 'any' },
  rules: [
    {
      level: 'None',
      users: ['a'],
      userGroups: ['a'],
      verbs: ['get'],
      resources: [{ group: '', resources: ['pods'], resourceNames: ['a'] }],
      namespaces: ['a'],
      nonResourceURLs: ['/a'],
      omitStages: ['Panic'],
      omitManagedFields: true,
    },
  ],
  omitStages: ['Panic'],
  omitManagedFields: false,
}

/** Of its kind, each with every field it may have. */
const DOCUMENTS: readonly (readonly [string, Check, object])[] = [
  ['Cluster', checkCluster, CLUSTER],
  ['AuthenticationConfiguration', checkAuthenticationConfiguration, AUTHENTICATION],
  ['AuthorizationConfiguration', checkAuthorizationConfiguration, AUTHORIZATION],
  ['EncryptionConfiguration', checkEncryptionConfiguration, ENCRYPTION],
  ['Policy', checkAuditPolicy, AUDIT],
]

/** In which nothing is described. */
const FREE = new Set(['metadata', 'identity'])

/** The document with one of its values replaced by one of another type, and where; with one field too much, and where. */
function* broken(value: unknown, path: string): Generator<readonly [document: unknown, path: string]> {
  yield [typeof value === 'number' ? 'x' : 1.5, path]
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      for (const [other, place] of broken(item, `${path}[${index}]`)) yield [value.with(index, other), place]
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, field] of Object.entries(value)) {
      const place = path === '' ? name : `${path}.${name}`
      const inner = FREE.has(name) ? [[1.5, place] as const] : broken(field, place)
      for (const [other, deeper] of inner) yield [{ ...value, [name]: other }, deeper]
    }
    yield [{ ...value, surplus: 1 }, path]
  }
}

test.each(DOCUMENTS)('%s: each field is known and has its type, another is refused', (_, check, document) => {
  expect(findingsIn(document, check)).toEqual([])
  for (const [other, path] of broken(document, '')) {
    const findings = findingsIn(other, check)
    expect(findings.length, JSON.stringify(other)).toBeGreaterThan(0)
    for (const finding of findings) expect(finding).toMatch(path === '' ? 'the document: ' : `${path}: `)
  }
})

const cluster = (spec: unknown) => ({ apiVersion: 't8s.dev/v1alpha1', kind: 'Cluster', spec })

test.each<readonly [unknown, readonly string[]]>([
  [{ nodes: [{ cout: 1 }] }, ['spec.nodes[0]: unknown field "cout". Did you mean "count"?']],
  [{ elsewhere: 1 }, ['spec: unknown field "elsewhere"']],
  [{ nodes: [{}, { count: -1 }] }, ['spec.nodes[1].count: must be >= 0']],
  [{ nodes: [{ count: 1.5 }] }, ['spec.nodes[0].count: must be integer']],
  [
    { server: { port: 70_000, http2: 'yes' } },
    ['spec.server.port: must be <= 65535', 'spec.server.http2: must be boolean'],
  ],
  [{ storage: { data: 'tape' } }, ['spec.storage.data: must be memory or disk']],
  [
    { security: { encryption: { config: '' } } },
    ['spec.security.encryption.config: must NOT have fewer than 1 characters'],
  ],
  [{ security: { audit: { webhook: {} } } }, ["spec.security.audit.webhook: must have required property 'kubeconfig'"]],
  [null, ['spec: must be object']],
])('what is wrong is said with its place: %j', (spec, expected) => {
  expect(findingsIn(cluster(spec), checkCluster)).toEqual(expected)
})

test("upstream's pointers and lists may be null", () => {
  const head = { apiVersion: API_SERVER_CONFIG, kind: 'AuthenticationConfiguration' }
  const jwt = [{ issuer: { discoveryURL: null, audiences: null }, claimValidationRules: null }]
  expect(findingsIn({ ...head, jwt, anonymous: null }, checkAuthenticationConfiguration)).toEqual([])
  expect(findingsIn({ ...head, jwt: null }, checkAuthenticationConfiguration)).toEqual([])
})
