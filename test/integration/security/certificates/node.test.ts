/** Years pass for a node: it gets its certificates by requests to the API, and leaves no heap of requests behind. */

import { X509Certificate } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { connect } from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { certificateSigningRequests } from '../../../../src/apis/certificates/certificate-signing-request.ts'
import { KUBELET_CLIENT_SIGNER, KUBELET_SERVING_SIGNER } from '../../../../src/apis/certificates/node-requests.ts'
import { systemClock } from '../../../../src/base/clock.ts'
import { seededRandom } from '../../../../src/base/random.ts'
import { createInformers } from '../../../../src/client/informers.ts'
import { CONTROLLER_MANAGER, controllerIdentities, nodeIdentity } from '../../../../src/cluster/identities.ts'
import { startControllers } from '../../../../src/controllers/runtime/manager.ts'
import { certificateApprover } from '../../../../src/controllers/security/certificate-approver.ts'
import { certificateCleaner } from '../../../../src/controllers/security/certificate-cleaner.ts'
import { certificateSigner } from '../../../../src/controllers/security/certificate-signer.ts'
import { servingApprover } from '../../../../src/controllers/security/serving-approver.ts'
import { createAddressNetwork } from '../../../../src/network/pods/pod-network.ts'
import { createKubeletAccess } from '../../../../src/node/api/kubelet-access.ts'
import { startKubeletServer } from '../../../../src/node/api/kubelet-server.ts'
import { createNodeMetrics } from '../../../../src/node/api/node-metrics.ts'
import {
  type CertificateManagerParts,
  type KeyPair,
  keepCertificate,
} from '../../../../src/node/certificates/certificate-manager.ts'
import { createSimulatedRuntime } from '../../../../src/node/runtime/simulated-runtime.ts'
import { type OpenedControlPlane, openControlPlane, servingFinding } from '../../../support/control-plane.ts'
import { createStridingClock, DAY_MS, type Line, pass, recordingLogger, type StridingClock } from './year.ts'

const NODE = 'n1'
const NAMES = [NODE, '127.0.0.1', '10.0.0.7']
const IDENTITY = nodeIdentity(NODE)
const ORGANIZATIONS = ['system:nodes']

let stack: AsyncDisposableStack
let clock: StridingClock
let server: OpenedControlPlane
let lines: Line[]
beforeEach(async () => {
  stack = new AsyncDisposableStack()
  clock = createStridingClock(systemClock.now())
  lines = []
  const log = recordingLogger(lines)
  server = stack.use(await openControlPlane({ clock, log }))
  const { clientAs, authority } = server.controlPlane
  const parts = { clock, random: seededRandom(1), log }
  const informers = stack.use(createInformers({ ...parts, client: clientAs(CONTROLLER_MANAGER) }))
  const identityOf = controllerIdentities()
  const controllers = [
    certificateApprover,
    servingApprover((name) => (name === NODE ? NAMES : undefined)),
    certificateSigner(authority.sign),
    certificateCleaner,
  ]
  stack.use(startControllers(controllers, { ...parts, informers, clientOf: (name) => clientAs(identityOf(name)) }))
})
afterEach(() => stack.disposeAsync())

/** Renews like a node does, until the test ends. */
function keep(
  parts: Pick<CertificateManagerParts, 'signerName' | 'usages' | 'template' | 'current' | 'renewed'>,
): void {
  const stop = new AbortController()
  stack.defer(() => stop.abort())
  const client = server.controlPlane.clientAs(IDENTITY)
  void keepCertificate({ ...parts, client, clock, random: seededRandom(2), log: recordingLogger(lines) }, stop.signal)
}

const requests = async () =>
  (
    await server.controlPlane
      .clientAs({ name: 'root', groups: ['system:masters'] })
      .of(certificateSigningRequests)
      .list()
  ).items

