/** Webhooks decide on requests: a real server asks a real service over TLS, and does what that says. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeYaml } from '../../../../src/machinery/wire/yaml.ts'
import type { KeyPair } from '../../../../src/server/auth/certificate-authority.ts'
import { type OpenedControlPlane, openControlPlane } from '../../../support/control-plane.ts'
import { startWebhookServer, type WebhookServer } from '../../../support/webhook-server.ts'

let stack: AsyncDisposableStack
let folder: string
let service: WebhookServer
/** What the webhook was asked, and what it says to whom. */
let asked: Review[]
let verdicts: Map<string, object>

interface Review {
  readonly apiVersion: string
  readonly spec: { readonly user: string; readonly resourceAttributes?: Record<string, unknown> }
}

beforeEach(async () => {
  stack = new AsyncDisposableStack()
  folder = await mkdtemp(join(tmpdir(), 't8s-authz-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  service = stack.use(await startWebhookServer('authz.example.com'))
  asked = []
  verdicts = new Map()
  service.answer = (_, response, body) => {
    const review = JSON.parse(body)
    asked.push(review)
    response.end(JSON.stringify({ ...review, status: verdicts.get(review.spec.user) ?? { allowed: false } }))
  }
})
afterEach(() => stack.disposeAsync())

const webhookSettings = {
  ...{ timeout: '3s', subjectAccessReviewVersion: 'v1', failurePolicy: 'Deny' },
  matchConditionSubjectAccessReviewVersion: 'v1',
  matchConditions: [{ expression: "!('system:serviceaccounts' in request.groups)" }],
}

async function configure(webhook: object = webhookSettings): Promise<string> {
  const kubeConfigFile = join(folder, 'webhook.yaml')
  const cluster = {
    server: `https://127.0.0.1:${service.port}/authorize`,
    'certificate-authority-data': service.caBundle,
  }
  await writeFile(
    kubeConfigFile,
    encodeYaml({
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'it', users: [] },
      clusters: [{ name: 'it', cluster }],
      contexts: [{ name: 'it', context: { cluster: 'it' } }],
    }),
  )
  const connectionInfo = { type: 'KubeConfigFile', kubeConfigFile }
  const config = join(folder, 'authorization.yaml')
  const authorizers = [
    { type: 'Webhook', name: 'gate', webhook: { ...webhook, connectionInfo } },
    { type: 'Node', name: 'node' },
    { type: 'RBAC', name: 'rbac' },
  ]
  const head = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthorizationConfiguration' }
  await writeFile(config, encodeYaml({ ...head, authorizers }))
  return config
}

async function open(webhook?: object): Promise<OpenedControlPlane> {
  const config = await configure(webhook)
  return stack.use(await openControlPlane({ config: { security: { authorization: { config } } } }))
}

const PODS = '/api/v1/namespaces/default/pods'

const pods = (server: OpenedControlPlane, as: KeyPair, query = '') => server.ask('GET', `${PODS}${query}`, { as })

test('a webhook that says yes lets in whom no role lets in, and is asked once', async () => {
  const server = await open()
  verdicts.set('jane', { allowed: true, reason: 'she may' })
  const jane = await server.user('jane', 'dev')
  expect((await pods(server, jane, '?labelSelector=a%3Db&fieldSelector=spec.nodeName%3Dn')).status).toBe(200)
  expect((await pods(server, jane, '?labelSelector=a%3Db&fieldSelector=spec.nodeName%3Dn')).status).toBe(200)
  expect(asked).toEqual([
    {
      kind: 'SubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      metadata: {},
      spec: {
        resourceAttributes: {
          ...{ namespace: 'default', verb: 'list', version: 'v1', resource: 'pods' },
          fieldSelector: { requirements: [{ key: 'spec.nodeName', operator: 'In', values: ['n'] }] },
          labelSelector: { requirements: [{ key: 'a', operator: 'In', values: ['b'] }] },
        },
        user: 'jane',
        groups: ['dev', 'system:authenticated'],
        extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^X509SHA256=/)] },
      },
      status: { allowed: false },
    },
  ])
})

