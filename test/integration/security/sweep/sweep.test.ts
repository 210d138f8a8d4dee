/**
 * Goal: no endpoint but the documented ones answers without a credential, or to somebody without rights. Method: every
 * path that a whole cluster with a node has (each resource and subresource of discovery with each of its verbs, the
 * index of the server, its own control paths, what others have for debugging, the node's own port) is asked.
 */

import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { Agent, request as requestHttps } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterRoles } from '../../../../src/apis/rbac/cluster-role.ts'
import { clusterRoleBindings } from '../../../../src/apis/rbac/cluster-role-binding.ts'
import { type Cluster, createCluster } from '../../../../src/cluster/cluster.ts'
import { resolveConfig } from '../../../../src/cluster/config.ts'
import { createEnvironment } from '../../../../src/cluster/environment.ts'
import { SYSTEM } from '../../../../src/cluster/identities.ts'
import type { KeyPair } from '../../../../src/server/auth/certificate-authority.ts'

const NODE = 't8s-sweep-node-0'

interface Target {
  readonly method: string
  readonly path: string
}

let home: string
let cluster: Cluster
let targets: readonly Target[]
let nobody: Agent
let user: Agent
let admin: Agent
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 't8s-sweep-'))
  const config = resolveConfig({
    ...{ home, name: 'sweep', storage: 'memory', port: 0, nodes: 1, runtime: 'simulated' },
    ...{ podCidr: '10.223.0.0/16', serviceCidr: '10.224.0.0/16', logLevel: 'error' },
  })
  cluster = await createCluster(config, createEnvironment({ logLevel: 'error', logDestination: 2, directory: home }))
  await cluster.ready
  const { authority } = cluster.controlPlane
  nobody = agentOf()
  user = agentOf(await authority.issueClient({ commonName: 'nobody-special' }))
  admin = agentOf(await authority.issueClient({ commonName: 'admin', organizations: ['t8s:admins'] }))
  targets = [...(await resourceTargets()), ...(await plainTargets())]
})
afterAll(async () => {
  for (const agent of [nobody, user, admin]) agent.destroy()
  await cluster[Symbol.asyncDispose]()
  await rm(home, { recursive: true, force: true })
})

function agentOf(pair?: KeyPair): Agent {
  const ca = cluster.controlPlane.authority.certificate
  return new Agent({ keepAlive: true, ca, ...(pair && { cert: pair.certificate, key: pair.key }) })
}

interface Place {
  readonly port: number
  readonly servername: string
}

async function ask(
  agent: Agent,
  { method, path }: Target,
  place: Place = { port: cluster.controlPlane.port, servername: 'localhost' },
) {
  const headers = { 'content-type': 'application/json', ...(method === 'GET' ? {} : { 'content-length': 2 }) }
  const sent = requestHttps({ host: '127.0.0.1', ...place, method, path, headers, agent })
  const [response] = (await once(sent.end(method === 'GET' ? undefined : '{}'), 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }
}

async function read<T>(path: string): Promise<T> {
  return JSON.parse((await ask(admin, { method: 'GET', path })).text) as T
}

const METHODS: Readonly<Record<string, string>> = {
  ...{ get: 'GET', list: 'GET', watch: 'GET', create: 'POST', update: 'PUT', patch: 'PATCH' },
  ...{ delete: 'DELETE', deletecollection: 'DELETE' },
}

interface Resource {
  readonly name: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
}

/** Every verb of every resource and subresource of every version. */
async function resourceTargets(): Promise<readonly Target[]> {
  const { groups } = await read<{ groups: { versions: { groupVersion: string }[] }[] }>('/apis')
  const roots = ['/api/v1', ...groups.flatMap(({ versions }) => versions.map((one) => `/apis/${one.groupVersion}`))]
  const lists = await Promise.all(
    roots.map(async (root) => ({ root, ...(await read<{ resources: readonly Resource[] }>(root)) })),
  )
  return lists.flatMap(({ root, resources }) => resources.flatMap((resource) => targetsOf(root, resource)))
}

function targetsOf(root: string, { name, namespaced, verbs }: Resource): readonly Target[] {
  const [resource = '', subresource] = name.split('/')
  const collection = `${root}${namespaced ? '/namespaces/default' : ''}/${resource}`
  const item = `${collection}/any${subresource === undefined ? '' : `/${subresource}`}`
  return verbs.map((verb) => {
    const onCollection = subresource === undefined && ['list', 'watch', 'create', 'deletecollection'].includes(verb)
    const query = verb === 'watch' ? '?watch=true&timeoutSeconds=1' : ''
    return { method: METHODS[verb] ?? 'GET', path: `${onCollection ? collection : item}${query}` }
  })
}

/** What upstream, this server or a component has somewhere, beside its index. */
const FURTHER = [
  ...['/', '/api', '/apis', '/openapi/v2', '/openapi/v3', '/metrics', '/metrics/slis', '/metrics/cadvisor'],
  ...['/debug/pprof/', '/debug/pprof/heap', '/debug/flags/v', '/debug/api_priority_and_fairness/dump_requests'],
  ...['/logs', '/logs/x', '/swagger.json', '/swagger-ui/', '/ui', '/configz', '/flagz', '/statusz', '/stats/summary'],
  ...['/pods', '/exec/a/b/c', '/run/a/b/c', '/containerLogs/a/b/c', '/runningpods/', '/debug', '/admin', '/console'],
  ...['/t8s', '/t8s/status', '/t8s/nodes/a', '/t8s/nodes/a/stop', '/t8s/why/pods/default/a', '/t8s/encryption-key'],
  ...['/.well-known/openid-configuration', '/openid/v1/jwks', '/.env', '/.git/config', '/etc/passwd', '/favicon.ico'],
  ...[
    '/api/v1/proxy/nodes/a',
    `/api/v1/nodes/${NODE}/proxy/`,
    `/api/v1/nodes/${NODE}:10250/proxy/pods`,
    '/at/1/api/v1',
  ],
]

async function plainTargets(): Promise<readonly Target[]> {
  const { paths } = await read<{ paths: readonly string[] }>('/')
  const all = [...new Set([...paths, ...FURTHER])]
  return ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].flatMap((method) => all.map((path) => ({ method, path })))
}

