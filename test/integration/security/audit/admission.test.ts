import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { podSecurity } from '../../../../src/server/admission/plugins/pod-security/pod-security.ts'
import { validatingPolicies } from '../../../../src/server/admission/policies/validating-policies.ts'
import { mutatingWebhooks } from '../../../../src/server/admission/webhooks/mutating-webhooks.ts'
import { validatingWebhooks } from '../../../../src/server/admission/webhooks/validating-webhooks.ts'
import { startWebhookServer, type WebhookServer } from '../../../support/webhook-server.ts'
import { type AuditedServer, auditedServer, everything } from './audited-server.ts'

// Goal: what admission had to do with a request stands in its event, under upstream's keys and in upstream's forms.

const REGISTRATION = '/apis/admissionregistration.k8s.io/v1'
const CONFIG_MAPS = '/api/v1/namespaces/shop/configmaps'
const RULE = { operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }
const AUTHORIZED = { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' }

let hook: WebhookServer
let server: AuditedServer

beforeEach(async () => {
  hook = await startWebhookServer('hook.default.svc')
})

afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await hook[Symbol.asyncDispose]()
})

async function open(level: string, labels: object = {}): Promise<void> {
  server = auditedServer(everything(level), {
    plugins: (parts) => [
      podSecurity(parts),
      mutatingWebhooks(parts),
      validatingPolicies(parts),
      validatingWebhooks(parts),
    ],
    resolveService: async () => ({ host: '127.0.0.1', port: hook.port }),
  })
  await created('/api/v1/namespaces', { metadata: { name: 'shop', labels } })
}

async function created(path: string, body: object): Promise<void> {
  const { status, text } = await server.send('POST', path, { body })
  expect(status, text).toBe(201)
}

async function configure(type: 'mutating' | 'validating', name: string, change: object = {}): Promise<void> {
  const clientConfig = { service: { namespace: 'default', name: 'hook', path: `/${name}` }, caBundle: hook.caBundle }
  const known = { sideEffects: 'None', admissionReviewVersions: ['v1'], rules: [RULE] }
  const webhook = { name: `${name}.example.com`, clientConfig, ...known, ...change }
  await created(`${REGISTRATION}/${type}webhookconfigurations`, { metadata: { name }, webhooks: [webhook] })
}

function answering(response: object): void {
  hook.answer = (_, answer, body) => {
    const { uid } = JSON.parse(body).request
    const review = { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1' }
    answer.end(JSON.stringify({ ...review, response: { uid, allowed: true, ...response } }))
  }
}

/** The annotations of the creation of a ConfigMap, besides those of authorization. */
async function annotationsOf(body: object = { metadata: { name: 'prices' } }, path = CONFIG_MAPS): Promise<object> {
  server.logged()
  await server.send('POST', path, { body })
  const { annotations = {} } = server.logged().at(-1) ?? {}
  expect(annotations).toMatchObject(AUTHORIZED)
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !key.startsWith('authorization.')))
}

describe('webhooks', () => {
  const patch = [{ op: 'add', path: '/data', value: { tea: '3' } }]
  const patched = { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }
  const mutation = (mutated: boolean) => JSON.stringify({ configuration: 'fill', webhook: 'fill.example.com', mutated })
  const FIRST = 'mutation.webhook.admission.k8s.io/round_0_index_0'

  test('that change an object say so; the change itself is told where bodies are', async () => {
    await open('Metadata')
    await configure('mutating', 'fill')
    answering(patched)
    expect(await annotationsOf()).toEqual({ [FIRST]: mutation(true) })
  })

  test('their patch is told from the level of requests on', async () => {
    await open('Request')
    await configure('mutating', 'fill')
    answering(patched)
    const told = { configuration: 'fill', webhook: 'fill.example.com', patch, patchType: 'JSONPatch' }
    expect(await annotationsOf()).toEqual({
      [FIRST]: mutation(true),
      'patch.webhook.admission.k8s.io/round_0_index_0': JSON.stringify(told),
    })
  })

  test('that see an object again are counted apart', async () => {
    await open('Metadata')
    await configure('mutating', 'fill', { reinvocationPolicy: 'IfNeeded' })
    await configure('mutating', 'more')
    hook.answer = (request, answer, body) => {
      const { uid } = JSON.parse(body).request
      const response = { uid, allowed: true, ...(request.url?.startsWith('/more') ? patched : {}) }
      answer.end(JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response }))
    }
    expect(Object.keys(await annotationsOf())).toEqual([
      FIRST,
      'mutation.webhook.admission.k8s.io/round_0_index_1',
      'mutation.webhook.admission.k8s.io/round_1_index_0',
    ])
  })

  test('that refuse have changed nothing', async () => {
    await open('Metadata')
    await configure('mutating', 'fill')
    answering({ allowed: false })
    expect(await annotationsOf()).toEqual({ [FIRST]: mutation(false) })
  })

  test('have facts of their own, under their names', async () => {
    await open('Metadata')
    await configure('validating', 'check')
    answering({ auditAnnotations: { reason: 'small', 'no key': 'x', 'a/b': 'y' } })
    expect(await annotationsOf()).toEqual({ 'check.example.com/reason': 'small' })
  })

  test('that do not answer and may be left out are named', async () => {
    await open('Metadata')
    await configure('mutating', 'fill', { failurePolicy: 'Ignore' })
    await configure('validating', 'check', { failurePolicy: 'Ignore' })
    hook.answer = (_, answer) => void answer.end('nonsense')
    expect(await annotationsOf()).toEqual({
      [FIRST]: mutation(false),
      'failed-open.mutation.webhook.admission.k8s.io/round_0_index_0': 'fill.example.com',
      'failed-open.validating.webhook.admission.k8s.io/round_0_index_0': 'check.example.com',
    })
  })
})

