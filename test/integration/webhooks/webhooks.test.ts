import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { builtinResources } from '../../../src/apis/builtin.ts'
import { mutatingWebhooks } from '../../../src/server/admission/webhooks/mutating-webhooks.ts'
import { validatingWebhooks } from '../../../src/server/admission/webhooks/validating-webhooks.ts'
import { type Answer, createTestServer, type TestServer } from '../../support/test-server.ts'
import { otherAuthority, startWebhookServer, type WebhookServer } from '../../support/webhook-server.ts'

// Goal: webhooks as clients meet them, with the whole write path around them and a real HTTPS server behind them.

interface Review {
  readonly request: {
    readonly uid: string
    readonly name?: string
    readonly operation: string
    readonly subResource?: string
    readonly kind: { readonly version: string; readonly kind: string; readonly group: string }
    readonly requestKind: object
    // biome-ignore lint/suspicious/noExplicitAny: webhooks are shown objects of every kind.
    readonly object: any
    readonly oldObject: unknown
  }
}

type Verdict = (review: Review, path: string) => object

let hook: WebhookServer
let api: TestServer
/** What the webhook was shown. */
let seen: { readonly path: string; readonly review: Review }[]

beforeEach(async () => {
  hook = await startWebhookServer('hook.default.svc')
  seen = []
  api = createTestServer(builtinResources, {
    plugins: (parts) => [mutatingWebhooks(parts), validatingWebhooks(parts)],
    connect: async () => ({ status: 200, headers: {}, body: { type: 'none' } }),
    resolveService: async (_, name) => {
      if (name !== 'hook') throw new Error(`service "${name}" not found`)
      return { host: '127.0.0.1', port: hook.port }
    },
  })
  await create('/api/v1/namespaces', { metadata: { name: 'default', labels: { tier: 'gold' } } })
})

afterEach(async () => {
  await api[Symbol.asyncDispose]()
  await hook[Symbol.asyncDispose]()
})

function decide(verdict: Verdict): void {
  hook.answer = (request, response, body) => {
    const review = JSON.parse(body) as Review
    const path = request.url ?? ''
    seen.push({ path, review })
    const answer = { uid: review.request.uid, allowed: true, ...verdict(review, path) }
    response.end(JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response: answer }))
  }
}

const deny = (message: string) => ({ allowed: false, status: { message } })

