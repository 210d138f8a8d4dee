/**
 * A certificate authority of the cluster: EC P-256, kept as PEM. Issues server and client certificates and signs
 * requests. The X.509 library is loaded with the first signature: reading needs none of its 17 MB.
 */

import { webcrypto, X509Certificate } from 'node:crypto'
import type { JsonGeneralNames, X509CertificateGenerator } from '@peculiar/x509'
import { assert } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import { isIp } from '../../base/ip.ts'
import type { Random } from '../../base/random.ts'

/** PEM both. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

export interface Subject {
  readonly commonName: string
  readonly organizations?: readonly string[] | undefined
}

export interface ServerNames extends Subject {
  /** DNS names and IP addresses. */
  readonly names: readonly string[]
}

export interface SigningRequest {
  /** PEM, PKCS#10. */
  readonly request: string
  readonly usages: readonly string[]
  /** Seconds; at most the authority's own end. Absent: a year. */
  readonly expirationSeconds?: number | undefined
}

export interface CertificateAuthority {
  /** PEM. */
  readonly certificate: string
  readonly key: string
  /** PEM: the authorities whose certificates are good, this one first. Those it took the place of come after it. */
  readonly bundle: string
  issueServer(names: ServerNames): Promise<KeyPair>
  issueClient(subject: Subject): Promise<KeyPair>
  /** Throws when the request is malformed or not signed by its own key. */
  sign(request: SigningRequest): Promise<string>
}

export interface AuthorityParts {
  readonly clock: Clock
  readonly random: Random
}

/** What is left of the authorities before this one. PEM both; empty where there was none. */
export interface Predecessors {
  readonly certificates: string
  /** This authority as the one before signed it: who trusts only that one trusts whoever shows it. */
  readonly chain: string
}

const DAY_MS = 86_400_000
const AUTHORITY_LIFETIME_MS = 3_650 * DAY_MS
const LEAF_LIFETIME_MS = 365 * DAY_MS
/** Certificates start this long before now: clocks of machines differ. */
const BACKDATE_MS = 5 * 60_000
const SERIAL_BYTES = 16

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** OIDs of extended key usages by their names in the certificates API. */
const EXTENDED_USAGES: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
}

/** Bits of the key usage extension by their names in the certificates API. */
const KEY_USAGES: Readonly<Record<string, number>> = {
  signing: 1,
  'digital signature': 1,
  'content commitment': 2,
  'key encipherment': 4,
  'data encipherment': 8,
  'key agreement': 16,
  'cert sign': 32,
  'crl sign': 64,
  'encipher only': 128,
  'decipher only': 256,
}

async function loadLibrary() {
  await import('reflect-metadata')
  const library = await import('@peculiar/x509')
  library.cryptoProvider.set(webcrypto as Crypto)
  return library
}

type CertificateParameters = Parameters<typeof X509CertificateGenerator.create>[0]

/** One O per relative name: several values in one would be a set that readers see as one. */
function nameOf({ commonName, organizations = [] }: Subject) {
  return [...organizations.map((organization) => ({ O: [organization] })), { CN: [commonName] }]
}

export async function createCertificateAuthority(
  commonName: string,
  parts: AuthorityParts,
): Promise<CertificateAuthority> {
  const x509 = await loadLibrary()
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const nowMs = parts.clock.now()
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(parts.random),
    subject: nameOf({ commonName }),
    issuer: nameOf({ commonName }),
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + AUTHORITY_LIFETIME_MS),
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: await authorityExtensions(keys.publicKey),
  })
  return restoreCertificateAuthority(
    { certificate: certificate.toString('pem'), key: await privateKeyPem(keys.privateKey) },
    parts,
  )
}

async function authorityExtensions(publicKey: webcrypto.CryptoKey) {
  const x509 = await loadLibrary()
  return [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
  ]
}

/** The certificate of an authority, signed by the one whose place it takes, until that one ends. */
export async function crossSigned(next: string, previous: KeyPair, { clock, random }: AuthorityParts): Promise<string> {
  const x509 = await loadLibrary()
  const [subject, issuer] = [new x509.X509Certificate(next), new x509.X509Certificate(previous.certificate)]
  const publicKey = await subject.publicKey.export()
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(random),
    subject: subject.subjectName,
    issuer: issuer.subjectName,
    notBefore: new Date(clock.now() - BACKDATE_MS),
    notAfter: issuer.notAfter,
    publicKey,
    signingKey: await importPrivateKey(previous.key),
    signingAlgorithm: ALGORITHM,
    extensions: [
      ...(await authorityExtensions(publicKey)),
      await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
    ],
  })
  return certificate.toString('pem')
}