describe('policies', () => {
  const bound = async (spec: object, validationActions: readonly string[]) => {
    const matchConstraints = { resourceRules: [RULE] }
    await created(`${REGISTRATION}/validatingadmissionpolicies`, {
      metadata: { name: 'p' },
      spec: { matchConstraints, ...spec },
    })
    const binding = { metadata: { name: 'b' }, spec: { policyName: 'p', validationActions } }
    await created(`${REGISTRATION}/validatingadmissionpolicybindings`, binding)
  }

  test('put failures into the log where that is their action', async () => {
    await open('Metadata')
    const validations = [{ expression: 'true' }, { expression: "'tea' in object.data", message: 'no tea' }]
    await bound({ validations }, ['Audit', 'Warn'])
    const actions = { validationActions: ['Audit', 'Warn'] }
    const failure = { message: 'no tea', policy: 'p', binding: 'b', expressionIndex: 1, ...actions }
    expect(await annotationsOf({ metadata: { name: 'prices' }, data: { milk: '1' } })).toEqual({
      'validation.policy.admission.k8s.io/validation_failure': JSON.stringify([failure]),
    })
  })

  test('have facts of their own, but for those that are null', async () => {
    await open('Metadata')
    const auditAnnotations = [
      { key: 'size', valueExpression: "'size ' + string(object.data.size())" },
      { key: 'odd', valueExpression: 'null' },
    ]
    await bound({ auditAnnotations }, ['Deny'])
    expect(await annotationsOf({ metadata: { name: 'prices' }, data: { milk: '1' } })).toEqual({ 'p/size': 'size 1' })
  })
})

describe('pod security', () => {
  const spec = { containers: [{ name: 'c', image: 'i' }], serviceAccountName: 'default' }
  const PODS = '/api/v1/namespaces/shop/pods'
  const violations = expect.stringMatching(
    /^would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != /,
  )

  test('tells what is enforced', async () => {
    await open('Metadata')
    const annotations = await annotationsOf({ metadata: { name: 'web' }, spec }, PODS)
    expect(annotations).toEqual({ 'pod-security.kubernetes.io/enforce-policy': 'privileged:latest' })
  })

  test('tells what the standard for the log does not allow, of pods and of what makes them', async () => {
    await open('Metadata', { 'pod-security.kubernetes.io/audit': 'restricted' })
    expect(await annotationsOf({ metadata: { name: 'web' }, spec }, PODS)).toEqual({
      'pod-security.kubernetes.io/enforce-policy': 'privileged:latest',
      'pod-security.kubernetes.io/audit-violations': violations,
    })
    const template = { metadata: { labels: { a: 'b' } }, spec }
    const deployment = { metadata: { name: 'web' }, spec: { selector: { matchLabels: { a: 'b' } }, template } }
    expect(await annotationsOf(deployment, '/apis/apps/v1/namespaces/shop/deployments')).toEqual({
      'pod-security.kubernetes.io/audit-violations': violations,
    })
  })
})

test('a request that takes long tells where', async () => {
  await open('Metadata')
  await configure('validating', 'check')
  hook.answer = (_, answer, body) => {
    const { uid } = JSON.parse(body).request
    const review = { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response: { uid, allowed: true } }
    void server.clock.advance(600).then(() => answer.end(JSON.stringify(review)))
  }
  expect(await annotationsOf()).toEqual({
    'apiserver.latency.k8s.io/validating-webhook': '600ms',
    'apiserver.latency.k8s.io/total': '600ms',
  })
})

test('what is deprecated is marked', async () => {
  await open('Metadata')
  await server.send('GET', '/api/v1/namespaces/shop/endpoints')
  expect(server.logged().at(-1)?.annotations).toEqual({ ...AUTHORIZED, 'k8s.io/deprecated': 'true' })
})
