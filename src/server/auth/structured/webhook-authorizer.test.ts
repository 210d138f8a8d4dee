import { expect, test } from 'vitest'
import { createFakeClock } from '../../../base/fake-clock.ts'
import { silentLogger } from '../../../base/log.ts'
import { createMetrics } from '../../../base/metrics.ts'
import { type RemoteCaller, RemoteError } from '../../outbound/remote.ts'
import type { Attributes } from '../authorizer.ts'
import { createAuthorizationMetrics } from './authorization-metrics.ts'
import { type WebhookAuthorizerParts, webhookAuthorizer } from './webhook-authorizer.ts'

const attributes: Attributes = {
  ...{ user: { name: 'jane', groups: ['dev'] }, verb: 'get', group: '', resource: 'pods', version: 'v1' },
  ...{ subresource: '', namespace: 'default', name: 'web', path: '' },
}

/** A webhook that answers with what `status` is, and counts. */
function open(status: () => unknown, parts: Partial<WebhookAuthorizerParts> = {}) {
  const clock = createFakeClock()
  const metrics = createMetrics()
  const calls: unknown[] = []
  const caller: RemoteCaller = {
    post: async (body) => {
      calls.push(body)
      return { kind: 'SubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', status: status() }
    },
    [Symbol.dispose]() {},
  }
  const authorizer = webhookAuthorizer({
    ...{ name: 'gate', caller, version: 'v1', timeoutMs: 3_000, authorizedMs: 300_000, unauthorizedMs: 30_000 },
    ...{ failureVerdict: 'no-opinion', expressions: [], clock, log: silentLogger },
    metrics: createAuthorizationMetrics(metrics),
    ...parts,
  })
  return { authorizer, clock, calls, metrics }
}

test.each([
  ['a yes for five minutes', { allowed: true }, 300_000],
  ['a no for half a minute', { allowed: false }, 30_000],
])('keeps %s', async (_, status, keptMs) => {
  const { authorizer, clock, calls } = open(() => status)
  await authorizer.authorize(attributes)
  await clock.advance(keptMs - 1)
  await authorizer.authorize(attributes)
  expect(calls).toHaveLength(1)
  await clock.advance(1)
  await authorizer.authorize(attributes)
  expect(calls).toHaveLength(2)
})

test('keeps nothing when told so, and nothing for a caller who sends long names', async () => {
  const forgetful = open(() => ({ allowed: true }), { authorizedMs: 0 })
  await forgetful.authorizer.authorize(attributes)
  await forgetful.authorizer.authorize(attributes)
  expect(forgetful.calls).toHaveLength(2)
  const { authorizer, calls } = open(() => ({ allowed: true }))
  const long = { ...attributes, name: 'x'.repeat(10_000) }
  await authorizer.authorize(long)
  await authorizer.authorize(long)
  expect(calls).toHaveLength(2)
})

test('an answer for one is no answer for another', async () => {
  const { authorizer, calls } = open(() => ({ allowed: true }))
  await authorizer.authorize(attributes)
  await authorizer.authorize({ ...attributes, user: { name: 'jane', groups: ['dev', 'ops'] } })
  await authorizer.authorize({ ...attributes, subresource: 'log' })
  await authorizer.authorize({ ...attributes, labels: { requirements: [], unread: true } })
  expect(calls).toHaveLength(3)
})

const REFUSED = 'the answer is no SubjectAccessReview of authorization.k8s.io/v1'

test.each([
  ['yes', { allowed: true, reason: 'ok' }, { verdict: 'allow', reason: 'ok' }],
  ['no', { allowed: false, denied: true, reason: 'never' }, { verdict: 'deny', reason: 'never' }],
  ['nothing', {}, { verdict: 'no-opinion', reason: '' }],
  [
    'both',
    { allowed: true, denied: true },
    { verdict: 'deny', reason: '', error: 'webhook subject access review returned both allow and deny response' },
  ],
  ['yes as a text', { allowed: 'true' }, { verdict: 'no-opinion', reason: '', error: REFUSED }],
  ['a list', ['allowed'], { verdict: 'no-opinion', reason: '', error: REFUSED }],
])('an answer that says %s', async (_, status, decision) => {
  expect(await open(() => status).authorizer.authorize(attributes)).toEqual(decision)
})

test('a webhook that cannot be asked counts as the policy says, and is asked again', async () => {
  const unreachable = () => {
    throw new RemoteError('connection refused')
  }
  const { authorizer, calls } = open(unreachable, { failureVerdict: 'deny' })
  const decision = { verdict: 'deny', reason: '', error: 'connection refused' }
  expect(await authorizer.authorize(attributes)).toEqual(decision)
  expect(await authorizer.authorize(attributes)).toEqual(decision)
  expect(calls).toHaveLength(2)
})

test('counts calls by how they ended', async () => {
  const endings: (() => unknown)[] = [
    () => ({ allowed: true }),
    () => {
      throw new RemoteError('late', undefined, undefined, true)
    },
    () => ({ allowed: 1 }),
  ]
  const { authorizer, metrics } = open(() => endings.shift()?.(), { authorizedMs: 0 })
  for (let index = 0; index < 3; index++) await authorizer.authorize(attributes)
  const text = await metrics.text()
  const [success, timeout, error] = ['success', 'timeout', 'error'].map((result) =>
    text.includes(`apiserver_authorization_webhook_evaluations_total{name="gate",result="${result}"} 1`),
  )
  expect([success, timeout, error]).toEqual([true, true, true])
  expect(text).toContain('webhook_evaluations_fail_open_total{name="gate",result="timeout"} 1')
})

test('is asked only about what all its conditions hold for', async () => {
  const expressions = [
    "request.user == 'jane'",
    "has(request.resourceAttributes) && request.resourceAttributes.group == ''",
  ]
  const { authorizer, calls } = open(() => ({ allowed: true }), { expressions })
  expect(await authorizer.authorize({ ...attributes, group: 'apps' })).toEqual({ verdict: 'no-opinion', reason: '' })
  expect(await authorizer.authorize({ ...attributes, resource: '', path: '/version' })).toMatchObject({
    verdict: 'no-opinion',
  })
  expect(calls).toHaveLength(0)
  expect(await authorizer.authorize(attributes)).toMatchObject({ verdict: 'allow' })
})

test('a condition that cannot be evaluated counts as the policy says, unless another does not hold', async () => {
  const failing = "request.resourceAttributes.name == 'x'"
  const path = { ...attributes, resource: '', path: '/version' }
  const strict = open(() => ({ allowed: true }), { expressions: [failing], failureVerdict: 'deny' })
  expect(await strict.authorizer.authorize(path)).toEqual({
    verdict: 'deny',
    reason: '',
    error: `cel evaluation error: expression '${failing}' resulted in error: no such key: resourceAttributes`,
  })
  const expressions = [failing, "request.user != 'jane'"]
  const excluded = open(() => ({ allowed: true }), { expressions, failureVerdict: 'deny' })
  expect(await excluded.authorizer.authorize(path)).toEqual({ verdict: 'no-opinion', reason: '' })
  expect(await strict.metrics.text()).toContain(
    'apiserver_authorization_match_condition_evaluation_errors_total{type="Webhook",name="gate"} 1',
  )
})