function patched(...operations: readonly object[]): object {
  return { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') }
}

const CONFIG_MAPS = { operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }

async function configure(
  type: 'Mutating' | 'Validating',
  name: string,
  change: object = {},
  rules: readonly object[] = [CONFIG_MAPS],
): Promise<void> {
  const webhook = {
    name: `${name}.example.com`,
    clientConfig: { service: { namespace: 'default', name: 'hook', path: `/${name}` }, caBundle: hook.caBundle },
    rules,
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    ...change,
  }
  const path = `/apis/admissionregistration.k8s.io/v1/${type.toLowerCase()}webhookconfigurations`
  const answer = await create(path, { metadata: { name }, webhooks: [webhook] })
  expect(answer.status, answer.text).toBe(201)
}

function create(path: string, body: object): Promise<Answer> {
  return api.send('POST', path, { body })
}

const configMap = (name: string, data: object = {}, labels: object = {}) => ({ metadata: { name, labels }, data })
const CONFIG_MAPS_PATH = '/api/v1/namespaces/default/configmaps'

describe('validating webhooks', () => {
  test('refuse in their own words, at once', async () => {
    await configure('Validating', 'check')
    decide(({ request }) => (request.object?.data?.key === 'bad' ? deny('that is bad') : {}))
    expect(await create(CONFIG_MAPS_PATH, configMap('good'))).toMatchObject({ status: 201 })
    expect((await create(CONFIG_MAPS_PATH, configMap('bad', { key: 'bad' }))).json).toMatchObject({
      code: 400,
      message: 'admission webhook "check.example.com" denied the request: that is bad',
    })
    expect(seen[0]).toMatchObject({
      path: '/check?timeout=10s',
      review: { request: { operation: 'CREATE', name: 'good', namespace: 'default', oldObject: null } },
    })
  })

  test('see updates, patches and deletions with what was there before', async () => {
    await create(CONFIG_MAPS_PATH, configMap('web', { key: 'old' }))
    await configure('Validating', 'check')
    decide(({ request }) => (request.operation === 'DELETE' ? deny('stay') : {}))
    await api.send('PATCH', `${CONFIG_MAPS_PATH}/web`, {
      body: { data: { key: 'new' } },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    expect((await api.send('DELETE', `${CONFIG_MAPS_PATH}/web`)).json.message).toContain('denied the request: stay')
    expect(seen.map(({ review: { request } }) => [request.operation, request.object?.data, request.oldObject])).toEqual(
      [
        ['UPDATE', { key: 'new' }, expect.objectContaining({ data: { key: 'old' } })],
        ['DELETE', undefined, expect.objectContaining({ data: { key: 'new' } })],
      ],
    )
  })

  test('warn, and let pass', async () => {
    await configure('Validating', 'check')
    decide(() => ({ warnings: ['think of it'] }))
    const answer = await create(CONFIG_MAPS_PATH, configMap('web'))
    expect([answer.status, answer.headers.warning]).toEqual([201, 'think of it'])
  })

  test('are asked only where their selectors fit', async () => {
    await configure('Validating', 'silver', { namespaceSelector: { matchLabels: { tier: 'silver' } } })
    await configure('Validating', 'red', { objectSelector: { matchLabels: { color: 'red' } } })
    decide(() => deny('no'))
    expect((await create(CONFIG_MAPS_PATH, configMap('blue'))).status).toBe(201)
    expect((await create(CONFIG_MAPS_PATH, configMap('red', {}, { color: 'red' }))).status).toBe(400)
    expect(seen.map(({ path }) => path)).toEqual(['/red?timeout=10s'])
  })

  test('are asked only when their conditions hold', async () => {
    const conditions = (expression: string) => ({ matchConditions: [{ name: 'only', expression }] })
    await configure('Validating', 'red', conditions("object.metadata.name == 'red' && request.operation == 'CREATE'"))
    await configure('Validating', 'odd', { ...conditions('object.nothing > 1'), failurePolicy: 'Ignore' })
    decide(() => deny('no'))
    expect((await create(CONFIG_MAPS_PATH, configMap('blue'))).status).toBe(201)
    expect((await create(CONFIG_MAPS_PATH, configMap('red'))).status).toBe(400)
    expect(seen.map(({ path }) => path)).toEqual(['/red?timeout=10s'])
    await configure('Validating', 'strict', conditions('object.nothing > 1'))
    expect((await create(CONFIG_MAPS_PATH, configMap('blue-2'))).json).toMatchObject({
      code: 403,
      message: expect.stringContaining('configmaps "blue-2" is forbidden: expression \'object.nothing > 1\' resulted'),
    })
  })

  test('are never asked about themselves', async () => {
    const everything = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }
    await configure('Validating', 'all', {}, [everything])
    decide(() => deny('no'))
    const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/all'
    expect((await create(CONFIG_MAPS_PATH, configMap('web'))).status).toBe(400)
    expect((await api.send('DELETE', path)).status).toBe(200)
    expect((await create(CONFIG_MAPS_PATH, configMap('web'))).status).toBe(201)
  })

  test('are asked before somebody attaches to a container', async () => {
    const connections = { operations: ['CONNECT'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods/attach'] }
    await configure('Validating', 'attach', {}, [connections])
    decide(() => deny('keep out'))
    const answer = await api.send('GET', '/api/v1/namespaces/default/pods/web/attach?stdin=true&container=app')
    expect(answer.json.message).toContain('denied the request: keep out')
    expect(seen[0]?.review.request).toMatchObject({
      operation: 'CONNECT',
      name: 'web',
      subResource: 'attach',
      kind: { group: '', version: 'v1', kind: 'PodAttachOptions' },
      object: { kind: 'PodAttachOptions', apiVersion: 'v1', stdin: true, container: 'app' },
    })
    expect((await api.send('GET', '/api/v1/namespaces/default/pods/web/log')).status).toBe(200)
  })

  test('see a resource under the name that they know it by', async () => {
    const rules = [{ operations: ['CREATE'], apiGroups: ['events.k8s.io'], apiVersions: ['v1'], resources: ['events'] }]
    await configure('Validating', 'equivalent', {}, rules)
    await configure('Validating', 'exact', { matchPolicy: 'Exact' }, rules)
    decide(() => ({}))
    const event = {
      metadata: { name: 'e' },
      involvedObject: { kind: 'Pod', namespace: 'default', name: 'web' },
      message: 'm',
    }
    expect((await create('/api/v1/namespaces/default/events', event)).status).toBe(201)
    expect(seen.map(({ path }) => path)).toEqual(['/equivalent?timeout=10s'])
    expect(seen[0]?.review.request).toMatchObject({
      kind: { group: 'events.k8s.io', version: 'v1', kind: 'Event' },
      requestKind: { group: '', version: 'v1', kind: 'Event' },
      object: { apiVersion: 'events.k8s.io/v1', note: 'm' },
    })
  })
})

describe('mutating webhooks', () => {
  const addKey = (key: string) => patched({ op: 'add', path: `/data/${key}`, value: 'yes' })

  test('change what is written, in the order of their names', async () => {
    await configure('Mutating', 'second')
    await configure('Mutating', 'first')
    decide((_, path) => addKey(path.slice(1, path.indexOf('?'))))
    const answer = await create(CONFIG_MAPS_PATH, configMap('web', { own: 'yes' }))
    expect(answer.json.data).toEqual({ own: 'yes', first: 'yes', second: 'yes' })
    expect(seen.map(({ review }) => Object.keys(review.request.object.data))).toEqual([['own'], ['first', 'own']])
  })

  test('leave defaults to the server', async () => {
    await configure('Mutating', 'pods', {}, [{ ...CONFIG_MAPS, resources: ['pods'] }])
    decide(() => patched({ op: 'add', path: '/spec/initContainers', value: [{ name: 'init', image: 'init:1' }] }))
    const pod = { metadata: { name: 'web' }, spec: { containers: [{ name: 'app', image: 'app:1' }] } }
    const answer = await create('/api/v1/namespaces/default/pods', pod)
    expect(answer.json.spec.initContainers[0]).toMatchObject({
      name: 'init',
      imagePullPolicy: 'IfNotPresent',
      terminationMessagePath: '/dev/termination-log',
    })
  })

  test('are asked again when others have changed the object after them, if they want to', async () => {
    await configure('Mutating', 'a', { reinvocationPolicy: 'IfNeeded' })
    await configure('Mutating', 'b')
    await configure('Mutating', 'c', { reinvocationPolicy: 'IfNeeded' })
    decide((_, path) => (path.startsWith('/b') ? addKey('b') : {}))
    await create(CONFIG_MAPS_PATH, configMap('web', { own: 'yes' }))
    expect(seen.map(({ path }) => path[1])).toEqual(['a', 'b', 'c', 'a'])
  })

  test('cannot change what is deleted', async () => {
    await create(CONFIG_MAPS_PATH, configMap('web'))
    await configure('Mutating', 'check')
    decide(() => addKey('a'))
    expect((await api.send('DELETE', `${CONFIG_MAPS_PATH}/web`)).json).toMatchObject({
      code: 500,
      message:
        'Internal error occurred: admission webhook "check.example.com" attempted to modify the object, ' +
        'which is not supported for this operation',
    })
  })

  test('change the number of replicas through scale', async () => {
    await configure('Mutating', 'scale', {}, [
      { ...CONFIG_MAPS, apiGroups: ['apps'], resources: ['deployments/scale'] },
    ])
    decide(() => patched({ op: 'replace', path: '/spec/replicas', value: 5 }))
    const labels = { app: 'web' }
    const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'app:1' }] } }
    const path = '/apis/apps/v1/namespaces/default/deployments'
    await create(path, { metadata: { name: 'web' }, spec: { selector: { matchLabels: labels }, template } })
    const answer = await api.send('PATCH', `${path}/web/scale`, {
      body: { spec: { replicas: 2 } },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    expect(answer.json).toMatchObject({ kind: 'Scale', spec: { replicas: 5 } })
    expect(seen[0]?.review.request).toMatchObject({ kind: { kind: 'Scale' }, object: { spec: { replicas: 2 } } })
  })

  test('change custom resources, and no more than their schema knows', async () => {
    const schema = {
      type: 'object',
      properties: {
        data: { type: 'object', additionalProperties: { type: 'string' } },
        size: { type: 'integer', default: 3 },
      },
    }
    const names = { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' }
    const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }]
    const spec = { group: 'example.com', scope: 'Namespaced', names, versions }
    const crd = { metadata: { name: 'things.example.com' }, spec }
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
    expect((await create(crds, crd)).status).toBe(201)
    const path = '/apis/example.com/v1/namespaces/default/things'
    await expect.poll(async () => (await api.send('GET', path)).status).toBe(200)
    await configure('Mutating', 'things', {}, [{ ...CONFIG_MAPS, apiGroups: ['example.com'], resources: ['things'] }])
    decide(() => patched({ op: 'add', path: '/data', value: { a: 'b' } }, { op: 'add', path: '/other', value: 1 }))
    const thing = { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'web' } }
    const { json } = await create(path, thing)
    expect(json).toMatchObject({ data: { a: 'b' }, size: 3 })
    expect(json).not.toHaveProperty('other')
  })
})

