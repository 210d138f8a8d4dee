import { afterEach, describe, expect, test } from 'vitest'
import type { UserInfo } from '../../../../src/machinery/wire/message.ts'
import { type AuditedServer, auditedServer, everything } from './audited-server.ts'

// Goal: who asked, as the log tells it: known and unknown callers, those who act as others, those who may not.

const PODS = '/api/v1/namespaces/shop/pods'
const jane: UserInfo = { name: 'jane', uid: '7', groups: ['devs'], extra: { scopes: ['a', 'b'] } }

let server: AuditedServer
afterEach(() => server[Symbol.asyncDispose]())

test('a caller who cannot be identified is logged with the answer and nothing else', async () => {
  server = auditedServer(everything('RequestResponse'))
  const { api } = server
  expect((await api.send('GET', PODS)).status).toBe(401)
  const status = { status: 'Failure', message: 'Unauthorized', reason: 'Unauthorized', code: 401 }
  const [event, ...others] = server.logged()
  expect(others).toEqual([])
  expect(event).toMatchObject({
    stage: 'ResponseStarted',
    verb: 'list',
    user: {},
    objectRef: { resource: 'pods', namespace: 'shop', apiVersion: 'v1' },
    responseStatus: { metadata: {}, ...status },
    responseObject: status,
  })
  expect(event).not.toHaveProperty('annotations')
})

test('rules about users and groups do not match somebody unknown', async () => {
  server = auditedServer({ rules: [{ level: 'Metadata', userGroups: ['devs'] }] })
  await server.api.send('GET', PODS)
  await server.send('GET', PODS, { peer: jane })
  expect(server.logged().map(({ user }) => user.username)).toEqual(['jane', 'jane'])
})

test('who may not is logged as who they are, with the decision', async () => {
  server = auditedServer(everything('Metadata'))
  expect((await server.send('DELETE', `${PODS}/web`, { peer: jane })).status).toBe(403)
  const [, event] = server.logged()
  expect(event).toMatchObject({
    user: { username: 'jane', uid: '7', groups: ['devs', 'system:authenticated'], extra: { scopes: ['a', 'b'] } },
    responseStatus: { status: 'Failure', reason: 'Forbidden', details: { name: 'web', kind: 'pods' }, code: 403 },
    annotations: { 'authorization.k8s.io/decision': 'forbid', 'authorization.k8s.io/reason': '' },
  })
})

test('when rights cannot be told, that is the reason', async () => {
  const authorize = () => ({ verdict: 'no-opinion', reason: '', error: 'no answer' }) as const
  server = auditedServer(everything('Metadata'), { authorizer: { authorize } })
  expect((await server.send('GET', PODS)).status).toBe(500)
  const { annotations, responseStatus } = server.logged().at(-1) ?? {}
  expect(annotations).toEqual({ 'authorization.k8s.io/reason': 'internal error' })
  expect(responseStatus).toEqual({ metadata: {}, code: 500 })
})

describe('acting as somebody else', () => {
  test('is logged with both', async () => {
    server = auditedServer(everything('Metadata'))
    await server.send('GET', PODS, { headers: { 'impersonate-user': 'jane' } })
    const [received, complete] = server.logged()
    expect(received).not.toHaveProperty('impersonatedUser')
    expect(complete).toMatchObject({
      user: { username: 'admin' },
      impersonatedUser: { username: 'jane', groups: ['system:authenticated'] },
      authenticationMetadata: { impersonationConstraint: 'impersonate:user-info' },
      responseStatus: { code: 403 },
    })
  })

  test('in the old way has no constraint', async () => {
    server = auditedServer(everything('Metadata'))
    await server.send('GET', PODS, { headers: { 'impersonate-user': 'jane', 'impersonate-extra-a': 'b' } })
    const event = server.logged().at(-1)
    expect(event).toMatchObject({ impersonatedUser: { username: 'jane', extra: { a: ['b'] } } })
    expect(event).not.toHaveProperty('authenticationMetadata')
  })

  test('is decided on by the rules for the real user', async () => {
    server = auditedServer({ rules: [{ level: 'None', users: ['admin'] }, { level: 'Metadata' }] })
    await server.send('GET', PODS, { headers: { 'impersonate-user': 'jane' } })
    expect(server.logged()).toEqual([])
  })
})

test('a program that says much of itself is cut short', async () => {
  server = auditedServer(everything('Metadata'))
  await server.send('GET', PODS, { headers: { 'user-agent': 'a'.repeat(2_000) } })
  expect(server.logged()[0]?.userAgent).toBe(`${'a'.repeat(1_024)}...TRUNCATED`)
})

test('addresses come from the headers of proxies', async () => {
  server = auditedServer(everything('Metadata'))
  const headers = { 'x-forwarded-for': '1.2.3.4, 5.6.7.8', 'x-real-ip': '9.9.9.9' }
  await server.send('GET', PODS, { headers })
  expect(server.logged()[0]?.sourceIPs).toEqual(['1.2.3.4', '5.6.7.8', '9.9.9.9'])
})
