import { beforeEach, describe, expect, test } from 'vitest'
import { fixedRoles } from '../../../test/support/fixed-roles.ts'
import { QuietAbort } from '../../base/deadline.ts'
import { createFakeClock, type FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import { createMetrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import type { ApiRequest, ApiResponse, UserInfo } from '../../machinery/wire/message.ts'
import { anonymous } from '../auth/anonymous.ts'
import { inOrder, peerIdentity } from '../auth/authenticator.ts'
import { ALLOWED, type Authorizer, NO_OPINION, type RequestTarget } from '../auth/authorizer.ts'
import { rbacAuthorizer } from '../auth/rbac/rbac-authorizer.ts'
import { superusers } from '../auth/superusers.ts'
import { unionOf } from '../auth/union.ts'
import { createFlowControl } from '../flow-control/flow-control.ts'
import { chain, filters } from './chain.ts'
import { createRequestMetrics } from './request-metrics.ts'

let clock: FakeClock
beforeEach(() => {
  clock = createFakeClock()
})

const admin: UserInfo = { name: 'admin', groups: ['system:masters'] }
const ok: ApiResponse = { status: 200, headers: {}, body: { type: 'none' } }

const request = (more: Partial<ApiRequest> = {}): ApiRequest => ({
  method: 'GET',
  path: '/api',
  query: new URLSearchParams(),
  headers: {},
  body: { type: 'none' },
  signal: new AbortController().signal,
  wants: 'bytes',
  peer: admin,
  ...more,
})

const pathTarget = ({ method, path }: ApiRequest): RequestTarget => ({ type: 'path', path, verb: method.toLowerCase() })

function server(
  handle: (request: ApiRequest) => Promise<ApiResponse>,
  targetOf = pathTarget,
  authorizer: Authorizer = unionOf([superusers, rbacAuthorizer(fixedRoles())]),
) {
  const metrics = createMetrics()
  const list = filters({
    clock,
    random: seededRandom(1),
    log: silentLogger,
    authenticator: inOrder([peerIdentity], anonymous),
    authorizer,
    metrics: createRequestMetrics(metrics),
    flowControl: createFlowControl({
      ...{ objects: { schemas: () => [], levels: () => [], changedAt: 0 }, statisticsOf: () => undefined },
      ...{ clock, seats: 1, signal: new AbortController().signal },
    }),
  })
  return { handle: chain(list, targetOf, handle), metrics }
}

function bodyText({ body }: ApiResponse): string {
  return body.type === 'bytes' ? Buffer.concat([body.bytes].flat()).toString() : ''
}

test('answers carry the request id and may not be cached', async () => {
  const { handle } = server(async () => ok)
  const answer = await handle(request({ headers: { 'audit-id': 'mine' } }))
  expect(answer.headers).toMatchObject({ 'audit-id': 'mine', 'cache-control': 'no-cache, private' })
})

test('the handler sees who asks and why, but no credentials', async () => {
  const seen: ApiRequest[] = []
  const { handle } = server(async (inner) => {
    seen.push(inner)
    return ok
  })
  await handle(request({ headers: { authorization: 'Bearer secret', 'audit-id': 'id' } }))
  expect(seen[0]).toMatchObject({ user: { name: 'admin' }, cause: { by: 'request', user: 'admin', about: 'id' } })
  expect(seen[0]?.headers.authorization).toBeUndefined()
})

for (const [behaviour, asked, status] of [
  ['strangers get 401', request({ peer: undefined }), 401],
  ['strangers may ask for health', request({ peer: undefined, path: '/livez' }), 200],
  ['a bad certificate is 401 everywhere', request({ peer: undefined, peerFailure: 'x509: x', path: '/livez' }), 401],
  ['known users may not do everything', request({ peer: { name: 'jane', groups: [] }, path: '/metrics' }), 403],
] as const)
  test(behaviour, async () => expect((await server(async () => ok).handle(asked)).status).toBe(status))

test('an unexpected error becomes a 500 without its text', async () => {
  const { handle } = server(async () => {
    throw new Error('secret')
  })
  const answer = await handle(request())
  expect(answer.status).toBe(500)
  expect(bodyText(answer)).not.toContain('secret')
})

test('a request that takes a minute gets 504 and its signal aborts', async () => {
  let signal: AbortSignal | undefined
  const { handle } = server((inner) => {
    signal = inner.signal
    return new Promise(() => {})
  })
  const answer = handle(request())
  await clock.advance(60_000)
  expect((await answer).status).toBe(504)
  expect(signal?.aborted).toBe(true)
})

test("a signal that is the request's alone is the one that aborts; one that others share does not", async () => {
  const [own, shared] = [new QuietAbort(), new AbortController()]
  const seen: AbortSignal[] = []
  const { handle } = server((inner) => {
    seen.push(inner.signal)
    return new Promise(() => {})
  })
  const answers = [handle(request({ signal: own.signal, ownAbort: own })), handle(request({ signal: shared.signal }))]
  await clock.advance(60_000)
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([504, 504])
  expect([seen[0] === own.signal, seen[1] === shared.signal]).toEqual([true, false])
  expect([own.signal.aborted, shared.signal.aborted, seen[1]?.aborted]).toEqual([true, false, true])
})

test('a caller in this process that gives up is not kept, and what it asked for is given up too', async () => {
  const caller = new AbortController()
  let signal: AbortSignal | undefined
  const { handle } = server((inner) => {
    signal = inner.signal
    return new Promise(() => {})
  })
  const answer = handle(request({ signal: caller.signal }))
  caller.abort(new Error('enough'))
  expect((await answer).status).toBe(500)
  expect(signal?.reason).toEqual(new Error('enough'))
  const late = handle(request({ signal: caller.signal }))
  expect((await late).status).toBe(500)
})

test('a shorter time that the caller names is kept', async () => {
  const { handle } = server(() => new Promise(() => {}))
  const answer = handle(request({ query: new URLSearchParams('timeout=10s') }))
  let isThere = false
  void Promise.resolve(answer).then(() => {
    isThere = true
  })
  await clock.advance(9_999)
  expect(isThere).toBe(false)
  await clock.advance(1)
  expect((await answer).status).toBe(504)
})

test('warnings reach the answer once each', async () => {
  const { handle } = server(async ({ warn }) => {
    for (const text of ['a "b"', 'a "b"', 'c\r\nd']) warn?.(text)
    return ok
  })
  expect((await handle(request())).headers.warning).toBe('299 - "a \\"b\\"", 299 - "cd"')
})

test('beyond the limit callers are told to come back, administrators are not', async () => {
  const gate = Promise.withResolvers<ApiResponse>()
  const { handle } = server(() => gate.promise)
  const jane = { name: 'jane', groups: [] }
  const first = handle(request({ peer: jane }))
  const second = await handle(request({ peer: jane }))
  const third = handle(request())
  gate.resolve(ok)
  expect(second).toMatchObject({ status: 429, headers: { 'retry-after': '1' } })
  expect([(await first).status, (await third).status]).toEqual([200, 200])
})

test('requests are counted under upstream names', async () => {
  const { handle, metrics } = server(async () => ok)
  await handle(request({ method: 'BREW' }))
  const text = await metrics.text()
  expect(text).toMatch(/apiserver_request_total\{verb="other",.*code="200"\} 1/)
  expect(text).toContain('apiserver_request_duration_seconds_count')
})

test('opening a container takes the right to create, however it is asked for', async () => {
  const targetOf = ({ path }: ApiRequest): RequestTarget => ({
    ...{ type: 'resource', path, verb: 'get', group: '', version: 'v1', namespace: 'n', resource: 'pods', name: 'x' },
    subresource: path.slice(1),
  })
  const seen: string[] = []
  const authorizer: Authorizer = {
    authorize: ({ verb, subresource }) => {
      seen.push(`${verb} ${subresource}`)
      return verb === 'get' ? ALLOWED : NO_OPINION
    },
  }
  const { handle } = server(async () => ok, targetOf, authorizer)
  expect((await handle(request({ path: '/exec' }))).status).toBe(403)
  expect((await handle(request({ path: '/log' }))).status).toBe(200)
  expect(seen).toEqual(['get exec', 'create exec', 'get log'])
})

test('resources that were never seen to exist make no time series', async () => {
  const targetOf = ({ path }: ApiRequest): RequestTarget => ({
    ...{ type: 'resource', path, verb: 'get', group: '', version: 'v1', namespace: '', subresource: '', name: 'x' },
    resource: path.slice(1),
  })
  const { handle, metrics } = server(async ({ path }) => ({ ...ok, status: path === '/pods' ? 200 : 404 }), targetOf)
  for (const path of ['/made-up-1', '/made-up-2', '/pods']) await handle(request({ path }))
  const text = await metrics.text()
  expect(text).not.toContain('made-up')
  expect(text).toContain('resource="pods"')
})

describe('impersonation', () => {
  const impersonating = (...rawHeaders: string[]) => {
    const headers: Record<string, string> = {}
    for (let index = 0; index < rawHeaders.length; index += 2)
      headers[(rawHeaders[index] ?? '').toLowerCase()] = rawHeaders[index + 1] ?? ''
    return { headers, rawHeaders }
  }
  const userSeen = async (asked: ApiRequest) => {
    let user: UserInfo | undefined
    const { handle } = server(async (inner) => {
      user = inner.user
      return ok
    })
    const { status } = await handle(asked)
    return { status, user }
  }

  test('an administrator becomes somebody else, groups with commas included', async () => {
    const headers = impersonating('Impersonate-User', 'jane', 'Impersonate-Group', 'a,b', 'Impersonate-Group', 'c')
    const { status, user } = await userSeen(request(headers))
    expect(status).toBe(200)
    expect(user).toEqual({ name: 'jane', groups: ['a,b', 'c', 'system:authenticated'], extra: {} })
  })

  test('a service account brings its groups', async () => {
    const { user } = await userSeen(request(impersonating('Impersonate-User', 'system:serviceaccount:ns:x')))
    expect(user?.groups).toEqual(['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated'])
  })

  test('others may not', async () => {
    const asked = request({ ...impersonating('Impersonate-User', 'admin'), peer: { name: 'jane', groups: [] } })
    expect(await userSeen(asked)).toEqual({ status: 403, user: undefined })
  })

  test('groups without a user are refused', async () => {
    expect((await userSeen(request(impersonating('Impersonate-Group', 'g')))).status).toBe(400)
  })
})
