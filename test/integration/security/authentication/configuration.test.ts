/** The AuthenticationConfiguration of a cluster: refused when it is wrong, read again when it changes, anonymous callers. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AUDIENCE, startTokenIssuer, type TestIssuer } from '../../../support/token-issuer.ts'
import { type Callers, eventually, openCallers } from './callers.ts'

const stack = new AsyncDisposableStack()
let issuer: TestIssuer
beforeAll(async () => {
  issuer = stack.use(await startTokenIssuer())
})
afterAll(() => stack.disposeAsync())

const document = (more: object) => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AuthenticationConfiguration',
  ...more,
})

function trusting(prefix: string, more: object = {}): object {
  return {
    issuer: { url: issuer.url, certificateAuthority: issuer.ca, audiences: [AUDIENCE], ...more },
    claimMappings: { username: { claim: 'sub', prefix } },
  }
}

const open = (config: string | object) => openCallers({ config }, (path) => ({ config: path('config') }))

describe('a server does not start with', () => {
  for (const [what, config, finding] of [
    ['a field that is misspelled', document({ jwts: [] }), 'unknown field "jwts"'],
    [
      'a field in an issuer that is misspelled',
      document({ jwt: [{ issuer: { uri: 'x' } }] }),
      'jwt[0].issuer: unknown field "uri"',
    ],
    ['another version', { ...document({}), apiVersion: 'apiserver.config.k8s.io/v2' }, 'apiVersion: must be'],
    ['a rule that is broken', document({ jwt: [{}] }), 'jwt[0].issuer.url: Required value'],
    ['a field that is there twice', 'kind: A\nkind: B', 'kind'],
    [
      'the server’s own issuer',
      document({ jwt: [{ issuer: { url: 'https://kubernetes.default.svc.cluster.local', audiences: ['a'] } }] }),
      'URL must not overlap with disallowed issuers',
    ],
  ] as const)
    test(what, async () => {
      await expect(open(config)).rejects.toThrow(finding)
    })

  test('a file that is not there', async () => {
    await expect(openCallers({}, (path) => ({ config: path('config') }))).rejects.toThrow('cannot be read')
  })
})

test('a new file counts when its issuers are reached; a wrong one, or one that is away, changes nothing', async () => {
  await using callers = await open(document({ jwt: [trusting('old:')] }))
  const token = await issuer.sign()
  const name = async () => {
    const identity = await callers.whoIs(token)
    return typeof identity === 'number' ? identity : identity.username
  }
  const isNamed = (wanted: string | number) => eventually(async () => ((await name()) === wanted ? true : undefined))
  const isLogged = (text: string) => eventually(async () => (callers.logged().includes(text) ? true : undefined))
  await isNamed('old:jane')
  await callers.write('config', document({ jwt: [trusting('new:')] }))
  await isNamed('new:jane')
  await callers.write('config', document({ jwt: [trusting('wrong:', { audiences: [] })] }))
  await isLogged('jwt[0].issuer.audiences: Required value')
  expect(await name()).toBe('new:jane')
  await callers.write('config', document({ jwt: [trusting('away:', { discoveryURL: `${issuer.url}/nowhere` })] }))
  await isLogged('the service answered with 404')
  expect(await name()).toBe('new:jane')
  await callers.write('config', document({ jwt: [], anonymous: { enabled: true } }))
  await isLogged('anonymous: Forbidden: changed from initial configuration file')
  expect(await name()).toBe('new:jane')
  await callers.write('config', document({ jwt: [] }))
  await isNamed(401)
  const admin = await callers.opened.user('admin', 'system:masters')
  const metrics = await callers.opened.ask('GET', '/metrics', { as: admin })
  const reloads = 'apiserver_authentication_config_controller_automatic_reloads_total'
  expect(metrics.text).toContain(`${reloads}{status="success"} 2`)
  expect(metrics.text).toContain(`${reloads}{status="failure"} 2`)
})

describe('without any proof', () => {
  const statusOf = async (callers: Callers, path: string, headers = {}) =>
    (await callers.opened.ask('GET', path, { headers })).status

  test('probes are answered, and nothing else', async () => {
    await using callers = await openCallers({}, () => ({}))
    for (const path of ['/livez', '/readyz', '/healthz', '/version']) expect(await statusOf(callers, path)).toBe(200)
    for (const path of ['/', '/api', '/apis', '/api/v1/pods', '/metrics', '/openapi/v2', '/livezz', '/openid/v1/jwks'])
      expect(await statusOf(callers, path)).toBe(401)
    expect(await statusOf(callers, '/livez/../metrics')).toBe(403)
    expect(await callers.whoIs(undefined)).toBe(401)
  })

  test('the same where a configuration does not speak of it', async () => {
    await using callers = await open(document({}))
    expect(await statusOf(callers, '/livez')).toBe(200)
    expect(await statusOf(callers, '/api')).toBe(401)
  })

  test('nobody is answered where it is off', async () => {
    await using callers = await open(document({ anonymous: { enabled: false } }))
    expect(await statusOf(callers, '/livez')).toBe(401)
    const { json } = await callers.opened.ask('GET', '/livez')
    expect(json).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Unauthorized',
      reason: 'Unauthorized',
      code: 401,
    })
  })

  test('some paths are open, and not what is below them', async () => {
    await using callers = await open(
      document({ anonymous: { enabled: true, conditions: [{ path: '/livez' }, { path: '/metrics' }] } }),
    )
    expect(await statusOf(callers, '/livez')).toBe(200)
    expect(await statusOf(callers, '/livez/ping')).toBe(401)
    expect(await statusOf(callers, '/readyz')).toBe(401)
    expect(await statusOf(callers, '/metrics')).toBe(403)
  })

  test('everybody is somebody where it is on, with the rights of nobody; a bad proof is no missing one', async () => {
    await using callers = await open(document({ anonymous: { enabled: true } }))
    expect(await statusOf(callers, '/api/v1/pods')).toBe(403)
    expect(await statusOf(callers, '/livez')).toBe(200)
    expect(await statusOf(callers, '/livez', { authorization: 'Bearer bad' })).toBe(401)
    expect(await callers.whoIs(undefined)).toBe(403)
    const { json } = await callers.opened.ask('GET', '/metrics')
    expect(json.message).toBe('forbidden: User "system:anonymous" cannot get path "/metrics"')
  })
})
