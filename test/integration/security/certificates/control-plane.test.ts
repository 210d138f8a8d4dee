/** More than a year passes for a control plane: its certificates are replaced, and who is connected does not notice. */

import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { seededRandom } from '../../../../src/base/random.ts'
import {
  createCertificateAuthority,
  type KeyPair,
  restoreCertificateAuthority,
} from '../../../../src/server/auth/certificate-authority.ts'
import { type OpenedControlPlane, openControlPlane } from '../../../support/control-plane.ts'
import { createStridingClock, DAY_MS, type Line, pass, recordingLogger, type StridingClock } from './year.ts'

let clock: StridingClock
let server: OpenedControlPlane
let lines: Line[]
let agent: Agent
beforeEach(async () => {
  clock = createStridingClock(systemClock.now())
  lines = []
  server = await openControlPlane({ clock, log: recordingLogger(lines) })
  agent = new Agent({ keepAlive: true, maxSockets: 1 })
})
afterEach(async () => {
  agent.destroy()
  await server[Symbol.asyncDispose]()
})

async function pairOf(name: string): Promise<KeyPair> {
  const file = (suffix: string) => readFile(join(server.config.directory, 'pki', `${name}.${suffix}`), 'utf8')
  const [certificate, key] = await Promise.all([file('crt'), file('key')])
  return { certificate, key }
}

const serialOf = ({ certificate }: KeyPair): string => new X509Certificate(certificate).serialNumber

test('every certificate of the control plane is replaced long before it ends', async () => {
  const names = ['apiserver', 'admin', 'apiserver-kubelet-client']
  const serials = new Map(names.map((name) => [name, new Set<string>()]))
  for (let month = 0; month < 18; month++) {
    await pass(clock, 30 * DAY_MS, lines)
    const admin = await pairOf('admin')
    // Over TLS, whose certificates both sides look at.
    expect((await server.ask('GET', '/api/v1/nodes', { as: admin })).status).toBe(200)
    const { certificate } = await server.controlPlane.frontProxy()
    expect(Date.parse(new X509Certificate(certificate).validTo) - clock.now()).toBeGreaterThan(100 * DAY_MS)
    for (const [name, seen] of serials) seen.add(serialOf(await pairOf(name)))
  }
  expect([...serials.values()].map((seen) => seen.size)).toEqual([3, 3, 3])
})

test('a connection that was open before goes on, and new ones are shown the new certificate', async () => {
  const admin = await pairOf('admin')
  const version = () => server.ask('GET', '/version', { as: admin, agent })
  expect(await version()).toMatchObject({ status: 200, isReused: false })
  const before = serialOf(await pairOf('apiserver'))
  await pass(clock, 250 * DAY_MS, lines)
  expect(serialOf(await pairOf('apiserver'))).not.toBe(before)
  expect(await version()).toMatchObject({ status: 200, isReused: true })
  expect(await server.ask('GET', '/version', { as: admin })).toMatchObject({ status: 200, isReused: false })
})

test('a client certificate is refused from the moment it ends, on connections that are open as well', async () => {
  const jane = await server.user('jane', 'system:masters')
  const nodes = (more: object) => server.ask('GET', '/api/v1/nodes', { as: jane, ...more })
  expect((await nodes({ agent })).status).toBe(200)
  await pass(clock, 365 * DAY_MS - 1_000, lines)
  expect(await nodes({ agent })).toMatchObject({ status: 200, isReused: true })
  clock.stride(2_000)
  expect(await nodes({ agent })).toMatchObject({ status: 401, isReused: true })
  expect((await nodes({})).status).toBe(401)
  const refused = lines.filter(({ message }) => message.startsWith('a client certificate is refused'))
  expect(refused.map(({ level, fields }) => [level, fields.user])).toEqual([
    ['warn', 'jane'],
    ['warn', 'jane'],
  ])
  const { text } = await server.ask('GET', '/metrics', { as: await server.user('root', 'system:masters') })
  expect(text).toContain('apiserver_client_certificate_expiration_seconds_bucket{le="0"} 2\n')
  expect(text).toContain('apiserver_client_certificate_expiration_seconds_bucket{le="1800"} 3\n')
})

test("what only time seems to be wrong with is looked at whole, when the machine's clock is not the cluster's", async () => {
  await pass(clock, 400 * DAY_MS, lines)
  const random = seededRandom(2)
  const subject = { commonName: 'eve', organizations: ['system:masters'] }
  const { authority } = server.controlPlane
  const namesake = await createCertificateAuthority('ca', { clock, random })
  const forged = await namesake.issueClient(subject)
  const serving = await authority.issueServer({ ...subject, names: ['127.0.0.1'] })
  const early = restoreCertificateAuthority(authority, { clock: createStridingClock(clock.now() + DAY_MS), random })
  const late = restoreCertificateAuthority(authority, {
    clock: createStridingClock(clock.now() - 366 * DAY_MS),
    random,
  })
  const genuine = await authority.issueClient(subject)
  const pairs = [genuine, forged, serving, await early.issueClient(subject), await late.issueClient(subject)]
  const statuses = pairs.map(async (as) => (await server.ask('GET', '/api/v1/nodes', { as })).status)
  expect(await Promise.all(statuses)).toEqual([200, 401, 401, 401, 401])
})
