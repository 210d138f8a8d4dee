/**
 * Goal: what is secret stays where it was put: not in the log at its wordiest, not in the audit log, events, metrics or
 * the texts of refusals. Method: a whole cluster with a node; a canary goes in by every way that secrets take, much of it
 * wrong on purpose, and everything that the cluster has said is searched.
 */

import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { events } from '../../../../src/apis/core/event.ts'
import { pods } from '../../../../src/apis/core/pod/definition.ts'
import { secrets } from '../../../../src/apis/core/secret.ts'
import { serviceAccounts } from '../../../../src/apis/core/service-account.ts'
import { systemClock } from '../../../../src/base/clock.ts'
import type { Client } from '../../../../src/client/client.ts'
import { type Cluster, createCluster } from '../../../../src/cluster/cluster.ts'
import { resolveConfig } from '../../../../src/cluster/config.ts'
import { createEnvironment } from '../../../../src/cluster/environment.ts'
import { createKeyRotation } from '../../../../src/cluster/security/key-rotation.ts'
import type { KeyPair } from '../../../../src/server/auth/certificate-authority.ts'

const CANARY = 'canary0b7e5a'
const ENCODED = Buffer.from(CANARY).toString('base64')
const SECRETS = '/api/v1/namespaces/default/secrets'

let home: string
let logFile: string
let cluster: Cluster
let client: Client
let admin: KeyPair
/** Tokens and keys that the cluster itself has made: as secret as the canary. */
const made: string[] = []
/** Texts of answers that are refusals. */
const refusals: { readonly from: string; readonly text: string }[] = []

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 't8s-leaks-'))
  logFile = join(home, 'process.log')
  const config = resolveConfig({
    ...{ home, name: 'leaks', storage: 'level', port: 0, nodes: 1, runtime: 'simulated', logLevel: 'debug' },
    ...{ podCidr: '10.225.0.0/16', serviceCidr: '10.226.0.0/16' },
  })
  const environment = createEnvironment({ logLevel: 'debug', logDestination: logFile, directory: home })
  cluster = await createCluster(config, environment)
  await cluster.ready
  admin = await cluster.controlPlane.authority.issueClient({ commonName: 'admin', organizations: ['t8s:admins'] })
  client = cluster.controlPlane.clientAs({ name: 't8s-admin', groups: ['t8s:admins', 'system:authenticated'] })
})
afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
  await rm(home, { recursive: true, force: true })
})

interface Asked {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly type?: string
  readonly as?: KeyPair | undefined
}

async function ask(method: string, path: string, { headers = {}, body, type, as = admin }: Asked = {}) {
  const { port, authority } = cluster.controlPlane
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  const sent = requestHttps({
    ...{ host: '127.0.0.1', port, method, path, ca: authority.certificate, agent: false },
    ...{ cert: as.certificate, key: as.key },
    headers: {
      ...headers,
      ...(text === undefined
        ? {}
        : { 'content-type': type ?? 'application/json', 'content-length': Buffer.byteLength(text) }),
    },
  })
  const [response] = (await once(sent.end(text), 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  const answer = Buffer.concat(chunks).toString()
  const status = response.statusCode ?? 0
  if (status >= 400) refusals.push({ from: `${method} ${path} ${JSON.stringify(body)}`, text: answer })
  return { status, text: answer }
}

async function askAnonymously(path: string, authorization: string): Promise<void> {
  const { port, authority } = cluster.controlPlane
  const headers = { authorization }
  const sent = requestHttps({ host: '127.0.0.1', port, path, ca: authority.certificate, agent: false, headers }).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  response.resume()
  expect(response.statusCode).toBe(401)
}

const secret = (name: string, more: object) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
  ...more,
})