test('a webhook that forbids does so whatever the roles say, but not to superusers', async () => {
  const server = await open()
  for (const name of ['admin', 'root']) verdicts.set(name, { allowed: false, denied: true, reason: 'closed today' })
  const admin = await server.user('admin', 't8s:admins')
  const { status, json } = await pods(server, admin)
  expect(status).toBe(403)
  expect(json.message).toBe(
    'pods is forbidden: User "admin" cannot list resource "pods" in API group "" in the namespace "default": closed today',
  )
  expect((await pods(server, await server.user('root', 'system:masters'))).status).toBe(200)
  expect(asked.map(({ spec }) => spec.user)).toEqual(['admin'])
})

test('where the webhook has no opinion the next authorizer decides; conditions leave it out', async () => {
  const server = await open()
  expect((await pods(server, await server.user('admin', 't8s:admins'))).status).toBe(200)
  expect((await pods(server, await server.user('robot', 'system:serviceaccounts'))).status).toBe(403)
  expect(asked.map(({ spec }) => spec.user)).toEqual(['admin'])
})

test('what the webhook fails to say is a refusal or nothing, as the policy says', async () => {
  const strict = await open()
  service.answer = (_, response) => void response.end('{"kind":"Status"}')
  const failed = await pods(strict, await strict.user('admin', 't8s:admins'))
  expect(failed.status).toBe(500)
  expect(failed.text).toBe(
    `Internal Server Error: "${PODS}": the answer is no SubjectAccessReview of authorization.k8s.io/v1\n`,
  )
  const open2 = await open({ ...webhookSettings, failurePolicy: 'NoOpinion' })
  expect((await pods(open2, await open2.user('admin', 't8s:admins'))).status).toBe(200)
  const metrics = await open2.ask('GET', '/metrics', { as: await open2.user('root', 'system:masters') })
  expect(metrics.text).toContain(
    'apiserver_authorization_webhook_evaluations_fail_open_total{name="gate",result="error"} 1',
  )
  expect(metrics.text).toContain(
    'apiserver_authorization_decisions_total{type="RBAC",name="rbac",decision="allowed"} 1',
  )
})

test('reviews go the same way, and rules cannot be listed whole', async () => {
  const server = await open()
  verdicts.set('jane', { allowed: true, reason: 'she may' })
  const admin = await server.user('admin', 't8s:admins')
  const review = (kind: string, spec: object) =>
    server.ask('POST', `/apis/authorization.k8s.io/v1/${kind.toLowerCase()}s`, {
      as: admin,
      body: { apiVersion: 'authorization.k8s.io/v1', kind, spec },
    })
  const resourceAttributes = { verb: 'get', resource: 'secrets', namespace: 'default' }
  const access = await review('SubjectAccessReview', { user: 'jane', resourceAttributes })
  expect(access.json.status).toEqual({ allowed: true, reason: 'she may' })
  expect(asked.at(-1)?.spec.resourceAttributes).toMatchObject({ version: '*' })
  const rules = await review('SelfSubjectRulesReview', { namespace: 'default' })
  expect(rules.json.status).toMatchObject({
    incomplete: true,
    evaluationError: 'webhook authorizer does not support user rule resolution',
  })
})

test('the older version of the review calls groups by its own name', async () => {
  const server = await open({ ...webhookSettings, subjectAccessReviewVersion: 'v1beta1' })
  verdicts.set('jane', { allowed: true })
  expect((await pods(server, await server.user('jane', 'dev'))).status).toBe(200)
  expect(asked).toMatchObject([
    { apiVersion: 'authorization.k8s.io/v1beta1', spec: { group: ['dev', 'system:authenticated'] } },
  ])
})

test('a request waits for the webhook no longer than for anything else, and the call ends with it', async () => {
  const server = await open({ ...webhookSettings, timeout: '30s' })
  const silent = Promise.withResolvers<void>()
  service.answer = (_, response) => void response.once('close', silent.resolve)
  const answer = await pods(server, await server.user('jane', 'dev'), '?timeout=300ms')
  expect(answer).toMatchObject({ status: 504, json: { reason: 'Timeout' } })
  await silent.promise
  const metrics = await server.ask('GET', '/metrics', { as: await server.user('root', 'system:masters') })
  expect(metrics.text).toContain('apiserver_authorization_webhook_evaluations_total{name="gate",result="canceled"} 1')
})