test("a node's serving certificate is replaced in time, under open connections", async () => {
  const { authority } = server.controlPlane
  const first = await authority.issueServer({ commonName: IDENTITY.name, organizations: ORGANIZATIONS, names: NAMES })
  const runtime = stack.use(
    createSimulatedRuntime({ clock, random: seededRandom(3), network: createAddressNetwork(() => undefined) }),
  )
  const client = server.controlPlane.clientAs(IDENTITY)
  const access = createKubeletAccess({ nodeName: NODE, client, clock, trustedNames: ['api'] })
  const metrics = createNodeMetrics(clock)
  const kubelet = stack.use(
    await startKubeletServer({
      ...{ nodeName: NODE, runtime, pods: () => [], host: '127.0.0.1', port: 0, access, metrics },
      ...{ ...first, clientCa: authority.bundle, clock, log: recordingLogger(lines) },
    }),
  )
  keep({
    ...{ signerName: KUBELET_SERVING_SIGNER, usages: ['digital signature', 'server auth'], current: first },
    template: { commonName: IDENTITY.name, organizations: ORGANIZATIONS, names: NAMES },
    renewed: async (pair) => kubelet.renew(pair),
  })
  const api = await authority.issueClient({ commonName: 'api' })
  const dial = async () => {
    const identity = { cert: api.certificate, key: api.key }
    const socket = connect({ host: kubelet.host, port: kubelet.port, rejectUnauthorized: false, ...identity })
    stack.defer(() => void socket.destroy())
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    return socket
  }
  const old = await dial()
  const serials = new Set<string>()
  for (let month = 0; month < 24; month++) {
    await pass(clock, 30 * DAY_MS, lines)
    const shown = (await dial()).getPeerX509Certificate()
    expect(servingFinding(shown, { ca: authority.bundle, clock })).toBeUndefined()
    expect(shown?.checkHost(NODE)).toBe(NODE)
    serials.add(shown?.serialNumber ?? '')
    expect((await requests()).length).toBeLessThanOrEqual(1)
  }
  expect(serials.size).toBe(3)
  const { text } = await metrics.exposition()
  expect(text).toMatch(/kubelet_certificate_manager_server_ttl_seconds \d{7,}\n/)
  expect(text).toContain('kubelet_certificate_manager_server_rotation_seconds_count 2\n')
  const answer = new Promise<string>((resolve) =>
    old.once('data', (bytes: Buffer) => resolve(bytes.toString('latin1'))),
  )
  old.write('GET /healthz HTTP/1.1\r\nHost: n1\r\n\r\n')
  expect(await answer).toContain('HTTP/1.1 200 OK')
})

test("a kubelet's client certificate is replaced in time, so that the API always knows it", async () => {
  const { authority } = server.controlPlane
  let current: KeyPair = await authority.issueClient({ commonName: IDENTITY.name, organizations: ORGANIZATIONS })
  const first = current
  keep({
    ...{ signerName: KUBELET_CLIENT_SIGNER, usages: ['digital signature', 'client auth'], current },
    template: { commonName: IDENTITY.name, organizations: ORGANIZATIONS, names: [] },
    renewed: async (pair) => {
      current = pair
    },
  })
  const ownName = async (as: KeyPair) => {
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
    const answer = await server.ask('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { as, body })
    return answer.status === 201 ? answer.json.status.userInfo.username : answer.status
  }
  const serials = new Set<string>()
  for (let month = 0; month < 24; month++) {
    await pass(clock, 30 * DAY_MS, lines)
    expect(await ownName(current)).toBe(IDENTITY.name)
    serials.add(new X509Certificate(current.certificate).serialNumber)
  }
  expect(serials.size).toBe(3)
  expect(await ownName(first)).toBe(401)
  expect((await requests()).length).toBeLessThanOrEqual(1)
})

test('names that the node does not have are left to people, who find few requests', async () => {
  const { authority } = server.controlPlane
  const current = await authority.issueServer({ commonName: IDENTITY.name, names: NAMES })
  keep({
    ...{ signerName: KUBELET_SERVING_SIGNER, usages: ['digital signature', 'server auth'], current },
    template: { commonName: IDENTITY.name, organizations: ORGANIZATIONS, names: [...NAMES, 'kubernetes.default.svc'] },
    renewed: () => Promise.reject(new Error('nobody has approved it')),
  })
  clock.stride(330 * DAY_MS)
  while ((await requests()).length === 0) await setImmediate()
  for (let minute = 0; minute < 36 * 60; minute++) {
    clock.stride(60_000)
    await setImmediate()
  }
  const asked = await requests()
  expect(asked.every(({ status }) => (status?.conditions ?? []).length === 0)).toBe(true)
  // Each is waited for, and the next comes after a pause as long; those of yesterday are gone.
  expect(asked.length).toBeGreaterThan(1)
  expect(asked.length).toBeLessThan(60)
})
