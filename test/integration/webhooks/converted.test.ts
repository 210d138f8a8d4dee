/** Webhooks that know one version of a custom resource, and requests in another: a webhook converts between them. */

import { afterEach, beforeEach, expect, test } from 'vitest'
import { builtinResources } from '../../../src/apis/builtin.ts'
import type { KubeObject } from '../../../src/machinery/meta/object.ts'
import { mutatingWebhooks } from '../../../src/server/admission/webhooks/mutating-webhooks.ts'
import { crd, establish } from '../../support/custom-resources.ts'
import { createTestServer, type TestServer } from '../../support/test-server.ts'
import { startWebhookServer, type WebhookServer } from '../../support/webhook-server.ts'

interface Address extends KubeObject {
  readonly spec: { readonly hostPort?: string; readonly host?: string; readonly port?: string }
}

const version = (name: string, storage: boolean, fields: readonly string[]) => {
  const properties = Object.fromEntries(fields.map((field) => [field, { type: 'string' }]))
  const schema = { type: 'object', properties: { spec: { type: 'object', properties } } }
  return { name, served: true, storage, schema: { openAPIV3Schema: schema } }
}

const VERSIONS = [version('v1', true, ['hostPort']), version('v2', false, ['host', 'port'])]
const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'
const PATH = '/apis/example.com/v2/namespaces/default/noxus'

let hook: WebhookServer
let api: TestServer
/** What the mutating webhook was shown. */
let seen: Address[]
let isConverting: boolean

beforeEach(async () => {
  hook = await startWebhookServer('hook.default.svc')
  seen = []
  isConverting = true
  hook.answer = (request, response, body) => {
    const review = JSON.parse(body)
    const answer = request.url?.startsWith('/convert') ? conversion(review.request) : mutation(review.request)
    response.end(JSON.stringify({ ...review, response: { uid: review.request.uid, ...answer } }))
  }
  api = createTestServer(builtinResources, { plugins: (parts) => [mutatingWebhooks(parts)] })
  const base = `https://127.0.0.1:${hook.port}`
  const { caBundle } = hook
  const webhook = { clientConfig: { url: `${base}/convert`, caBundle }, conversionReviewVersions: ['v1'] }
  await establish(api, crd({ versions: VERSIONS, conversion: { strategy: 'Webhook', webhook } }))
  await api.send('POST', '/api/v1/namespaces', { body: { metadata: { name: 'default' } } })
  const body = {
    metadata: { name: 'ports' },
    webhooks: [
      {
        name: 'ports.example.com',
        clientConfig: { url: `${base}/ports`, caBundle },
        rules: [{ operations: ['*'], apiGroups: ['example.com'], apiVersions: ['v1'], resources: ['noxus'] }],
        sideEffects: 'None',
        failurePolicy: 'Ignore',
        admissionReviewVersions: ['v1'],
      },
    ],
  }
  expect((await api.send('POST', WEBHOOKS, { body })).status).toBe(201)
})

afterEach(async () => {
  await api[Symbol.asyncDispose]()
  await hook[Symbol.asyncDispose]()
})

function conversion({ objects, desiredAPIVersion }: { objects: readonly Address[]; desiredAPIVersion: string }) {
  if (!isConverting) return { result: { status: 'Failure', message: 'not today' } }
  const convertedObjects = objects.map(({ spec, ...others }) => {
    const [host, port] = spec.hostPort?.split(':') ?? []
    const form = desiredAPIVersion.endsWith('v2') ? { host, port } : { hostPort: `${spec.host}:${spec.port}` }
    return { ...others, apiVersion: desiredAPIVersion, spec: form }
  })
  return { result: { status: 'Success' }, convertedObjects }
}

function mutation({ object }: { object: Address }) {
  seen.push(object)
  const patch = [{ op: 'replace', path: '/spec/hostPort', value: `${object.spec.hostPort}0` }]
  return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }
}

const address = (name: string) => ({
  apiVersion: 'example.com/v2',
  kind: 'Noxu',
  metadata: { name },
  spec: { host: 'h', port: '8' },
})

test('the webhook sees its version, and what it changes comes back in that of the request', async () => {
  const created = await api.send('POST', PATH, { body: address('a') })
  expect(created.status, created.text).toBe(201)
  expect(created.json).toMatchObject({ apiVersion: 'example.com/v2', spec: { host: 'h', port: '80' } })
  expect(seen).toMatchObject([{ apiVersion: 'example.com/v1', kind: 'Noxu', spec: { hostPort: 'h:8' } }])
})

test('what cannot be converted is not admitted, whatever the webhook’s policy for failures', async () => {
  isConverting = false
  const { status, json } = await api.send('POST', PATH, { body: address('a') })
  expect(status).toBe(500)
  expect(json.message).toContain('not today')
  expect(seen).toEqual([])
})
