/**
 * Goal: nobody gets in by a certificate that the cluster's authority did not give them for that. Method: certificates
 * of every wrong kind, and good ones with bytes changed, over real TLS.
 */

import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { createFakeClock } from '../../../../src/base/fake-clock.ts'
import { seededRandom, systemRandom } from '../../../../src/base/random.ts'
import {
  createCertificateAuthority,
  type KeyPair,
  restoreCertificateAuthority,
} from '../../../../src/server/auth/certificate-authority.ts'
import { mutatedBytes } from '../../../support/fuzz/draw.ts'
import { type FuzzCluster, openFuzzCluster } from './fuzz-cluster.ts'

const SEED = 20_261_123
const YEAR_MS = 366 * 86_400_000
const PATH = '/api/v1/namespaces/victim/secrets/canary'
const ROOT = { commonName: 'admin', organizations: ['system:masters'] }

let cluster: FuzzCluster
beforeAll(async () => {
  cluster = await openFuzzCluster()
})
afterAll(async () => cluster[Symbol.asyncDispose]())

const parts = { clock: systemClock, random: systemRandom }

function authorityAt(offsetMs: number) {
  return restoreCertificateAuthority(cluster.controlPlane.authority, {
    clock: createFakeClock(systemClock.now() + offsetMs),
    random: systemRandom,
  })
}

const WRONG: readonly (readonly [what: string, make: () => Promise<KeyPair>])[] = [
  [
    'of another authority with the same name',
    async () => {
      const { subject } = new X509Certificate(cluster.controlPlane.authority.certificate)
      const name = /CN=(.*)/.exec(subject)?.[1] ?? ''
      return (await createCertificateAuthority(name, parts)).issueClient(ROOT)
    },
  ],
  ['that signed itself', async () => createCertificateAuthority('admin', parts)],
  ['that has ended', async () => authorityAt(-2 * YEAR_MS).issueClient(ROOT)],
  ['that has not begun', async () => authorityAt(YEAR_MS / 2).issueClient(ROOT)],
  ['for servers', async () => cluster.controlPlane.authority.issueServer({ ...ROOT, names: ['localhost'] })],
  [
    'that another client signed',
    async () => {
      const client = await cluster.user('client')
      const issued = await restoreCertificateAuthority(client, parts).issueClient(ROOT)
      return { ...issued, certificate: `${issued.certificate}\n${client.certificate}` }
    },
  ],
  ['without a name', async () => cluster.controlPlane.authority.issueClient({ commonName: '' })],
]

describe('a certificate', () => {
  for (const [what, make] of WRONG)
    test(`${what} is 401, whatever headers come with it`, async () => {
      const as = await make()
      const headers = { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters', 'impersonate-user': 'admin' }
      expect((await cluster.ask('GET', PATH, { as })).status).toBe(401)
      expect((await cluster.ask('GET', PATH, { as, headers })).status).toBe(401)
      // A proof that failed does not make anonymous either.
      expect((await cluster.ask('GET', '/version', { as })).status).toBe(401)
    })

  test('of the front proxy is nobody by itself', async () => {
    const as = await cluster.controlPlane.frontProxy()
    expect((await cluster.ask('GET', PATH, { as })).status).toBe(401)
  })

  test('that is good is taken', async () => {
    expect((await cluster.ask('GET', PATH, { as: await cluster.user('admin', 'system:masters') })).status).toBe(200)
  })
})

test(`400 certificates from seed ${SEED} with changed bytes let nobody in`, { timeout: 120_000 }, async () => {
  const random = seededRandom(SEED)
  const good = await cluster.user('admin', 'system:masters')
  const der = new X509Certificate(good.certificate).raw
  const outcomes = { refused: 0, unusable: 0, accepted: 0 }
  for (let left = 400; left > 0; left--) {
    const changed = mutatedBytes(random, der)
    if (changed.equals(der)) continue
    const certificate = `-----BEGIN CERTIFICATE-----\n${changed.toString('base64')}\n-----END CERTIFICATE-----\n`
    // A client that cannot even load it, or is cut off in the handshake, has not got in.
    const answer = await cluster.ask('GET', PATH, { as: { ...good, certificate } }).catch(() => undefined)
    if (answer === undefined) outcomes.unusable++
    else outcomes[answer.status === 401 ? 'refused' : 'accepted']++
  }
  expect(outcomes.accepted).toBe(0)
  expect(outcomes.refused).toBeGreaterThan(20)
})

test('the server has nothing to say against itself, and answers', async () => {
  expect(cluster.errors).toEqual([])
  expect((await cluster.ask('GET', '/readyz')).text).toBe('ok')
})