/** The authority of a stored key pair. */
export function restoreCertificateAuthority(
  pair: KeyPair,
  parts: AuthorityParts,
  { certificates, chain }: Predecessors = { certificates: '', chain: '' },
): CertificateAuthority {
  const create = (parameters: LeafParameters) => createLeaf(pair, parameters, parts)
  return {
    ...pair,
    bundle: joinedPem(pair.certificate, certificates),
    async issueServer({ names, ...subject }) {
      const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
      const usages = ['digital signature', 'key encipherment', 'server auth']
      const certificate = await create({
        subject: nameOf(subject),
        publicKey: keys.publicKey,
        usages,
        names: names.map(hostName),
      })
      return { certificate: joinedPem(certificate, chain), key: await privateKeyPem(keys.privateKey) }
    },
    async issueClient(subject) {
      const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
      const usages = ['digital signature', 'key encipherment', 'client auth']
      const certificate = await create({ subject: nameOf(subject), publicKey: keys.publicKey, usages, names: [] })
      return { certificate: joinedPem(certificate, chain), key: await privateKeyPem(keys.privateKey) }
    },
    async sign({ request, usages, expirationSeconds }) {
      const x509 = await loadLibrary()
      const parsed = new x509.Pkcs10CertificateRequest(request)
      if (!(await parsed.verify())) throw new Error('the certificate request is not signed by its own key')
      const alternative = parsed.extensions.find(
        (extension) => extension instanceof x509.SubjectAlternativeNameExtension,
      )
      const names = (alternative?.names.items ?? []).filter(({ type }) => NAME_TYPES.has(type))
      const publicKey = await parsed.publicKey.export()
      return create({
        subject: parsed.subject,
        publicKey,
        usages,
        names: names.map(({ type, value }) => ({ type, value })),
        lifetimeMs: expirationSeconds === undefined ? undefined : expirationSeconds * 1_000,
      })
    },
  }
}

/** One after the other, each on lines of its own. */
export function joinedPem(...texts: readonly string[]): string {
  return texts
    .map((text) => text.trimEnd())
    .filter((text) => text !== '')
    .join('\n')
}

/** Kinds of alternative names that a signed certificate takes over from its request. */
const NAME_TYPES: ReadonlySet<string> = new Set(['dns', 'ip', 'email', 'url'])

function hostName(value: string) {
  return { type: isIp(value) ? ('ip' as const) : ('dns' as const), value }
}

interface LeafParameters {
  readonly subject: NonNullable<CertificateParameters['subject']>
  readonly publicKey: NonNullable<CertificateParameters['publicKey']>
  readonly usages: readonly string[]
  readonly names: JsonGeneralNames
  readonly lifetimeMs?: number | undefined
}

async function createLeaf(
  authority: KeyPair,
  leaf: LeafParameters,
  { clock, random }: AuthorityParts,
): Promise<string> {
  const x509 = await loadLibrary()
  const issuer = new x509.X509Certificate(authority.certificate)
  const nowMs = clock.now()
  const endMs = Math.min(nowMs + (leaf.lifetimeMs ?? LEAF_LIFETIME_MS), issuer.notAfter.getTime())
  const keyUsage = leaf.usages.reduce((flags, usage) => flags | (KEY_USAGES[usage] ?? 0), 0)
  // Two usages may be one: mail has two names.
  const extended = new Set(leaf.usages.map((usage) => EXTENDED_USAGES[usage]).filter((oid) => oid !== undefined))
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(random),
    subject: leaf.subject,
    issuer: issuer.subjectName,
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(endMs),
    publicKey: leaf.publicKey,
    signingKey: await importPrivateKey(authority.key),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      ...(keyUsage > 0 ? [new x509.KeyUsagesExtension(keyUsage, true)] : []),
      ...(extended.size > 0 ? [new x509.ExtendedKeyUsageExtension([...extended])] : []),
      await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
      ...(leaf.names.length > 0 ? [new x509.SubjectAlternativeNameExtension(leaf.names)] : []),
    ],
  })
  return certificate.toString('pem')
}

/** Whether less than a third of a certificate's life is left, or it cannot be read. */
export function needsRenewal(certificate: string, nowMs: number): boolean {
  try {
    const { validFrom, validTo } = new X509Certificate(certificate)
    const startMs = Date.parse(validFrom)
    const endMs = Date.parse(validTo)
    return endMs - nowMs < (endMs - startMs) / 3
  } catch {
    return true
  }
}

/** Positive, as RFC 5280 asks. Hexadecimal. */
function serialNumber(random: Random): string {
  const bytes = Buffer.from(random.bytes(SERIAL_BYTES))
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0)
  return bytes.toString('hex')
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const base64 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  const lines = base64.match(/.{1,64}/g) ?? []
  return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n')
}

async function importPrivateKey(pem: string): Promise<webcrypto.CryptoKey> {
  const match = /-----BEGIN PRIVATE KEY-----([\s\S]+?)-----END PRIVATE KEY-----/.exec(pem)
  assert(match?.[1] !== undefined, 'the key of an authority is PKCS#8 in PEM')
  return webcrypto.subtle.importKey('pkcs8', Buffer.from(match[1], 'base64'), ALGORITHM, false, ['sign'])
}
