import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../base/clock.ts'
import { createFakeClock } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import { type CertificateAuthority, createCertificateAuthority, needsRenewal } from './certificate-authority.ts'
import { loadOrCreateAuthority, loadOrIssue, loadPair, replaceAuthority, savePair } from './certificate-files.ts'

const parts = { clock: systemClock, random: seededRandom(1) }
let authority: CertificateAuthority
let directory: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 't8s-certificates-'))
  authority = await createCertificateAuthority('test-ca', parts)
})
afterAll(() => rmSync(directory, { recursive: true }))

test('a server certificate names its hosts and addresses', async () => {
  const { certificate } = await authority.issueServer({ commonName: 'api', names: ['localhost', '127.0.0.1', '::1'] })
  const parsed = new X509Certificate(certificate)
  expect(parsed.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true)
  expect(parsed.checkHost('localhost')).toBe('localhost')
  expect(parsed.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(parsed.checkIP('::1')).toBe('::1')
})

test('a client certificate carries every organization', async () => {
  const { certificate } = await authority.issueClient({ commonName: 'jane', organizations: ['a', 'b'] })
  expect(new X509Certificate(certificate).toLegacyObject().subject).toEqual({ O: ['a', 'b'], CN: 'jane' })
})

test('a signing request of openssl is signed with its subject and names', async () => {
  const key = join(directory, 'request.key')
  const request = execFileSync(
    'openssl',
    [
      ...['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-subj', '/O=system:nodes/CN=system:node:n1'],
      ...['-addext', 'subjectAltName=DNS:n1,IP:10.0.0.1'],
    ],
    { stdio: 'pipe' },
  ).toString()
  const certificate = await authority.sign({ request, usages: ['digital signature', 'server auth'] })
  const parsed = new X509Certificate(certificate)
  expect(parsed.toLegacyObject().subject).toEqual({ O: 'system:nodes', CN: 'system:node:n1' })
  expect(parsed.checkIP('10.0.0.1')).toBe('10.0.0.1')
  expect(parsed.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  await expect(authority.sign({ request: 'nonsense', usages: [] })).rejects.toThrow()
})

test('a certificate is renewed in the last third of its life', async () => {
  const clock = createFakeClock()
  const early = await createCertificateAuthority('x', { clock, random: seededRandom(2) })
  const { certificate } = await early.issueClient({ commonName: 'c' })
  expect(needsRenewal(certificate, clock.now() + 200 * 86_400_000)).toBe(false)
  expect(needsRenewal(certificate, clock.now() + 250 * 86_400_000)).toBe(true)
  expect(needsRenewal('nonsense', 0)).toBe(true)
})

test('files are private, reused, and replaced when they no longer fit', async () => {
  const first = await loadOrCreateAuthority(directory, 'ca', parts)
  const again = await loadOrCreateAuthority(directory, 'ca', parts)
  expect(again.certificate).toBe(first.certificate)
  expect(statSync(join(directory, 'ca.key')).mode & 0o777).toBe(0o600)

  const issue = (names: readonly string[]) =>
    loadOrIssue(directory, {
      name: 'server',
      authority: first,
      nowMs: systemClock.now(),
      names,
      issue: () => first.issueServer({ commonName: 'server', names }),
    })
  const server = await issue(['localhost'])
  expect((await issue(['localhost'])).certificate).toBe(server.certificate)
  expect((await issue(['localhost', '10.0.0.1'])).certificate).not.toBe(server.certificate)
  writeFileSync(join(directory, 'server.crt'), 'garbage')
  expect((await issue(['localhost'])).certificate).toContain('BEGIN CERTIFICATE')
})

test('a pair whose halves do not belong together is none', async () => {
  const pair = await authority.issueServer({ commonName: 'torn', names: ['localhost'] })
  const other = await authority.issueServer({ commonName: 'torn', names: ['localhost'] })
  await savePair(directory, 'torn', { certificate: pair.certificate, key: other.key })
  expect(await loadPair(directory, 'torn')).toBeUndefined()
  await savePair(directory, 'torn', pair)
  expect(await loadPair(directory, 'torn')).toEqual(pair)
})

test('an authority vouches for its successor, and is trusted beside it', async () => {
  const first = await loadOrCreateAuthority(directory, 'heir', parts)
  const second = await replaceAuthority(directory, 'heir', parts)
  const third = await replaceAuthority(directory, 'heir', parts)
  const certificatesIn = (pem: string) => pem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []
  expect(certificatesIn(third.bundle)).toEqual([third, second, first].map(({ certificate }) => certificate))
  const { certificate } = await third.issueServer({ commonName: 'server', names: ['localhost'] })
  const [leaf, ...chain] = certificatesIn(certificate).map((pem) => new X509Certificate(pem))
  const issuers = [...chain, new X509Certificate(first.certificate)]
  expect(chain).toHaveLength(2)
  for (const [index, issued] of [leaf, ...chain].entries())
    expect(issued?.verify(issuers[index]?.publicKey ?? new X509Certificate(third.certificate).publicKey)).toBe(true)
})
