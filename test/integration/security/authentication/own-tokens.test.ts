/** Tokens that the server knows itself: bound to objects, of Secrets, for joining. They end with what they belong to. */

import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { KeyPair } from '../../../../src/server/auth/certificate-authority.ts'
import { issueLegacyToken } from '../../../../src/server/auth/legacy-token.ts'
import { type Callers, eventually, type Identity, openCallers } from './callers.ts'

const stack = new AsyncDisposableStack()
let callers: Callers
let admin: KeyPair
const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts'
const SECRETS = '/api/v1/namespaces/default/secrets'
const PODS = '/api/v1/namespaces/default/pods'

beforeAll(async () => {
  callers = stack.use(await openCallers({}, () => ({})))
  admin = await callers.opened.user('admin', 'system:masters')
  await make(ACCOUNTS, { metadata: { name: 'default' } })
})
afterAll(() => stack.disposeAsync())

// biome-ignore lint/suspicious/noExplicitAny: objects of every kind.
async function make(path: string, body: object): Promise<any> {
  const answer = await callers.opened.ask('POST', path, { as: admin, body })
  expect(answer, answer.text).toMatchObject({ status: 201 })
  return answer.json
}

async function remove(path: string): Promise<void> {
  const answer = await callers.opened.ask('DELETE', path, { as: admin })
  expect(answer.status).toBe(200)
}

async function tokenOf(account: string, spec: object = {}): Promise<string> {
  return (await make(`${ACCOUNTS}/${account}/token`, { spec })).status.token
}

const pod = (name: string, more: object = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }], automountServiceAccountToken: false, ...more },
})

test('a token names the account, what it is bound to, and itself', async () => {
  const node = await make('/api/v1/nodes', { metadata: { name: 'n1' } })
  const bound = await make(PODS, pod('p1', { nodeName: 'n1' }))
  const token = await tokenOf('default', { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p1' } })
  const identity = await callers.whoIs(token)
  expect(identity).toEqual({
    username: 'system:serviceaccount:default:default',
    uid: expect.any(String),
    groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    extra: {
      'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^JTI=/)],
      'authentication.kubernetes.io/node-name': ['n1'],
      'authentication.kubernetes.io/node-uid': [node.metadata.uid],
      'authentication.kubernetes.io/pod-name': ['p1'],
      'authentication.kubernetes.io/pod-uid': [bound.metadata.uid],
    },
  })
  expect(await callers.review(token)).toMatchObject({ authenticated: true, user: identity })
})

for (const [kind, path, object] of [
  ['Pod', PODS, pod('bound')],
  ['Secret', SECRETS, { metadata: { name: 'bound' } }],
  ['Node', '/api/v1/nodes', { metadata: { name: 'bound' } }],
] as const)
  test(`a token that is bound to a ${kind} ends with it, at once`, async () => {
    await make(path, object)
    const token = await tokenOf('default', { boundObjectRef: { kind, apiVersion: 'v1', name: 'bound' } })
    expect(await callers.whoIs(token)).toMatchObject({ username: 'system:serviceaccount:default:default' })
    await remove(`${path}/bound`)
    expect(await callers.whoIs(token)).toBe(401)
    const invalidated = '[invalid bearer token, service account token has been invalidated]'
    expect(await callers.review(token)).toEqual({ user: {}, error: invalidated })
    const again = await make(path, object)
    const name = kind.toLowerCase()
    const other = `${name} UID (${again.metadata.uid}) does not match service account ${name} ref claim`
    expect(await callers.review(token)).toMatchObject({ error: expect.stringContaining(other) })
  })

test('a pod on a node that is not there has a token with the name of the node', async () => {
  await make(PODS, pod('lost', { nodeName: 'nowhere' }))
  const token = await tokenOf('default', { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'lost' } })
  const { extra } = (await callers.whoIs(token)) as Identity
  expect(extra?.['authentication.kubernetes.io/node-name']).toEqual(['nowhere'])
  expect(extra).not.toHaveProperty(['authentication.kubernetes.io/node-uid'])
})

test('a request for a token is for the account that it names, with all that it says of it', async () => {
  const { metadata } = (await callers.opened.ask('GET', `${ACCOUNTS}/default`, { as: admin })).json
  const issued = await make(`${ACCOUNTS}/default/token`, { metadata: { name: 'default', uid: metadata.uid }, spec: {} })
  expect(issued.metadata).toMatchObject({ name: 'default', namespace: 'default', uid: metadata.uid })
  for (const [sent, status, message] of [
    [
      { uid: 'x' },
      409,
      `the UID in the token request (x) does not match the UID of the service account (${metadata.uid})`,
    ],
    [{ name: 'other' }, 422, 'metadata.name: Invalid value: "other": must match the service account name if specified'],
    [{ namespace: 'other' }, 422, 'must match the service account namespace if specified'],
  ] as const) {
    const body = { metadata: sent, spec: {} }
    const answer = await callers.opened.ask('POST', `${ACCOUNTS}/default/token`, { as: admin, body })
    expect([answer.status, answer.json.message]).toEqual([status, expect.stringContaining(message)])
  }
})

test('a pod that ends slowly keeps its rights until it has ended', async () => {
  await make(PODS, pod('slow', { nodeName: 'n1' }))
  const token = await tokenOf('default', { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'slow' } })
  await remove(`${PODS}/slow`)
  const ending = await callers.opened.ask('GET', `${PODS}/slow`, { as: admin })
  expect(ending.json.metadata.deletionTimestamp).toBeDefined()
  expect(await callers.whoIs(token)).toMatchObject({ username: 'system:serviceaccount:default:default' })
  await remove(`${PODS}/slow?gracePeriodSeconds=0`)
  expect(await callers.whoIs(token)).toBe(401)
})

