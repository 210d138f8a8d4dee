import { createHmac } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { createFakeClock, type FakeClock } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import type { ApiRequest, UserInfo } from '../../machinery/wire/message.ts'
import { anonymous } from './anonymous.ts'
import { inOrder, peerIdentity } from './authenticator.ts'
import { attributesOf, refusal } from './authorizer.ts'
import { bearerToken, forAudiences, tokenOf } from './bearer-token.ts'
import { createTokenKeys, generateSigningKey } from './json-web-token.ts'
import { createServiceAccountTokens, type ServiceAccountTokens } from './service-account-token.ts'

const signingKey = generateSigningKey()
let clock: FakeClock
let alive: Map<string, string>
let tokens: ServiceAccountTokens
/** Of everything. */
let deletedAtMs: number | undefined
const OWN = ['https://kubernetes.default.svc']
const verify = (token: string) => tokens.verify(token, OWN)

beforeEach(() => {
  clock = createFakeClock()
  deletedAtMs = undefined
  alive = new Map([
    ['serviceaccounts/d/robot', 'u1'],
    ['pods/d/web-0', 'u2'],
  ])
  tokens = tokensAt(clock)
})

function tokensAt(at: FakeClock | number): ServiceAccountTokens {
  return createServiceAccountTokens({
    keys: createTokenKeys([signingKey]),
    issuer: 'https://kubernetes.default.svc',
    audiences: OWN,
    clock: typeof at === 'number' ? createFakeClock(at) : at,
    random: seededRandom(1),
    bound: {
      bound: (resource, { namespace, name }) => {
        const uid = alive.get(`${resource}/${namespace}/${name}`)
        return uid === undefined ? undefined : { uid, deletedAtMs }
      },
    },
  })
}

const wish = {
  namespace: 'd',
  serviceAccount: { name: 'robot', uid: 'u1' },
  pod: { name: 'web-0', uid: 'u2' },
  audiences: [],
  expirationSeconds: 600,
}

const request = (headers: Record<string, string>, more: Partial<ApiRequest> = {}): ApiRequest => ({
  method: 'GET',
  path: '/api/v1/pods',
  query: new URLSearchParams(),
  headers,
  body: { type: 'none' },
  signal: new AbortController().signal,
  wants: 'bytes',
  ...more,
})

describe('service account tokens', () => {
  test('name the account, its groups and what they are bound to', async () => {
    const { token } = await tokens.issue(wish)
    expect((await verify(token))?.user).toMatchObject({
      name: 'system:serviceaccount:d:robot',
      uid: 'u1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:d'],
      extra: { 'authentication.kubernetes.io/pod-name': ['web-0'], 'authentication.kubernetes.io/pod-uid': ['u2'] },
    })
  })

  test('end with their time, at once with their pod, and with a new account of the same name', async () => {
    const { token } = await tokens.issue(wish)
    await verify(token)
    alive.delete('pods/d/web-0')
    await expect(verify(token)).rejects.toThrow('service account token has been invalidated')
    alive.set('pods/d/web-0', 'u2')
    alive.set('serviceaccounts/d/robot', 'another')
    await expect(verify(token)).rejects.toThrow('service account UID (another) does not match claim (u1)')
    alive.set('serviceaccounts/d/robot', 'u1')
    await clock.advance(600_000)
    await expect(verify(token)).rejects.toThrow(/expired/)
  })

  test('live as long as what is being deleted: a pod needs its rights to end well', async () => {
    const { token } = await tokens.issue(wish)
    deletedAtMs = clock.now() + 30_000
    await clock.advance(30_000)
    expect(await verify(token)).toBeDefined()
    await clock.advance(10_001)
    await expect(verify(token)).rejects.toThrow('service account d/robot has been deleted')
  })

  test('are not refused when the clock steps back a little', async () => {
    const issued = await tokensAt(clock.now()).issue(wish)
    expect(await tokensAt(clock.now() - 9_000).verify(issued.token, OWN)).toBeDefined()
    await expect(tokensAt(clock.now() - 11_000).verify(issued.token, OWN)).rejects.toThrow('not valid yet')
  })

  test('are good for their audiences only', async () => {
    const { token } = await tokens.issue({ ...wish, audiences: ['vault'] })
    await expect(verify(token)).rejects.toThrow(/audiences/)
    expect((await tokens.verify(token, ['x', 'vault']))?.audiences).toEqual(['vault'])
  })

  test('are refused when forged, and left to others when foreign', async () => {
    const { token } = await tokens.issue(wish)
    const [, payload = '', signature] = token.split('.')
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const none = `${encode({ alg: 'none' })}.${payload}.`
    const confusedHead = `${encode({ alg: 'HS256' })}.${payload}`
    const confused = `${confusedHead}.${createHmac('sha256', signingKey).update(confusedHead).digest('base64url')}`
    const changed = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const altered = `${token.split('.')[0]}.${encode({ ...changed, exp: changed.exp + 1 })}.${signature}`
    for (const forged of [none, confused, altered]) await expect(verify(forged)).rejects.toThrow()
    for (const foreign of ['', 'x', 'a.b.c', `${encode({})}.${encode({ iss: 'other' })}.x`])
      expect(await verify(foreign)).toBeUndefined()
  })

  test('signed by an older key are still good', async () => {
    const older = createTokenKeys([signingKey])
    const rotated = createTokenKeys([generateSigningKey(), signingKey])
    expect(await rotated.verify(await older.sign({ a: 1 }))).toEqual({ a: 1 })
    expect((await rotated.published()).keys).toHaveLength(2)
  })
})

