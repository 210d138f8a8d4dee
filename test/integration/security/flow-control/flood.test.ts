/**
 * Goal: a flood of one user takes no more than its part. Method: a real TLS listener with the real filters and
 * upstream's levels, whose handler keeps the flooder's requests at a gate: so it is known who runs and who waits
 * when others come, whatever the machine has to do besides.
 */

import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  MANDATORY_FLOWS,
  MANDATORY_LEVELS,
  SUGGESTED_FLOWS,
  SUGGESTED_LEVELS,
} from '../../../../src/apis/flowcontrol/built-in-flows.ts'
import { type Clock, systemClock } from '../../../../src/base/clock.ts'
import { silentLogger } from '../../../../src/base/log.ts'
import { createMetrics } from '../../../../src/base/metrics.ts'
import { systemRandom } from '../../../../src/base/random.ts'
import type { ApiRequest, ApiResponse, Handler } from '../../../../src/machinery/wire/message.ts'
import { anonymous } from '../../../../src/server/auth/anonymous.ts'
import { inOrder, peerIdentity } from '../../../../src/server/auth/authenticator.ts'
import { ALLOWED } from '../../../../src/server/auth/authorizer.ts'
import {
  type CertificateAuthority,
  createCertificateAuthority,
} from '../../../../src/server/auth/certificate-authority.ts'
import { chain, filters } from '../../../../src/server/filters/chain.ts'
import { createRequestMetrics } from '../../../../src/server/filters/request-metrics.ts'
import { createFlowControl, type FlowControl } from '../../../../src/server/flow-control/flow-control.ts'
import { metricsText } from '../../../../src/server/flow-control/metrics-text.ts'
import { type Listener, listen } from '../../../../src/server/http.ts'
import { requestInfo } from '../../../../src/server/request-info.ts'

/** Limits stay as they are, and nobody waits for too long, however slow the machine is. */
const clock: Clock = {
  ...systemClock,
  after: (delayMs, callback) => (delayMs < 10_000 ? systemClock.after(delayMs, callback) : { cancel: () => {} }),
}

const OK: ApiResponse = { status: 200, headers: {}, body: { type: 'bytes', bytes: Buffer.from('ok') } }
const GATED = '/api/v1/namespaces/gated/configmaps/a'
const OPEN = '/api/v1/namespaces/open/configmaps/a'
/** Parallel requests of the flooder, 100 on each connection. */
const FLOOD = 500
/** Of global-default, while the other levels lend it what they may. */
const SEATS = 56
const QUEUED = 6 * 50

let stack: AsyncDisposableStack
let authority: CertificateAuthority
let flowControl: FlowControl
let handle: Handler
let listener: Listener
/** Those at the gate, in the order in which they came. */
let held: (() => void)[]
let handled: string[]

beforeEach(async () => {
  stack = new AsyncDisposableStack()
  held = []
  handled = []
  const stopping = new AbortController()
  stack.defer(() => stopping.abort())
  const named = <Spec>(specs: Readonly<Record<string, Spec>>) =>
    Object.entries(specs).map(([name, spec]) => ({ metadata: { name, uid: name }, spec }))
  const schemas = named({ ...MANDATORY_FLOWS, ...SUGGESTED_FLOWS })
  const levels = named({ ...MANDATORY_LEVELS, ...SUGGESTED_LEVELS })
  flowControl = createFlowControl({
    objects: { schemas: () => schemas, levels: () => levels, changedAt: 1 },
    ...{ statisticsOf: () => undefined, clock, signal: stopping.signal },
  })
  const list = filters({
    ...{ clock, random: systemRandom, log: silentLogger, flowControl },
    authenticator: inOrder([peerIdentity], anonymous),
    authorizer: { authorize: () => ALLOWED },
    metrics: createRequestMetrics(createMetrics()),
  })
  handle = chain(list, requestInfo, answer)
  authority = await createCertificateAuthority('ca', { clock: systemClock, random: systemRandom })
  const { certificate, key } = await authority.issueServer({ commonName: 'server', names: ['127.0.0.1'] })
  const tls = { certificate, key, clientCa: authority.certificate }
  const shared = { hosts: ['127.0.0.1'], port: 0, clock: systemClock, log: silentLogger, http2: true }
  listener = await listen({ ...shared, tls, handle })
  stack.defer(() => listener.close(0))
})
afterEach(async () => {
  for (const release of held.splice(0)) release()
  await stack.disposeAsync()
})

async function answer({ path, user }: ApiRequest): Promise<ApiResponse> {
  handled.push(user?.name ?? '')
  if (path === GATED) await new Promise<void>((resolve) => held.push(resolve))
  return OK
}

async function connectAs(name: string, ...groups: readonly string[]): Promise<ClientHttp2Session> {
  const { certificate, key } = await authority.issueClient({ commonName: name, organizations: groups })
  const session = connect(`https://127.0.0.1:${listener.port}`, { ca: authority.certificate, cert: certificate, key })
  session.on('error', () => {})
  stack.defer(() => session.destroy())
  await once(session, 'connect')
  return session
}

interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
}

async function ask(session: ClientHttp2Session, path: string): Promise<Answered> {
  const stream = session.request({ ':path': path })
  stream.on('error', () => {})
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
  stream.resume()
  return { status: Number(headers[':status']), headers }
}

function level(name: string) {
  const found = flowControl.levels.find((each) => each.name === name)
  if (found === undefined) throw new Error(`no level ${name}`)
  return found.queues
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

/** Everything that the flooder sends has been let through, put into queues or turned away. */
async function flood(): Promise<{ readonly refused: readonly Answered[] }> {
  const refused: Answered[] = []
  let turnedAway = 0
  for (let sent = 0; sent < FLOOD; sent += 100) {
    const session = await connectAs('flooder')
    for (let count = 0; count < 100; count++)
      void ask(session, GATED).then(
        (answered) => answered.status === 429 && turnedAway++ >= 0 && refused.push(answered),
        () => {},
      )
  }
  await until(() => held.length + level('global-default').waitingCount + turnedAway === FLOOD)
  return { refused }
}

test('a flood fills its own seats and queues, and what is more is turned away', async () => {
  const { refused } = await flood()
  expect(held.length).toBe(SEATS)
  expect(level('global-default').seatsInUse).toBe(SEATS)
  expect(level('global-default').waitingCount).toBe(QUEUED)
  expect(refused.length).toBe(FLOOD - SEATS - QUEUED)
  expect(refused[0]?.headers).toMatchObject({
    'retry-after': '1',
    'content-type': 'text/plain; charset=utf-8',
    'x-kubernetes-pf-flowschema-uid': 'global-default',
    'x-kubernetes-pf-prioritylevel-uid': 'global-default',
  })
  const text = metricsText(flowControl, systemClock.monotonic())
  const flow = 'priority_level="global-default",flow_schema="global-default"'
  expect(text).toContain(`rejected_requests_total{${flow},reason="queue-full"} ${FLOOD - SEATS - QUEUED}\n`)
  expect(text).toContain(`current_inqueue_requests{${flow}} ${QUEUED}\n`)
  expect(text).toContain(`current_executing_seats{${flow}} ${SEATS}\n`)
})

test('nodes, controllers, leases, probes, superusers and components of this process are answered meanwhile', async () => {
  await flood()
  const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/a'
  for (const [name, group, path, uid] of [
    ['system:node:a', 'system:nodes', OPEN, 'system'],
    ['system:node:a', 'system:nodes', '/api/v1/nodes/a', 'node-high'],
    ['system:kube-scheduler', 'x', lease, 'leader-election'],
    ['system:kube-controller-manager', 'x', OPEN, 'workload-high'],
    ['system:serviceaccount:kube-system:a', 'system:serviceaccounts', OPEN, 'workload-high'],
    ['system:serviceaccount:a:a', 'system:serviceaccounts', OPEN, 'workload-low'],
    ['somebody', 'x', '/livez', 'exempt'],
    ['root', 'system:masters', OPEN, 'exempt'],
  ] as const) {
    const { status, headers } = await ask(await connectAs(name, group), path)
    expect([status, headers['x-kubernetes-pf-prioritylevel-uid']], `${name} ${path}`).toEqual([200, uid])
  }
  const component = { name: 'flooder', groups: ['system:authenticated'] }
  const { signal } = new AbortController()
  const shared = { method: 'GET', query: new URLSearchParams(), headers: {}, body: { type: 'none' }, signal } as const
  const own = await handle({ ...shared, path: OPEN, wants: 'object', peer: component })
  expect(own.status).toBe(200)
  expect(held.length).toBe(SEATS)
})

test('another user of the same level waits for as many requests as there are seats at most, not for all that came before', async () => {
  await flood()
  handled.length = 0
  const other = await connectAs('other')
  const answers = Array.from({ length: 10 }, () => ask(other, OPEN))
  await until(() => level('global-default').waitingCount === QUEUED + 10)
  let released = 0
  const served = () => handled.filter((name) => name === 'other').length
  while (served() < 10) {
    const before = handled.length
    held.shift()?.()
    released++
    await until(() => handled.length > before)
  }
  for (const { status } of await Promise.all(answers)) expect(status).toBe(200)
  // Fair queues are off by what runs when somebody comes: that is known to last only when it has ended.
  expect(released).toBeLessThan(2 * SEATS)
})

test('callers that go leave their places, and nothing is kept of them', async () => {
  const session = await connectAs('flooder')
  for (let count = 0; count < 100; count++) void ask(session, GATED).catch(() => {})
  await until(() => held.length === SEATS && level('global-default').waitingCount === 100 - SEATS)
  session.destroy()
  await until(() => level('global-default').waitingCount === 0)
  for (const release of held.splice(0)) release()
  await until(() => level('global-default').isIdle)
  expect(level('global-default').seatsInUse).toBe(0)
})