test('secrets, good and refused, by every verb', async () => {
  const first = await ask('POST', SECRETS, {
    body: secret('good', { stringData: { a: CANARY }, data: { b: ENCODED } }),
  })
  expect(first.status, first.text).toBe(201)
  const good = `${SECRETS}/good`
  const wrong: readonly (readonly [string, string, Asked])[] = [
    ['POST', SECRETS, { body: secret('good', { stringData: { a: CANARY } }) }],
    ['POST', SECRETS, { body: secret('bad', { data: { a: `${CANARY}!` } }) }],
    ['POST', SECRETS, { body: secret('bad', { data: { a: [CANARY] } }) }],
    ['POST', SECRETS, { body: secret('bad', { data: CANARY }) }],
    ['POST', SECRETS, { body: secret('bad', { stringData: { a: { b: CANARY } } }) }],
    ['POST', SECRETS, { body: secret('Bad_Name', { stringData: { a: CANARY } }) }],
    ['POST', SECRETS, { body: secret('bad', { stringData: { 'not a key': CANARY } }) }],
    [
      'POST',
      SECRETS,
      { body: secret('bad', { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': CANARY } }) },
    ],
    [
      'POST',
      SECRETS,
      { body: secret('bad', { type: 'kubernetes.io/dockercfg', stringData: { '.dockercfg': `{${CANARY}` } }) },
    ],
    ['POST', SECRETS, { body: secret('bad', { type: 'kubernetes.io/tls', stringData: { 'tls.key': CANARY } }) }],
    ['POST', SECRETS, { body: secret('bad', { type: 'kubernetes.io/basic-auth', stringData: { other: CANARY } }) }],
    ['POST', SECRETS, { body: secret('bad', { stringData: { a: CANARY.repeat(150_000) } }) }],
    ['POST', SECRETS, { body: `{"kind":"Secret","apiVersion":"v1","stringData":{"a":"${CANARY}"` }],
    ['POST', SECRETS, { body: `kind: Secret\nstringData: {a: ${CANARY}\n  b: [`, type: 'application/yaml' }],
    ['POST', SECRETS, { body: CANARY, type: 'application/vnd.kubernetes.protobuf' }],
    ['POST', SECRETS, { body: `{"data":{"a":"${CANARY}"},` }],
    ['POST', SECRETS, { body: `a: ${CANARY}\nb: [`, type: 'application/yaml' }],
    ['POST', SECRETS, { body: CANARY, type: 'text/plain' }],
    ['POST', '/api/v1/namespaces/absent/secrets', { body: secret('bad', { stringData: { a: CANARY } }) }],
    ['PUT', good, { body: secret('other', { stringData: { a: CANARY } }) }],
    ['PUT', good, { body: secret('good', { type: 'example.com/other', stringData: { a: CANARY } }) }],
    [
      'PUT',
      `${SECRETS}/absent-uid`,
      { body: secret('absent-uid', { metadata: { name: 'absent-uid', uid: 'x' }, stringData: { a: CANARY } }) },
    ],
    ['PATCH', good, { body: { data: { a: `${CANARY}!` } }, type: 'application/merge-patch+json' }],
    ['PATCH', good, { body: { data: { a: [ENCODED] } }, type: 'application/strategic-merge-patch+json' }],
    ['PATCH', good, { body: [{ op: 'test', path: '/data/a', value: CANARY }], type: 'application/json-patch+json' }],
    [
      'PATCH',
      good,
      { body: [{ op: 'add', path: '/data/absent/below', value: CANARY }], type: 'application/json-patch+json' },
    ],
    [
      'PATCH',
      `${good}?fieldManager=one`,
      { body: secret('good', { data: { a: `${CANARY}!` } }), type: 'application/apply-patch+yaml' },
    ],
    [
      'PATCH',
      `${good}?fieldManager=two`,
      {
        body: secret('good', { data: { a: Buffer.from('else').toString('base64') } }),
        type: 'application/apply-patch+yaml',
      },
    ],
    ['DELETE', good, { body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: CANARY.slice(0, 3) } } }],
  ]
  for (const [method, path, asked] of wrong) {
    const { status, text } = await ask(method, path, asked)
    expect(
      status,
      `${method} ${path} ${JSON.stringify(asked).slice(0, 200)} ${text.slice(0, 300)}`,
    ).toBeGreaterThanOrEqual(400)
  }
  await ask('PATCH', good, { body: { stringData: { c: CANARY } }, type: 'application/merge-patch+json' })
  await ask('PUT', good, { body: secret('good', { stringData: { a: CANARY }, immutable: true }) })
  expect((await ask('PUT', good, { body: secret('good', { stringData: { a: `${CANARY}2` } }) })).status).toBe(422)
  expect((await ask('GET', good)).text).toContain(ENCODED)
})

test('credentials that are sent, and some that are made', async () => {
  for (const authorization of [`Bearer ${CANARY}`, `Bearer a.${ENCODED}.c`, `Basic ${ENCODED}`, `Negotiate ${CANARY}`])
    await askAnonymously('/api/v1/pods', authorization)
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: CANARY } }
  await ask('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { body })
  const answer = await client
    .of(serviceAccounts)
    .call<{ readonly status: { readonly token: string } }>('POST', { namespace: 'default', name: 'default' }, 'token', {
      ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
    })
  const [, , signature = ''] = answer.status.token.split('.')
  await ask('GET', '/api/v1/pods', { headers: { authorization: `Bearer ${answer.status.token}` } })
  made.push(signature)
  await client.of(secrets).create({
    metadata: {
      name: 'legacy',
      namespace: 'default',
      annotations: { 'kubernetes.io/service-account.name': 'default' },
    },
    type: 'kubernetes.io/service-account-token',
  })
  for (;;) {
    const { data } = await client.of(secrets).get({ namespace: 'default', name: 'legacy' })
    if (data?.token !== undefined) {
      made.push(data.token.slice(-60), Buffer.from(data.token, 'base64').toString().split('.')[2] ?? '')
      break
    }
    await systemClock.sleep(20)
  }
})