describe('authentication', () => {
  const authenticator = inOrder(
    [
      peerIdentity,
      bearerToken(
        forAudiences(OWN, (token) => known.get(token)),
        OWN,
      ),
    ],
    anonymous,
  )
  const known = new Map<string, UserInfo>([['good', { name: 'jane', groups: ['g'] }]])

  for (const [behaviour, asked, expected] of [
    ['a certificate wins', request({ authorization: 'Bearer good' }, { peer: { name: 'p', groups: [] } }), 'p'],
    ['a token names its user', request({ authorization: 'bearer good' }), 'jane'],
    ['a token makes up for a bad certificate', request({ authorization: 'Bearer good' }, { peerFailure: 'x' }), 'jane'],
    ['a bad token is refused', request({ authorization: 'Bearer bad' }), undefined],
    [
      'a bad token is refused even for health',
      request({ authorization: 'Bearer bad' }, { path: '/healthz' }),
      undefined,
    ],
    ['nobody may ask for health', request({}, { path: '/readyz/ping' }), 'system:anonymous'],
    ['nobody may ask for nothing else', request({}), undefined],
    ['a look-alike path is not health', request({}, { path: '/healthzz' }), undefined],
  ] as const)
    test(behaviour, async () => {
      const result = await authenticator.authenticate(asked)
      expect(result.outcome === 'user' ? result.user.name : undefined).toBe(expected)
    })

  test('whoever is known is in system:authenticated', async () => {
    const result = await authenticator.authenticate(request({ authorization: 'Bearer good' }))
    expect(result).toEqual({ outcome: 'user', user: { name: 'jane', groups: ['g', 'system:authenticated'] } })
  })

  for (const [header, token] of [
    ['Bearer t', 't'],
    ['BEARER t', 't'],
    ['  bearer t  ', 't'],
    ['Bearer t more', 't'],
    ['Bearer  t', undefined],
    ['Bearer', undefined],
    ['Bearer ', undefined],
    ['Basic t', undefined],
    ['Bearert', undefined],
  ] as const)
    test(`the header ${JSON.stringify(header)} is of ${token ?? 'nobody'}`, () =>
      expect(tokenOf(request({ authorization: header }))).toBe(token))

  test('whoever writes two blanks is told', () => {
    const warnings: string[] = []
    tokenOf(request({ authorization: 'Bearer  t' }, { warn: (text) => void warnings.push(text) }))
    expect(warnings).toEqual([expect.stringContaining('extra space before the bearer token')])
  })

  const encoded = (text: string | Buffer) =>
    `base64url.bearer.authorization.k8s.io.${Buffer.from(text).toString('base64url')}`
  const upgrade = (protocols: string) => request({ upgrade: 'websocket', 'sec-websocket-protocol': protocols })

  test('browsers pass tokens as a WebSocket protocol', () => {
    expect(tokenOf(upgrade(`v5.channel.k8s.io, ${encoded('tök')}`))).toBe('tök')
    expect(tokenOf(upgrade('v5.channel.k8s.io'))).toBeUndefined()
    expect(tokenOf(request({ 'sec-websocket-protocol': `v5.channel.k8s.io, ${encoded('t')}` }))).toBeUndefined()
  })

  for (const [what, protocols, reason] of [
    ['two tokens', `a,${encoded('t')},${encoded('t')}`, 'multiple base64.bearer.authorization tokens specified'],
    ['nothing else', encoded('t'), 'missing additional subprotocol'],
    ['no base64', 'a,base64url.bearer.authorization.k8s.io.t=', 'token encoding'],
    ['no text', `a,${encoded(Buffer.from([0xff]))}`, 'invalid base64.bearer.authorization token'],
  ] as const)
    test(`protocols with ${what} are of nobody`, async () => {
      expect(() => tokenOf(upgrade(protocols))).toThrow(reason)
      expect(await authenticator.authenticate(upgrade(protocols))).toMatchObject({ outcome: 'failed' })
    })
})

describe('authorization', () => {
  const resource = (verb: string, name = '', more = {}) =>
    ({
      type: 'resource',
      path: '',
      verb,
      group: '',
      version: 'v1',
      namespace: 'y',
      resource: 'pods',
      subresource: '',
      name,
      ...more,
    }) as const
  const path = (text: string, verb = 'get') => ({ type: 'path', path: text, verb }) as const
  const jane: UserInfo = { name: 'jane', groups: ['system:authenticated'] }
  for (const [target, message] of [
    [
      resource('list'),
      'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "y"',
    ],
    [
      resource('get', 'web', { group: 'apps', resource: 'deployments', subresource: 'scale', namespace: '' }),
      'deployments.apps "web" is forbidden: User "jane" cannot get resource "deployments/scale" ' +
        'in API group "apps" at the cluster scope',
    ],
    [path('/metrics'), 'forbidden: User "jane" cannot get path "/metrics"'],
  ] as const)
    test(`a refusal reads: ${message}`, () => expect(refusal(attributesOf(jane, target), '').message).toBe(message))
})
