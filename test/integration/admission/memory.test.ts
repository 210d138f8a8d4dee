/**
 * What admission keeps in memory of configurations, classes, ranges, quotas and accounts is dropped when they change:
 * a server that has been there all the time decides like one that has just been started over the same storage.
 */

import { expect, test } from 'vitest'
import { builtinResources } from '../../../src/apis/builtin.ts'
import { randomInteger, seededRandom } from '../../../src/base/random.ts'
import { builtinPlugins } from '../../../src/server/admission/chain.ts'
import { createTestServer, type TestServer } from '../../support/test-server.ts'
import { podBody, startServer } from './admission-server.ts'

const ROUNDS = 100
const NAMESPACES = ['default', 'other']
const random = seededRandom(3)
const oneOf = <T>(...values: readonly T[]): T => values[randomInteger(random, values.length)] as T

const POLICIES = '/apis/admissionregistration.k8s.io/v1'
const PODS_RULE = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }
const MATCHED = { matchConstraints: { resourceRules: [PODS_RULE] } }

/** A collection, and what is written into it: the body of an object, and how it is patched. */
interface Kind {
  /** Most of the time there is none: while there is one, little else decides. */
  readonly isRare?: boolean
  path(namespace: string): string
  body(): object
  patch(): object
}

const webhook = (name: string): object => ({
  name: `${name}.example.com`,
  rules: [PODS_RULE],
  clientConfig: { service: { namespace: 'default', name: oneOf('hook', 'other-hook') } },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  failurePolicy: oneOf('Fail', 'Ignore'),
})
const configuration = (kind: string): Kind => ({
  isRare: true,
  path: () => `${POLICIES}/${kind}webhookconfigurations`,
  body: () => ({ webhooks: [webhook(kind)] }),
  patch: () => ({ webhooks: oneOf([], [webhook(kind)]) }),
})
const denial = () => ({ expression: `object.metadata.name != '${oneOf('web', 'db')}'`, message: oneOf('no', 'never') })
const label = () => ({
  patchType: 'JSONPatch',
  jsonPatch: {
    expression: `[JSONPatch{op: "add", path: "/metadata/labels", value: {"mutated": "${oneOf('a', 'b')}"}}]`,
  },
})
const binding = (path: string): Kind => ({
  path: () => `${POLICIES}/${path}`,
  body: () => ({ spec: { policyName: 'one', ...(path.startsWith('validating') && { validationActions: ['Deny'] }) } }),
  patch: () => ({ spec: { policyName: oneOf('one', 'default') } }),
})
const amount = () => oneOf('1', '2')

const KINDS: readonly Kind[] = [
  configuration('validating'),
  configuration('mutating'),
  {
    path: () => `${POLICIES}/validatingadmissionpolicies`,
    body: () => ({ spec: { ...MATCHED, validations: [denial()] } }),
    patch: () => ({ spec: { validations: [denial()] } }),
  },
  binding('validatingadmissionpolicybindings'),
  {
    path: () => `${POLICIES}/mutatingadmissionpolicies`,
    body: () => ({ spec: { ...MATCHED, reinvocationPolicy: 'Never', mutations: [label()] } }),
    patch: () => ({ spec: { mutations: [label()] } }),
  },
  binding('mutatingadmissionpolicybindings'),
  {
    isRare: true,
    path: (namespace) => `/api/v1/namespaces/${namespace}/resourcequotas`,
    body: () => ({ spec: { hard: { pods: oneOf('0', '5') } } }),
    patch: () => ({ spec: { hard: { pods: oneOf('0', '5') } } }),
  },
  {
    path: (namespace) => `/api/v1/namespaces/${namespace}/limitranges`,
    body: () => ({ spec: { limits: [{ type: 'Container', defaultRequest: { cpu: amount() } }] } }),
    patch: () => ({ spec: { limits: [{ type: 'Container', default: { memory: amount() } }] } }),
  },
  {
    path: () => '/apis/scheduling.k8s.io/v1/priorityclasses',
    body: () => ({ value: oneOf(1, 2), globalDefault: oneOf(true, false) }),
    patch: () => ({ globalDefault: oneOf(true, false) }),
  },
  {
    path: () => '/apis/node.k8s.io/v1/runtimeclasses',
    body: () => ({ handler: 'vm', overhead: { podFixed: { cpu: amount() } } }),
    patch: () => ({ scheduling: { nodeSelector: { vm: oneOf('yes', 'no') } } }),
  },
  {
    path: (namespace) => `/api/v1/namespaces/${namespace}/serviceaccounts`,
    body: () => ({}),
    patch: () => ({
      automountServiceAccountToken: oneOf(true, false, null),
      imagePullSecrets: oneOf(null, [{ name: 'pull' }]),
    }),
  },
]

