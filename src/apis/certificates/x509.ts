/**
 * Certificates and requests for them, written and signed with EC P-256 keys. Names, keys and extensions are parts in
 * DER: those of a request or of another certificate are taken over as they stand there.
 */

import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { isIp, parseIp } from '../../base/ip.ts'
import { BIT_STRING, type DerValue, derValues, SEQUENCE } from './der.ts'
import {
  bitString,
  der,
  identifier,
  integer,
  namedBits,
  octetString,
  SET,
  sequence,
  TRUE,
  text,
  time,
} from './der-writer.ts'

export interface Subject {
  readonly commonName: string
  readonly organizations?: readonly string[] | undefined
}

/** One O per relative name: several values in one would be a set that readers see as one. */
export function nameOf({ commonName, organizations = [] }: Subject): Buffer {
  const relative = (type: string, value: string) => der(SET, sequence(identifier(type), text(value)))
  return sequence(...organizations.map((value) => relative('2.5.4.10', value)), relative('2.5.4.3', commonName))
}

const EMPTY = Buffer.alloc(0)
const DNS_NAME = 0x82
const IP_ADDRESS = 0x87

/** One of a certificate's alternative names: a DNS name or an address. */
export function hostName(value: string): Buffer {
  const address = isIp(value) ? parseIp(value) : undefined
  if (address === undefined) return der(DNS_NAME, Buffer.from(value, 'latin1'))
  const hex = address.value.toString(16).padStart(address.family === 4 ? 8 : 32, '0')
  return der(IP_ADDRESS, Buffer.from(hex, 'hex'))
}

function extension(type: string, value: Buffer, critical: boolean): Buffer {
  return sequence(identifier(type), critical ? TRUE : EMPTY, octetString(value))
}

export function basicConstraints(isAuthority: boolean): Buffer {
  return extension('2.5.29.19', sequence(isAuthority ? TRUE : EMPTY), true)
}

/** `flags`: the bits of RFC 5280, the first one lowest. */
export function keyUsage(flags: number): Buffer {
  return extension('2.5.29.15', namedBits(flags), true)
}

export function extendedKeyUsage(identifiers: readonly string[]): Buffer {
  return extension('2.5.29.37', sequence(...identifiers.map(identifier)), false)
}

export function alternativeNames(names: readonly Buffer[]): Buffer {
  return extension('2.5.29.17', sequence(...names), false)
}

export function subjectKeyIdentifier(publicKey: Buffer): Buffer {
  return extension('2.5.29.14', octetString(keyIdentifier(publicKey)), false)
}

export function authorityKeyIdentifier(publicKey: Buffer): Buffer {
  return extension('2.5.29.35', sequence(der(0x80, keyIdentifier(publicKey))), false)
}

/** As RFC 5280 suggests: SHA-1 of the key's bits. */
function keyIdentifier(publicKey: Buffer): Buffer {
  const bits = partsOf(derValues(publicKey)?.[0]).find(({ tag }) => tag === BIT_STRING)
  return createHash('sha1')
    .update(bits?.content.subarray(1) ?? EMPTY)
    .digest()
}

export interface CertificateParts {
  readonly serialNumber: Buffer
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly startMs: number
  readonly endMs: number
  readonly publicKey: Buffer
  readonly extensions: readonly Buffer[]
}

const VERSION_3 = der(0xa0, integer(Buffer.from([2])))
const ECDSA_WITH_SHA256 = sequence(identifier('1.2.840.10045.4.3.2'))

/** PEM. `key`: of the issuer, PEM. */
export function signedCertificate(parts: CertificateParts, key: string): string {
  const information = sequence(
    ...[VERSION_3, integer(parts.serialNumber), ECDSA_WITH_SHA256, parts.issuer],
    sequence(time(parts.startMs), time(parts.endMs)),
    ...[parts.subject, parts.publicKey, der(0xa3, sequence(...parts.extensions))],
  )
  return pem('CERTIFICATE', signed(information, createPrivateKey(key)))
}

/** A request for a certificate of this key: PEM. */
export function signedRequest(subject: Buffer, names: readonly Buffer[], { publicKey, key }: NewKey): string {
  const extensions = sequence(identifier('1.2.840.113549.1.9.14'), der(SET, sequence(alternativeNames(names))))
  const attributes = der(0xa0, names.length > 0 ? extensions : EMPTY)
  const information = sequence(integer(EMPTY), subject, publicKey, attributes)
  return pem('CERTIFICATE REQUEST', signed(information, createPrivateKey(key)))
}

function signed(information: Buffer, key: KeyObject): Buffer {
  return sequence(information, ECDSA_WITH_SHA256, bitString(sign('sha256', information, key)))
}

function pem(type: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${type}-----`, ...lines, `-----END ${type}-----`].join('\n')
}

export interface NewKey {
  /** DER. */
  readonly publicKey: Buffer
  /** PEM. */
  readonly key: string
}

export function newKey(): NewKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return { publicKey, key: privateKey }
}

export interface CertificateFacts {
  /** DER both. */
  readonly subject: Buffer
  readonly publicKey: Buffer
  readonly endMs: number
}

/** What another certificate takes over from this one (PEM). Throws when it is none. */
export function certificateFacts(certificate: string): CertificateFacts {
  const parsed = new X509Certificate(certificate)
  const [information] = partsOf(derValues(parsed.raw)?.[0])
  // Version, serial number, algorithm, issuer, validity, subject, key: every certificate with extensions has all.
  const [, , , , , subject, publicKey] = partsOf(information)
  if (!subject || !publicKey) throw new Error('the certificate has no version')
  return { subject: subject.whole, publicKey: publicKey.whole, endMs: Date.parse(parsed.validTo) }
}

function partsOf(value: DerValue | undefined): readonly DerValue[] {
  return value?.tag === SEQUENCE ? (derValues(value.content) ?? []) : []
}
