/** A certificate authority of the cluster: EC P-256, kept as PEM. Issues certificates and signs requests. */

import { X509Certificate } from 'node:crypto'
import { type RequestParts, requestParts } from '../../apis/certificates/request-contents.ts'
import { signingRequestFinding } from '../../apis/certificates/signing-request.ts'
import {
  alternativeNames,
  authorityKeyIdentifier,
  basicConstraints,
  certificateFacts,
  extendedKeyUsage,
  hostName,
  keyUsage,
  nameOf,
  newKey,
  type Subject,
  signedCertificate,
  subjectKeyIdentifier,
} from '../../apis/certificates/x509.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'

/** PEM both. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
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

/** Bits of the key usage extension by their names in the certificates API, the first bit lowest. */
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

const AUTHORITY_USAGES = 1 | 32

export async function createCertificateAuthority(
  commonName: string,
  parts: AuthorityParts,
): Promise<CertificateAuthority> {
  const { publicKey, key } = newKey()
  const name = nameOf({ commonName })
  const nowMs = parts.clock.now()
  const certificate = signedCertificate(
    {
      ...{ serialNumber: serialNumber(parts.random), subject: name, issuer: name, publicKey },
      ...{ startMs: nowMs - BACKDATE_MS, endMs: nowMs + AUTHORITY_LIFETIME_MS },
      extensions: authorityExtensions(publicKey),
    },
    key,
  )
  return restoreCertificateAuthority({ certificate, key }, parts)
}

function authorityExtensions(publicKey: Buffer): readonly Buffer[] {
  return [basicConstraints(true), keyUsage(AUTHORITY_USAGES), subjectKeyIdentifier(publicKey)]
}

/** The certificate of an authority, signed by the one whose place it takes, until that one ends. */
export function crossSigned(next: string, previous: KeyPair, { clock, random }: AuthorityParts): string {
  const { subject, publicKey } = certificateFacts(next)
  const issuer = certificateFacts(previous.certificate)
  return signedCertificate(
    {
      ...{ serialNumber: serialNumber(random), subject, issuer: issuer.subject, publicKey },
      ...{ startMs: clock.now() - BACKDATE_MS, endMs: issuer.endMs },
      extensions: [...authorityExtensions(publicKey), authorityKeyIdentifier(issuer.publicKey)],
    },
    previous.key,
  )
}

/** The authority of a stored key pair. */
export function restoreCertificateAuthority(
  pair: KeyPair,
  parts: AuthorityParts,
  { certificates, chain }: Predecessors = { certificates: '', chain: '' },
): CertificateAuthority {
  const issue = (subject: Subject, usage: string, names: readonly string[]): KeyPair => {
    const { publicKey, key } = newKey()
    const usages = ['digital signature', 'key encipherment', usage]
    const leaf = { subject: nameOf(subject), publicKey, usages, names: names.map(hostName) }
    return { certificate: joinedPem(createLeaf(pair, leaf, parts), chain), key }
  }
  return {
    ...pair,
    bundle: joinedPem(pair.certificate, certificates),
    issueServer: async ({ names, ...subject }) => issue(subject, 'server auth', names),
    issueClient: async (subject) => issue(subject, 'client auth', []),
    async sign({ request, usages, expirationSeconds }) {
      const finding = signingRequestFinding(request)
      const requested = requestParts(request)
      if (finding !== undefined || requested === undefined) throw new Error(finding ?? 'the request has no subject')
      const lifetimeMs = expirationSeconds === undefined ? undefined : expirationSeconds * 1_000
      return createLeaf(pair, { ...requested, usages, lifetimeMs }, parts)
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

interface LeafParameters extends RequestParts {
  readonly usages: readonly string[]
  readonly lifetimeMs?: number | undefined
}

function createLeaf(authority: KeyPair, leaf: LeafParameters, { clock, random }: AuthorityParts): string {
  const { subject, publicKey, usages, names, lifetimeMs = LEAF_LIFETIME_MS } = leaf
  const issuer = certificateFacts(authority.certificate)
  const nowMs = clock.now()
  const flags = usages.reduce((all, usage) => all | (KEY_USAGES[usage] ?? 0), 0)
  // Two usages may be one: mail has two names.
  const extended = new Set(usages.map((usage) => EXTENDED_USAGES[usage]).filter((oid) => oid !== undefined))
  return signedCertificate(
    {
      ...{ serialNumber: serialNumber(random), subject, issuer: issuer.subject, publicKey },
      ...{ startMs: nowMs - BACKDATE_MS, endMs: Math.min(nowMs + lifetimeMs, issuer.endMs) },
      extensions: [
        basicConstraints(false),
        ...(flags > 0 ? [keyUsage(flags)] : []),
        ...(extended.size > 0 ? [extendedKeyUsage([...extended])] : []),
        authorityKeyIdentifier(issuer.publicKey),
        ...(names.length > 0 ? [alternativeNames(names)] : []),
      ],
    },
    authority.key,
  )
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

/** Positive, as RFC 5280 asks. */
function serialNumber(random: Random): Buffer {
  const bytes = Buffer.from(random.bytes(SERIAL_BYTES))
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0)
  return bytes
}
