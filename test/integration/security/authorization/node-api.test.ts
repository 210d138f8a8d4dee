/** Who may call the API of a node, path by path: the cluster says so, for certificates and for tokens. */

import { request as requestHttps } from 'node:https'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clusterRoles } from '../../../../src/apis/rbac/cluster-role.ts'
import { clusterRoleBindings } from '../../../../src/apis/rbac/cluster-role-binding.ts'
import { systemClock } from '../../../../src/base/clock.ts'
import { silentLogger } from '../../../../src/base/log.ts'
import { seededRandom } from '../../../../src/base/random.ts'
import { API_SERVER_NAME } from '../../../../src/cluster/control-plane.ts'
import { nodeIdentity } from '../../../../src/cluster/identities.ts'
import { createAddressNetwork } from '../../../../src/network/pods/pod-network.ts'
import { createKubeletAccess } from '../../../../src/node/api/kubelet-access.ts'
import { type KubeletServer, startKubeletServer } from '../../../../src/node/api/kubelet-server.ts'
import { createNodeMetrics } from '../../../../src/node/api/node-metrics.ts'
import { createSimulatedRuntime } from '../../../../src/node/runtime/simulated-runtime.ts'
import { createCertificateAuthority, type KeyPair } from '../../../../src/server/auth/certificate-authority.ts'
import { type OpenedControlPlane, openControlPlane } from '../../../support/control-plane.ts'

const NODE = 'n1'
const GROUP = 'rbac.authorization.k8s.io'
const stack = new AsyncDisposableStack()
let server: OpenedControlPlane
let kubelet: KubeletServer

beforeAll(async () => {
  server = stack.use(await openControlPlane({ dialNode: (name) => (name === NODE ? kubelet : undefined) }))
  const { authority, clientAs } = server.controlPlane
  const parts = { clock: systemClock, random: seededRandom(1), log: silentLogger }
  const runtime = stack.use(createSimulatedRuntime({ ...parts, network: createAddressNetwork(() => undefined) }))
  const client = clientAs(nodeIdentity(NODE))
  const access = createKubeletAccess({ nodeName: NODE, client, clock: systemClock, trustedNames: [API_SERVER_NAME] })
  const pair = await authority.issueServer({ commonName: NODE, names: [NODE, '127.0.0.1'] })
  kubelet = stack.use(
    await startKubeletServer({
      ...{ ...pair, clientCa: authority.bundle, host: '127.0.0.1', port: 0, access },
      metrics: createNodeMetrics(systemClock),
      ...{ nodeName: NODE, runtime, pods: () => [], ...parts },
    }),
  )
  for (const [user, verbs, resources] of [
    ['stats-reader', ['get'], ['nodes/stats']],
    ['pods-reader', ['get'], ['nodes/pods', 'nodes/healthz']],
    ['proxy-reader', ['get'], ['nodes/proxy']],
    ['proxy-owner', ['get', 'create'], ['nodes/proxy']],
  ] as const)
    await grant(user, verbs, resources)
})
afterAll(() => stack.disposeAsync())

async function grant(name: string, verbs: readonly string[], resources: readonly string[]): Promise<void> {
  const admin = server.controlPlane.clientAs({ name: 'root', groups: ['system:masters'] })
  await admin.of(clusterRoles).create({ metadata: { name }, rules: [{ verbs, apiGroups: [''], resources }] })
  const roleRef = { apiGroup: GROUP, kind: 'ClusterRole', name }
  await admin
    .of(clusterRoleBindings)
    .create({ metadata: { name }, roleRef, subjects: [{ kind: 'User', apiGroup: GROUP, name }] })
}

interface Asked {
  readonly as?: KeyPair | undefined
  readonly token?: string | undefined
  readonly upgrade?: boolean
}

function ask(
  path: string,
  { as, token, upgrade = false }: Asked,
): Promise<{ readonly status: number; readonly text: string }> {
  const identity = as && { cert: as.certificate, key: as.key }
  const headers = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(upgrade && { connection: 'Upgrade', upgrade: 'websocket' }),
  }
  return new Promise((resolve, reject) => {
    const { host, port } = kubelet
    const ca = server.controlPlane.authority.bundle
    requestHttps({ host, port, path, ca, agent: false, headers, ...identity }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
    })
      .on('error', reject)
      .end()
  })
}

test.each([
  // path                     stats-reader  pods-reader  proxy-reader  api-server  nobody
  ['/stats/summary', 200, 403, 403, 200, 401],
  ['/pods', 403, 200, 200, 200, 401],
  ['/healthz', 403, 200, 200, 200, 401],
  ['/metrics', 403, 403, 403, 200, 401],
  ['/containerLogs/a/b/c', 403, 403, 404, 404, 401],
  ['/run/a/b/c', 403, 403, 404, 404, 401],
])('%s', async (path, ...expected) => {
  const names = ['stats-reader', 'pods-reader', 'proxy-reader', API_SERVER_NAME]
  const certificates = await Promise.all(names.map((name) => server.user(name)))
  const statuses = [...certificates, undefined].map(async (as) => (await ask(path, { as })).status)
  expect(await Promise.all(statuses)).toEqual(expected)
})

test('the right to read all is not the right to run commands', async () => {
  const run = async (name: string) =>
    ask('/exec/a/b/c?command=id&output=1', { as: await server.user(name), upgrade: true })
  expect(await run('proxy-reader')).toEqual({
    status: 403,
    text: 'Forbidden (user=proxy-reader, verb=create, resource=nodes, subresource(s)=[proxy])\n',
  })
  expect((await run('proxy-owner')).status).toBe(404)
})

test('a token is as good as a certificate, one that the cluster does not know is not', async () => {
  const root = await server.user('root', 'system:masters')
  const accounts = '/api/v1/namespaces/default/serviceaccounts'
  const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'scraper' } }
  await server.ask('POST', accounts, { as: root, body: object })
  const wish = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
  const { json } = await server.ask('POST', `${accounts}/scraper/token`, { as: root, body: wish })
  const { token } = json.status
  expect(await ask('/stats/summary', { token })).toEqual({
    status: 403,
    text: 'Forbidden (user=system:serviceaccount:default:scraper, verb=get, resource=nodes, subresource(s)=[stats])\n',
  })
  expect((await ask('/stats/summary', { token: `${token}x` })).status).toBe(401)
})

test("a certificate of another authority is nobody's", async () => {
  const other = await createCertificateAuthority('other', { clock: systemClock, random: seededRandom(2) })
  for (const commonName of [API_SERVER_NAME, 'stats-reader'])
    expect((await ask('/stats/summary', { as: await other.issueClient({ commonName }) })).status).toBe(401)
})

test('the API server leads there, by its own certificate, for whoever may use its proxy', async () => {
  const path = `/api/v1/nodes/${NODE}/proxy/healthz`
  expect((await server.ask('GET', path, { as: await server.user('stats-reader') })).status).toBe(403)
  expect(await server.ask('GET', path, { as: await server.user('proxy-reader') })).toMatchObject({
    status: 200,
    text: 'ok',
  })
})