test('a token ends with its account, and is not that of the next one of the same name', async () => {
  await make(ACCOUNTS, { metadata: { name: 'brief' } })
  const token = await tokenOf('brief')
  expect(await callers.whoIs(token)).toMatchObject({ username: 'system:serviceaccount:default:brief' })
  await remove(`${ACCOUNTS}/brief`)
  expect(await callers.whoIs(token)).toBe(401)
  expect(await callers.review(token)).toMatchObject({
    error: expect.stringContaining('serviceaccounts "brief" not found'),
  })
  await make(ACCOUNTS, { metadata: { name: 'brief' } })
  expect(await callers.whoIs(token)).toBe(401)
})

test('a token for others is not for the API server', async () => {
  const token = await tokenOf('default', { audiences: ['vault'] })
  expect(await callers.whoIs(token)).toBe(401)
  expect(await callers.review(token, ['x', 'vault'])).toMatchObject({ authenticated: true, audiences: ['vault'] })
  expect(await callers.review(token)).toMatchObject({
    error:
      '[invalid bearer token, token audiences ["vault"] is invalid for the target audiences ' +
      '["https://kubernetes.default.svc.cluster.local"]]',
  })
})

test('the token of a Secret is noted when it is used, and ends with the Secret', async () => {
  const account = await make(ACCOUNTS, { metadata: { name: 'old' } })
  const subject = {
    namespace: 'default',
    secretName: 'old-token',
    serviceAccount: { name: 'old', uid: account.metadata.uid },
  }
  const token = await issueLegacyToken(callers.opened.controlPlane.tokenKeys, subject)
  const annotations = {
    'kubernetes.io/service-account.name': 'old',
    'kubernetes.io/service-account.uid': account.metadata.uid,
  }
  const secret = { metadata: { name: 'old-token', annotations }, type: 'kubernetes.io/service-account-token' }
  await make(SECRETS, { ...secret, data: { token: Buffer.from(token).toString('base64') } })
  expect(await callers.whoIs(token)).toMatchObject({ username: 'system:serviceaccount:default:old' })
  const used = await eventually(async () => {
    const { json } = await callers.opened.ask('GET', `${SECRETS}/old-token`, { as: admin })
    return json.metadata.labels?.['kubernetes.io/legacy-token-last-used']
  })
  expect(used).toMatch(/^\d{4}-\d\d-\d\d$/)
  await remove(`${SECRETS}/old-token`)
  expect(await callers.whoIs(token)).toBe(401)
  expect(await callers.review(token)).toMatchObject({ error: '[invalid bearer token, Token has been invalidated]' })
})

test('a token for joining ends with its Secret', async () => {
  const path = '/api/v1/namespaces/kube-system/secrets'
  const stringData = {
    'token-id': 'abcdef',
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-authentication': 'true',
  }
  const metadata = { name: 'bootstrap-token-abcdef' }
  await make(path, { metadata, type: 'bootstrap.kubernetes.io/token', stringData })
  const identity = { username: 'system:bootstrap:abcdef', groups: ['system:bootstrappers', 'system:authenticated'] }
  expect(await callers.whoIs('abcdef.0123456789abcdef')).toEqual(identity)
  expect(await callers.review('abcdef.0123456789abcdef')).toMatchObject({ authenticated: true, user: identity })
  await remove(`${path}/bootstrap-token-abcdef`)
  expect(await callers.whoIs('abcdef.0123456789abcdef')).toBe(401)
})

test('service accounts may read what others need to verify their tokens, and nobody else may', async () => {
  const token = await tokenOf('default', { audiences: ['vault'] })
  const headers = { authorization: `Bearer ${await tokenOf('default')}` }
  const described = await callers.opened.ask('GET', '/.well-known/openid-configuration', { headers })
  expect(described.json).toMatchObject({
    issuer: 'https://kubernetes.default.svc.cluster.local',
    jwks_uri: expect.stringMatching(/^https:.*\/openid\/v1\/jwks$/),
    id_token_signing_alg_values_supported: ['ES256'],
  })
  const { json: keys } = await callers.opened.ask('GET', '/openid/v1/jwks', { headers })
  const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
    audience: 'vault',
    issuer: described.json.issuer,
  })
  expect(payload.sub).toBe('system:serviceaccount:default:default')
  for (const path of ['/.well-known/openid-configuration', '/openid/v1/jwks']) {
    expect((await callers.opened.ask('GET', path, { as: await callers.opened.user('joe') })).status).toBe(403)
    expect((await callers.opened.ask('GET', path)).status).toBe(401)
  }
})