const HEADERS = { 'content-type': 'application/merge-patch+json' }

/** Creates, patches or deletes an object; that it may be refused does not matter. */
async function writeSomething(server: TestServer): Promise<void> {
  const level = () => ({ 'pod-security.kubernetes.io/enforce': oneOf('privileged', 'baseline', null) })
  const relabelled = { metadata: { labels: level() } }
  if (oneOf(...Array.from({ length: 12 }, (_, place) => place)) === 0) {
    await server.send('PATCH', `/api/v1/namespaces/${oneOf(...NAMESPACES)}`, { headers: HEADERS, body: relabelled })
    return
  }
  const kind = oneOf(...KINDS)
  const path = kind.path(oneOf(...NAMESPACES))
  const name = kind.isRare ? 'one' : oneOf('one', 'one', 'default')
  const often = kind.isRare ? 'DELETE' : 'POST'
  switch (oneOf(often, often, 'POST', 'PATCH', 'DELETE')) {
    case 'POST':
      await server.send('POST', path, { body: { metadata: { name }, ...kind.body() } })
      // The controllers of this server are nobody: who is to say what of a quota is used?
      if (path.endsWith('resourcequotas')) await countNothing(server, `${path}/${name}`)
      break
    case 'PATCH':
      await server.send('PATCH', `${path}/${name}`, { headers: HEADERS, body: kind.patch() })
      if (path.endsWith('resourcequotas')) await countNothing(server, `${path}/${name}`)
      break
    default:
      await server.send('DELETE', `${path}/${name}`)
  }
}

async function countNothing(server: TestServer, path: string): Promise<void> {
  const { hard } = (await server.send('GET', path)).json?.spec ?? {}
  await server.send('PATCH', `${path}/status`, { headers: HEADERS, body: { status: { hard, used: { pods: '0' } } } })
}

const PODS: readonly (readonly [string, object])[] = [
  ['web', {}],
  ['db', { serviceAccountName: 'one' }],
  ['web', { priorityClassName: 'one', hostPID: true }],
  ['db', { runtimeClassName: 'one', automountServiceAccountToken: true }],
]

/** What it would answer to pods, without what differs by chance. */
async function answers(server: TestServer): Promise<readonly string[]> {
  const found: string[] = []
  for (const namespace of NAMESPACES) {
    for (const [name, spec] of PODS) {
      const url = `/api/v1/namespaces/${namespace}/pods?dryRun=All`
      const { status, text } = await server.send('POST', url, { body: podBody(name, spec) })
      const same = text.replaceAll(/kube-api-access-\w{5}/g, 'kube-api-access-').replace(/"uid":"[^"]*"/, '"uid":""')
      found.push(`${namespace} ${status} ${same}`)
    }
  }
  return found
}

test('pods are decided on by what is stored at the moment', async () => {
  await using server = await startServer()
  await server.send('POST', '/api/v1/namespaces', { body: { metadata: { name: 'other' } } })
  await server.send('POST', '/api/v1/namespaces/other/serviceaccounts', { body: { metadata: { name: 'default' } } })
  const seen = new Set<string>()
  for (let round = 0; round < ROUNDS; round++) {
    for (let left = oneOf(1, 2, 3); left > 0; left--) await writeSomething(server)
    const found = await answers(server)
    await using fresh = createTestServer(builtinResources, { plugins: builtinPlugins, storage: server.storage })
    expect(found).toEqual(await answers(fresh))
    for (const text of found) seen.add(text.replace(/^.*"message":/, ''))
  }
  // The sequence leads somewhere.
  expect(seen.size).toBeGreaterThan(40)
})
