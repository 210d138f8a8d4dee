import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
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
  signedCertificate,
  signedRequest,
  subjectKeyIdentifier,
} from './x509.ts'

function openssl(parameters: readonly string[], input: string): string {
  return execFileSync('openssl', parameters, { input, stdio: ['pipe', 'pipe', 'pipe'] }).toString()
}

const pair = newKey()
const subject = nameOf({ commonName: 'Zoë', organizations: ['b', 'a'] })

function certificate(extensions: readonly Buffer[], endMs = Date.parse('2049-12-31T23:59:59Z')): string {
  const serialNumber = Buffer.from('00ff01', 'hex')
  const startMs = Date.parse('2026-01-02T03:04:05.678Z')
  const parts = { serialNumber, issuer: subject, subject, startMs, endMs, publicKey: pair.publicKey, extensions }
  return signedCertificate(parts, pair.key)
}

test('openssl reads what is written, to the last extension', () => {
  const names = ['host.example', '10.0.0.1', 'fd00::1'].map(hostName)
  const text = openssl(
    ['x509', '-noout', '-text', '-nameopt', 'utf8,sep_comma_plus'],
    certificate([
      basicConstraints(true),
      keyUsage(1 | 32 | 256),
      extendedKeyUsage(['1.3.6.1.5.5.7.3.1', '1.3.6.1.4.1.311.10.3.3']),
      subjectKeyIdentifier(pair.publicKey),
      authorityKeyIdentifier(pair.publicKey),
      alternativeNames(names),
    ]),
  )
  expect(text).toContain('Serial Number: 65281')
  expect(text).toContain('Subject: O=b,O=a,CN=Zoë')
  expect(text).toContain('Not Before: Jan  2 03:04:05 2026 GMT')
  expect(text).toContain('Not After : Dec 31 23:59:59 2049 GMT')
  expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE/)
  expect(text).toMatch(/Key Usage: critical\s+Digital Signature, Certificate Sign, Decipher Only/)
  expect(text).toMatch(/TLS Web Server Authentication, Microsoft Server Gated Crypto/)
  expect(text).toMatch(/DNS:host.example, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1/)
  const [own, issuer] = [...text.matchAll(/Key Identifier:\s*([0-9A-F:]+)/g)].map((match) => match[1])
  expect(own).toBe(issuer)
})

test('years from 2050 on are written in full', () => {
  const endMs = Date.parse('2050-01-01T00:00:00Z')
  const written = certificate([basicConstraints(false)], endMs)
  expect(certificateFacts(written)).toEqual({ subject, publicKey: pair.publicKey, endMs })
  expect(openssl(['x509', '-noout', '-enddate'], written)).toContain('Jan  1 00:00:00 2050 GMT')
})

test('many names make lengths of several bytes', () => {
  const names = Array.from({ length: 3_000 }, (_, index) => `host-${index}.example`)
  const parsed = new X509Certificate(certificate([alternativeNames(names.map(hostName))]))
  expect(parsed.checkHost('host-2999.example')).toBe('host-2999.example')
  expect(parsed.verify(parsed.publicKey)).toBe(true)
})

test('a request is signed with its key, with and without names', () => {
  for (const names of [[], ['n1', '10.0.0.7']]) {
    const request = signedRequest(subject, names.map(hostName), pair)
    expect(openssl(['req', '-noout', '-verify', '-text'], request)).toContain('Version: 1 (0x0)')
  }
})
