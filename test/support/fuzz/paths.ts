/** Targets of requests: paths of the API and what is almost one, with queries. */

import { type Random, randomInteger } from '../../../src/base/random.ts'
import { chance, mutatedText, ODD_TEXTS, pick, times } from './draw.ts'

/** A path starts here; some are open to everybody. */
const ROOTS: readonly [string, ...string[]] = [
  '/api/v1',
  '/apis/apps/v1',
  '/apis/rbac.authorization.k8s.io/v1',
  '/apis/authentication.k8s.io/v1',
  '/apis/authorization.k8s.io/v1',
  '/apis/certificates.k8s.io/v1',
  '/apis/apiextensions.k8s.io/v1',
  '/apis/apiregistration.k8s.io/v1',
  '/apis/metrics.k8s.io/v1beta1',
  '/apis/example.com/v1',
  '/api',
  '/apis',
  '/openapi/v2',
  '/openapi/v3',
  '/metrics',
  '/debug/pprof',
  '/logs',
  '/healthz',
  '/livez',
  '/readyz',
  '/version',
  '/.well-known/openid-configuration',
  '/openid/v1/jwks',
  '/t8s',
  '/t8s/status',
  '/t8s/nodes/a',
  '/t8s/encryption-key',
  '/t8s/why/pods/default/a',
  '',
]

const SEGMENTS: readonly [string, ...string[]] = [
  'namespaces',
  'default',
  'kube-system',
  'secrets',
  'configmaps',
  'pods',
  'nodes',
  'services',
  'serviceaccounts',
  'clusterrolebindings',
  'deployments',
  'tokenreviews',
  'subjectaccessreviews',
  'selfsubjectaccessreviews',
  'selfsubjectreviews',
  'certificatesigningrequests',
  'customresourcedefinitions',
  'watch',
  'canary',
  'web',
  'proxy',
  'exec',
  'attach',
  'portforward',
  'log',
  'status',
  'scale',
  'token',
  'binding',
  'eviction',
  'approval',
  'finalize',
  'ephemeralcontainers',
  'https:web:443',
]

const PARAMETERS: readonly [string, ...string[]] = [
  'watch',
  'limit',
  'continue',
  'labelSelector',
  'fieldSelector',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'allowWatchBookmarks',
  'timeoutSeconds',
  'dryRun',
  'fieldManager',
  'fieldValidation',
  'pretty',
  'verbose',
  'exclude',
  'command',
  'container',
  'ports',
  'path',
  'access_token',
  'token',
  'impersonate',
  'user',
]

const VALUES: readonly [string, ...string[]] = [
  'true',
  '1',
  '0',
  'a=b',
  'a in (b,c)',
  'a notin (',
  '!a',
  'metadata.name=canary',
  'spec.nodeName!=a',
  'Exact',
  'NotOlderThan',
  'All',
  'Strict',
  Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"../../secrets/default/"}').toString('base64'),
  Buffer.from('{"v":"meta.k8s.io/v1","rv":-1,"start":"default/canary\\u0000"}').toString('base64'),
  Buffer.from('{"v":"meta.k8s.io/v1","rv":9007199254740993,"start":"a"}').toString('base64'),
]

/** Begins with a slash, as everything does that reaches the handlers. */
export function drawPath(random: Random): string {
  const path = [pick(random, ROOTS), ...times(random, 6, () => segment(random))].join('/')
  const changed = chance(random, 0.3) ? mutatedText(random, path) : path
  const encoded = chance(random, 0.1) ? percentEncoded(random, changed) : changed
  return encoded.startsWith('/') ? encoded : `/${encoded}`
}

function segment(random: Random): string {
  if (chance(random, 0.15)) return pick(random, ODD_TEXTS)
  const known = pick(random, SEGMENTS)
  return chance(random, 0.1) ? mutatedText(random, known) : known
}

function percentEncoded(random: Random, text: string): string {
  return text.replace(/[^/]/g, (character) =>
    chance(random, 0.3) ? `%${Buffer.from(character).toString('hex').slice(0, 2)}` : character,
  )
}

/** Without the question mark; often empty. */
export function drawQuery(random: Random): string {
  return times(random, chance(random, 0.5) ? 0 : 4, () => {
    const value = chance(random, 0.3) ? pick(random, ODD_TEXTS) : pick(random, VALUES)
    const text = chance(random, 0.2) ? mutatedText(random, value) : value
    return `${pick(random, PARAMETERS)}=${chance(random, 0.8) ? encodeURIComponent(text.toWellFormed()) : text}`
  }).join(chance(random, 0.9) ? '&' : ';')
}

const METHODS: readonly [string, ...string[]] = ['GET', 'GET', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE']

const RARE_METHODS: readonly [string, ...string[]] = [
  'HEAD',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'PROPFIND',
  'LIST',
  'get',
  '__proto__',
]

export function drawMethod(random: Random): string {
  // HTTP/2 takes any word.
  if (chance(random, 0.02)) return `M${randomInteger(random, 1_000_000)}`
  return randomInteger(random, 10) === 0 ? pick(random, RARE_METHODS) : pick(random, METHODS)
}
