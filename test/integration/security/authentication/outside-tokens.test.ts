/** Tokens of a file and of a webhook: who bears them, for how long, and what the webhook gets to hear. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startWebhookServer, type WebhookServer } from '../../../support/webhook-server.ts'
import { type Callers, eventually, openCallers } from './callers.ts'

const stack = new AsyncDisposableStack()
let webhook: WebhookServer
let callers: Callers
/** What the webhook was asked. */
let asked: { readonly body: Record<string, unknown>; readonly authorization: string | undefined }[]
let answer: (token: string) => { readonly status?: number; readonly body: unknown }

const OWN = 'https://kubernetes.default.svc.cluster.local'

function reviewed(status: object): { readonly body: unknown } {
  return { body: { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', status } }
}

function kubeconfig(): object {
  const server = `https://127.0.0.1:${webhook.port}/tokens`
  return {
    clusters: [{ name: 'c', cluster: { server, 'certificate-authority-data': webhook.caBundle } }],
    users: [{ name: 'u', user: { token: 'i am the api server' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  }
}

beforeAll(async () => {
  webhook = stack.use(await startWebhookServer('tokens'))
  webhook.answer = (request, response, text) => {
    const body = JSON.parse(text)
    asked.push({ body, authorization: request.headers.authorization })
    const given = answer(body.spec.token)
    response.statusCode = given.status ?? 200
    response.end(JSON.stringify(given.body))
  }
  callers = stack.use(
    await openCallers({ tokens: 'known,jane,u1,"dev,ops"\ngone,joe,u2\n', webhook: kubeconfig() }, (path) => ({
      tokens: path('tokens'),
      webhook: { kubeconfig: path('webhook'), version: 'v1', cacheSeconds: 60 },
    })),
  )
})
beforeEach(() => {
  asked = []
  answer = () => reviewed({ authenticated: false })
})
afterAll(() => stack.disposeAsync())

describe('a file of tokens', () => {
  test('names its users, without asking anybody', async () => {
    const user = { username: 'jane', uid: 'u1', groups: ['dev', 'ops', 'system:authenticated'] }
    expect(await callers.whoIs('known')).toEqual(user)
    expect(await callers.review('known')).toEqual({ authenticated: true, user, audiences: [OWN] })
    expect(asked).toEqual([])
  })

  test('counts as it is now: what is taken out is nobody’s, and a file that is wrong changes nothing', async () => {
    expect(await callers.whoIs('gone')).toMatchObject({ username: 'joe' })
    await callers.write('tokens', 'known,jane,u1,"dev,ops"\nnew,jim,u3\n')
    await eventually(async () => ((await callers.whoIs('gone')) === 401 ? true : undefined))
    expect(await callers.whoIs('new')).toMatchObject({ username: 'jim' })
    await callers.write('tokens', 'known\n')
    await eventually(async () => (callers.logged().includes('the new file of tokens is not used') ? true : undefined))
    expect(await callers.whoIs('new')).toMatchObject({ username: 'jim' })
    expect(callers.logged()).toContain('must have at least 3 columns')
  })
})

describe('a webhook', () => {
  test('is asked once for a token, and believed for a while', async () => {
    answer = () =>
      reviewed({
        authenticated: true,
        user: { username: 'ann', uid: '7', groups: ['g'], extra: { 'example.com/a': ['b'] } },
      })
    const expected = {
      username: 'ann',
      uid: '7',
      groups: ['g', 'system:authenticated'],
      extra: { 'example.com/a': ['b'] },
    }
    expect(await callers.whoIs('ann-1')).toEqual(expected)
    answer = () => reviewed({ authenticated: false })
    expect(await callers.whoIs('ann-1')).toEqual(expected)
    expect(asked).toEqual([
      {
        authorization: 'Bearer i am the api server',
        body: {
          kind: 'TokenReview',
          apiVersion: 'authentication.k8s.io/v1',
          metadata: {},
          spec: { token: 'ann-1', audiences: [OWN] },
          status: { user: {} },
        },
      },
    ])
  })

  test('that does not know a token is not asked again for a while either', async () => {
    expect(await callers.whoIs('unknown-1')).toBe(401)
    expect(await callers.whoIs('unknown-1')).toBe(401)
    expect(asked).toHaveLength(1)
  })

  for (const [behaviour, given, reason] of [
    ['that is told why not', reviewed({ error: 'revoked' }), 'revoked'],
    ['that names nobody', reviewed({ authenticated: true, user: {} }), 'the webhook names no user'],
    ['that is asked for something else', { body: { kind: 'Pod' } }, 'the answer is no TokenReview'],
    ['that refuses the server', { status: 403, body: {} }, 'the service answered with 403'],
    [
      'of another version',
      { body: { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1beta1', status: { authenticated: true } } },
      'the answer is no TokenReview',
    ],
  ] as const)
    test(`${behaviour}: nobody, said in the log, asked again`, async () => {
      answer = () => given
      const token = `token for ${behaviour}`.replaceAll(' ', '-')
      expect(await callers.whoIs(token)).toBe(401)
      expect(callers.logged()).toContain(reason)
      expect(callers.logged()).not.toContain(token)
      answer = () => reviewed({ authenticated: true, user: { username: 'ann' } })
      expect(await callers.whoIs(token)).toMatchObject({ username: 'ann' })
    })

  test('hears of the audiences that a review asks for, and may know of others', async () => {
    answer = () => reviewed({ authenticated: true, user: { username: 'ann' }, audiences: ['vault', 'x'] })
    expect(await callers.review('for-vault', ['vault', 'other'])).toEqual({
      authenticated: true,
      user: { username: 'ann', groups: ['system:authenticated'] },
      audiences: ['vault'],
    })
    expect(asked[0]?.body).toMatchObject({ spec: { audiences: ['vault', 'other'] } })
    expect(await callers.review('for-others', ['other'])).toEqual({ user: {}, error: 'invalid bearer token' })
    answer = () => reviewed({ authenticated: true, user: { username: 'ann' } })
    expect(await callers.review('for-nobody', ['vault'])).toEqual({ user: {}, error: 'invalid bearer token' })
  })

  test('is not asked about what the server knows itself', async () => {
    const admin = await callers.opened.user('admin', 'system:masters')
    const accounts = '/api/v1/namespaces/default/serviceaccounts'
    await callers.opened.ask('POST', accounts, { as: admin, body: { metadata: { name: 'bot' } } })
    const issued = await callers.opened.ask('POST', `${accounts}/bot/token`, { as: admin, body: { spec: {} } })
    const identity = await callers.whoIs(issued.json.status.token)
    expect(identity).toMatchObject({ username: 'system:serviceaccount:default:bot' })
    expect(asked).toEqual([])
  })
})