async function sweep(agent: Agent): Promise<readonly (Target & { readonly status: number; readonly text: string })[]> {
  const answers = []
  for (const target of targets) answers.push({ ...target, ...(await ask(agent, target)) })
  return answers
}

test('the sweep has every resource and more', () => {
  const paths = new Set(targets.map(({ path }) => path))
  for (const path of [
    '/api/v1/namespaces/default/secrets',
    '/api/v1/namespaces/default/pods/any/exec',
    '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/any',
    '/apis/metrics.k8s.io/v1beta1/nodes',
    '/readyz/storage',
  ])
    expect(paths).toContain(path)
  expect(targets.length).toBeGreaterThan(1_000)
})

/** Documented in docs/security.md: for load balancers, probes and clients that look for their version. */
const OPEN_TO_ALL = /^\/(healthz|livez|readyz|version)(\/|$)/

test('without a credential everything is 401 but health and version', async () => {
  const answered = (await sweep(nobody)).filter(({ status }) => status !== 401)
  expect(answered.filter(({ path }) => !OPEN_TO_ALL.test(path))).toEqual([])
  // Of those only the whole answers strangers, and only to reading.
  expect([
    ...new Set(answered.filter(({ status }) => status < 300).map(({ method, path }) => `${method} ${path}`)),
  ]).toEqual(['GET /healthz', 'GET /livez', 'GET /readyz', 'GET /version'])
  expect(new Set(answered.filter(({ status }) => status >= 300).map(({ status }) => status))).toEqual(new Set([403]))
})

/** By the roles system:discovery, system:public-info-viewer and system:basic-user, as upstream. */
const OPEN_TO_USERS = [
  ...[/^GET \/(healthz|livez|readyz|version)$/, /^GET \/(api|apis|openapi)(\/|$)/],
  /^POST \/apis\/authorization\.k8s\.io\/v1\/selfsubject(access|rules)reviews$/,
  /^POST \/apis\/authentication\.k8s\.io\/v1\/selfsubjectreviews$/,
]

test('a user without rights gets discovery, reviews of their own rights, and 403 for everything else', async () => {
  const answered = (await sweep(user)).filter(({ status }) => status !== 403)
  const open = answered.filter(({ method, path }) => !OPEN_TO_USERS.some((one) => one.test(`${method} ${path}`)))
  expect(open).toEqual([])
  const resources = answered.filter(({ path, method }) => method === 'GET' && /^\/apis?\/.*v\d[^/]*\/./.test(path))
  expect(resources).toEqual([])
})

test('the server listens on the loopback interface alone', async () => {
  const host = createEnvironment({ logLevel: 'error', logDestination: 2, directory: home }).address ?? '127.0.0.2'
  const socket = connect({ host, port: cluster.controlPlane.port })
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNREFUSED')
})

describe('the port of a node', () => {
  const paths = [
    '/',
    '/pods',
    '/healthz',
    '/stats/summary',
    '/containerLogs/default/a/b',
    '/exec/default/a/b?command=sh',
  ]
  const node = () => ({ port: cluster.nodes.running.get(NODE)?.port ?? 0, servername: NODE })
  const statuses = (agent: Agent) =>
    Promise.all(paths.map(async (path) => (await ask(agent, { method: 'GET', path }, node())).status))

  test('is 401 without a certificate, health included', async () => {
    expect(new Set(await statuses(nobody))).toEqual(new Set([401]))
  })

  test('is 403 without rights', async () => {
    expect(new Set(await statuses(user))).toEqual(new Set([403]))
  })

  test('runs nothing for who may only look through the API server', async () => {
    const client = cluster.controlPlane.clientAs(SYSTEM)
    await client.of(clusterRoles).create({
      metadata: { name: 'looks' },
      rules: [{ apiGroups: [''], resources: ['nodes/proxy'], verbs: ['get'] }],
    })
    await client.of(clusterRoleBindings).create({
      metadata: { name: 'looks' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'looks' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'monitor' }],
    })
    const monitor = agentOf(await cluster.controlPlane.authority.issueClient({ commonName: 'monitor' }))
    const proxy = `/api/v1/nodes/${NODE}/proxy`
    expect((await ask(monitor, { method: 'GET', path: `${proxy}/healthz` })).status).toBe(200)
    for (const path of [
      'exec/default/a/b?command=sh',
      'attach/default/a/b',
      'portForward/default/a',
      '%65xec/default/a/b',
    ])
      expect((await ask(monitor, { method: 'GET', path: `${proxy}/${path}` })).status, path).toBe(403)
    monitor.destroy()
  })
})