test('pods that use secrets, and pods that cannot', async () => {
  const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'good', key: 'a' } } }]
  const missing = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'good', key: 'absent' } } }]
  const volumes = [{ name: 'all', secret: { secretName: 'good' } }]
  const volumeMounts = [{ name: 'all', mountPath: '/secrets' }]
  const pod = (name: string, container: object, spec: object = {}) =>
    client.of(pods).create({
      metadata: { name, namespace: 'default' },
      spec: { containers: [{ name: 'app', image: 'app:1', ...container }], ...spec },
    })
  await pod('uses', { env, volumeMounts }, { volumes })
  await pod('lacks', { env: missing })
  for (;;) {
    const { status } = await client.of(pods).get({ namespace: 'default', name: 'uses' })
    const { items } = await client.of(events).list({ namespace: 'default' })
    if (status?.phase === 'Running' && items.some(({ involvedObject }) => involvedObject.name === 'lacks')) break
    await systemClock.sleep(20)
  }
})

test('a webhook that fails for secrets', async () => {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
  const webhook = {
    name: 'secrets.example.com',
    clientConfig: { url: 'https://127.0.0.1:1/check' },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['secrets'] }],
    ...{ sideEffects: 'None', admissionReviewVersions: ['v1'], timeoutSeconds: 1, failurePolicy: 'Fail' },
    matchConditions: [{ name: 'x', expression: "object.metadata.name == 'hooked'" }],
  }
  const body = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'x' },
    webhooks: [webhook],
  }
  expect((await ask('POST', path, { body })).status).toBe(201)
  for (;;) {
    const { status } = await ask('POST', `${SECRETS}?dryRun=All`, {
      body: secret('hooked', { stringData: { a: CANARY } }),
    })
    if (status === 500) break
    await systemClock.sleep(20)
  }
  expect((await ask('DELETE', `${path}/x`)).status).toBe(200)
})

test('none of it was said again', async () => {
  await createKeyRotation(cluster.controlPlane.encryptionKeys, client)()
  const keys = (await readFile(join(home, 'leaks', 'pki', 'encryption.keys'), 'utf8'))
    .split(/\s/)
    .filter((word) => word.endsWith('='))
  const key = admin.key.split('\n').slice(1, 2)
  const hidden = [
    CANARY,
    ENCODED.slice(0, -2),
    Buffer.from(ENCODED).toString('base64').slice(0, -2),
    Buffer.from(CANARY).toString('hex'),
    ...made,
    ...keys,
    ...key,
  ]
  expect(hidden.every((text) => text.length > 8)).toBe(true)
  const audit = (await readdir(join(home, 'leaks'))).filter((name) => name.startsWith('audit'))
  const said = [
    ['the log', await readFile(logFile, 'utf8')],
    ...(await Promise.all(audit.map(async (name) => [name, await readFile(join(home, 'leaks', name), 'utf8')]))),
    ['events', JSON.stringify(await client.of(events).list())],
    ['metrics', (await ask('GET', '/metrics')).text],
    ...refusals.map(({ from, text }) => [from.slice(0, 300), text]),
  ]
  expect(audit).not.toEqual([])
  expect(said.map(([, text = '']) => text.length > 20)).not.toContain(false)
  const leaks = said.flatMap(([where, text = '']) =>
    hidden.flatMap((one) => {
      const at = text.indexOf(one)
      return at < 0 ? [] : [`${where}: …${text.slice(Math.max(0, at - 200), at + 100)}`]
    }),
  )
  expect(leaks).toEqual([])
})

test('what the cluster keeps on disk is for its owner alone', async () => {
  const folder = join(home, 'leaks')
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)
  expect(await modeOf(folder)).toBe('700')
  expect(await modeOf(join(folder, 'store'))).toBe('700')
  const names = [...(await readdir(join(folder, 'pki'))).map((name) => join('pki', name)), 'audit.log']
  const modes = await Promise.all(names.map(async (name) => [name, await modeOf(join(folder, name))] as const))
  expect(modes.length).toBeGreaterThan(10)
  expect(modes.filter(([, mode]) => mode !== '600')).toEqual([])
})