describe('a webhook that does not answer', () => {
  test('fails the request, or not, as its policy says', async () => {
    const clientConfig = { service: { namespace: 'default', name: 'hook' }, caBundle: await otherAuthority() }
    await configure('Validating', 'open', { failurePolicy: 'Ignore', clientConfig })
    expect((await create(CONFIG_MAPS_PATH, configMap('one'))).status).toBe(201)
    await configure('Validating', 'closed', { failurePolicy: 'Fail', clientConfig })
    expect((await create(CONFIG_MAPS_PATH, configMap('two'))).json).toMatchObject({
      code: 500,
      reason: 'InternalError',
      message:
        'Internal error occurred: failed calling webhook "closed.example.com": failed to call webhook: ' +
        'Post "https://hook.default.svc:443/?timeout=10s": ' +
        'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    })
  })

  test('in time has not answered', async () => {
    await configure('Validating', 'slow', { timeoutSeconds: 1 })
    hook.answer = () => api.clock.advance(1_000)
    expect((await create(CONFIG_MAPS_PATH, configMap('web'))).json.message).toBe(
      'Internal error occurred: failed calling webhook "slow.example.com": failed to call webhook: ' +
        'Post "https://hook.default.svc:443/slow?timeout=1s": context deadline exceeded',
    )
  })

  test('properly has not answered', async () => {
    await configure('Mutating', 'odd')
    decide(() => ({ uid: 'another' }))
    expect((await create(CONFIG_MAPS_PATH, configMap('web'))).json.message).toMatch(
      /^Internal error occurred: failed calling webhook "odd.example.com": received invalid webhook response: expected/,
    )
  })

  test('with a patch that fits has not answered', async () => {
    await configure('Mutating', 'odd')
    decide(() => patched({ op: 'replace', path: '/data', value: 'text' }))
    expect((await create(CONFIG_MAPS_PATH, configMap('web'))).json).toMatchObject({
      code: 500,
      reason: 'InternalError',
    })
  })
})
