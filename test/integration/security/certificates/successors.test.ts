/** What a cluster signs with gets a successor between two starts; what was signed before stays good until it ends. */

import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Clock, systemClock } from '../../../../src/base/clock.ts'
import { replaceAuthorities, replaceTokenKey } from '../../../../src/cluster/credentials.ts'
import type { UserInfo } from '../../../../src/machinery/wire/message.ts'
import { type OpenedControlPlane, openControlPlane } from '../../../support/control-plane.ts'
import { createStridingClock, DAY_MS } from './year.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 't8s-successors-'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

const open = (clock?: Clock) => openControlPlane({ home, clock, config: { storage: 'level' } })

/** The cluster's folder, after a start that ended. */
async function startedOnce<T>(
  look: (server: OpenedControlPlane) => Promise<T>,
  clock?: Clock,
): Promise<T & { directory: string }> {
  await using server = await open(clock)
  return { ...(await look(server)), directory: server.config.directory }
}

/** Whether who trusts these authorities trusts the server: the TLS library says. */
async function isTrusted({ controlPlane }: OpenedControlPlane, ca: string): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port: controlPlane.port, ca, rejectUnauthorized: false })
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  const { authorized } = socket
  socket.destroy()
  return authorized
}

const certificatesIn = (bundle: string) => bundle.match(/BEGIN CERTIFICATE/g)?.length

test('a new authority takes over, and nobody who knows only the old one notices', async () => {
  const before = await startedOnce(async ({ controlPlane, user }) => ({
    authority: controlPlane.authority.certificate,
    jane: await user('jane', 'system:masters'),
  }))
  await replaceAuthorities(before.directory)
  {
    await using server = await open()
    const { certificate, bundle } = server.controlPlane.authority
    expect(certificate).not.toBe(before.authority)
    expect(certificatesIn(bundle)).toBe(2)
    for (const ca of [before.authority, certificate, bundle]) expect(await isTrusted(server, ca)).toBe(true)
    const joe = await server.user('joe', 'system:masters')
    expect(new X509Certificate(joe.certificate).verify(new X509Certificate(certificate).publicKey)).toBe(true)
    for (const as of [before.jane, joe]) expect((await server.ask('GET', '/api/v1/nodes', { as })).status).toBe(200)
  }
  await replaceAuthorities(before.directory)
  await using server = await open()
  expect(certificatesIn(server.controlPlane.authority.bundle)).toBe(3)
  expect(await isTrusted(server, before.authority)).toBe(true)
})

test('the authority of front proxies gets a successor too, known by those that know only the old one', async () => {
  const before = await startedOnce(async ({ controlPlane }) => ({ ...(await controlPlane.frontProxy()) }))
  await replaceAuthorities(before.directory)
  await using server = await open()
  const { authority, certificate } = await server.controlPlane.frontProxy()
  expect(certificatesIn(authority)).toBe(2)
  expect(authority).toContain(before.authority)
  const [leaf, vouched] = certificate.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []
  const chain = [leaf, vouched, before.authority].map((pem) => new X509Certificate(pem ?? ''))
  expect(chain[0]?.verify(chain[1]?.publicKey ?? never())).toBe(true)
  expect(chain[1]?.verify(chain[2]?.publicKey ?? never())).toBe(true)
})

function never(): never {
  throw new Error('there are three certificates')
}

test('an old authority is forgotten when its file is taken away', async () => {
  const before = await startedOnce(async ({ controlPlane, user }) => ({
    authority: controlPlane.authority.certificate,
    jane: await user('jane', 'system:masters'),
  }))
  await replaceAuthorities(before.directory)
  await rm(join(before.directory, 'pki', 'ca-previous.crt'))
  await rm(join(before.directory, 'pki', 'ca-chain.crt'))
  await using server = await open()
  expect(await isTrusted(server, before.authority)).toBe(false)
  expect((await server.ask('GET', '/api/v1/nodes', { as: before.jane })).status).toBe(401)
})

test('an authority in the last third of its life gets a successor by itself, and is dropped when it ends', async () => {
  const clock = createStridingClock(systemClock.now())
  const { authority } = await startedOnce(
    async ({ controlPlane }) => ({ authority: controlPlane.authority.certificate }),
    clock,
  )
  clock.stride(7 * 365 * DAY_MS)
  {
    await using server = await open(clock)
    expect(server.controlPlane.authority.bundle).toContain(authority)
    expect(server.controlPlane.authority.certificate).not.toBe(authority)
  }
  clock.stride(4 * 365 * DAY_MS)
  await using server = await open(clock)
  expect(certificatesIn(server.controlPlane.authority.bundle)).toBe(1)
})

const ROOT: UserInfo = { name: 'root', groups: ['system:masters'] }
const ACCOUNT = '/api/v1/namespaces/default/serviceaccounts/bot'

async function tokenOf({ ask, user }: OpenedControlPlane): Promise<string> {
  const as = await user(ROOT.name, ...ROOT.groups)
  const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'bot' } }
  await ask('POST', '/api/v1/namespaces/default/serviceaccounts', { as, body: object })
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
  return (await ask('POST', `${ACCOUNT}/token`, { as, body })).json.status.token
}

const keyOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8')).kid

test('a new key signs tokens, and those of the old one are still good', async () => {
  const { old, directory } = await startedOnce(async (server) => ({ old: await tokenOf(server) }))
  await replaceTokenKey(directory)
  await using server = await open()
  const fresh = await tokenOf(server)
  expect(keyOf(fresh)).not.toBe(keyOf(old))
  for (const token of [old, fresh]) {
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
    const headers = { authorization: `Bearer ${token}` }
    const answer = await server.ask('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { headers, body })
    expect(answer.json.status.userInfo.username).toBe('system:serviceaccount:default:bot')
  }
  const published = await server.ask('GET', '/openid/v1/jwks', { as: await server.user(ROOT.name, ...ROOT.groups) })
  expect(published.json.keys.map(({ kid }: { kid: string }) => kid)).toEqual([keyOf(fresh), keyOf(old)])
  const former = await readFile(join(directory, 'pki', 'service-account-former.pub'), 'utf8')
  expect(former).not.toContain('PRIVATE')
})
