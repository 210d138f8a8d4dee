import { describe, expect, test } from 'vitest'
import { findings, NOW_MS, row, statusFindings, writeContext } from '../../../test/support/findings.ts'
import { minimalObject } from '../../../test/support/minimal-objects.ts'
import type { UpdateStrategy } from '../definition.ts'
import { certificateSigningRequests as requests } from './certificate-signing-request.ts'
import type { CertificateSigningRequest, CertificateSigningRequestStatus } from './types.gen.ts'

// Rows and messages: upstream's validation and strategy tests. The requests were made with openssl.

const RSA = `-----BEGIN CERTIFICATE REQUEST-----
MIIBbjCB2AIBADAvMRUwEwYDVQQKDAxzeXN0ZW06bm9kZXMxFjAUBgNVBAMMDXN5
c3RlbTpub2RlOmEwgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGBAKR0kKGVb8Qy
W3tmJ1eq7rKfLQijglXSpb6iLRVp92KEcXPP1KG48uTB4gB674hPdcEwxwcg8BKi
PELElnsljunNHocKZuVPYXLIHCzLiRRjjekxpL02wdmKIiCff3b7nXovSj0c1LyQ
O7wAkfyDSFTyBNDaD92tMHsOARWDNMoxAgMBAAGgADANBgkqhkiG9w0BAQsFAAOB
gQAWypSLLrrnBMQWy8EmVLV/I4G/g9ye1/zdQ4S6QwSXtrZOnib5f9EQlE8piYmk
E0pQ5YYuRyuvoOQ3gQgUbNuAWA1BJIHtWc9dbdZnR0FLDEplQtfoiYxzkH4UGOQi
z/p8lAcrbG56mNLE5/ecMo6e2SgS6Is9Mj0AAC7AhmVdtQ==
-----END CERTIFICATE REQUEST-----`
const ED25519 = `-----BEGIN CERTIFICATE REQUEST-----
MIGuMGICAQAwLzEVMBMGA1UECgwMc3lzdGVtOm5vZGVzMRYwFAYDVQQDDA1zeXN0
ZW06bm9kZTphMCowBQYDK2VwAyEA7JdzLPlPUiW+Moag8N98dnWOtfDQG+2EN6Tq
zipx2FOgADAFBgMrZXADQQBz43RvlnlQ6yFm6hloHO5N4WMfi8WGkUuNplMs6fGy
DvDzTHJtungSu+/GVxY97wzMs13Ox5SXF+71VbfI5VsJ
-----END CERTIFICATE REQUEST-----`
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBLjCB4aADAgECAhQQ5qP5qEXJ1rkyh6Ecr4o8BRDNZzAFBgMrZXAwDDEKMAgG
A1UEAwwBYTAgFw0yNjExMjEwNjA1MzhaGA8yMTI2MTAyODA2MDUzOFowDDEKMAgG
A1UEAwwBYTAqMAUGAytlcAMhANAjjfcR1k/of/CwtNccTZ1kYnECZGZMcXW+jp2P
z6THo1MwUTAdBgNVHQ4EFgQU57GGHc9r2qE3rjVXqH/fJRT4mrAwHwYDVR0jBBgw
FoAU57GGHc9r2qE3rjVXqH/fJRT4mrAwDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXAD
QQCii50PjgAalEesK1RFzGDnIH6rrIWYM4L7lO2uLl4gAHziRTSZVv1oIVY2tHxI
4ddTeVgXOj3rCR+vgEqzuL0M
-----END CERTIFICATE-----
`

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const minimal = minimalObject(requests)
const spec = minimal.spec as CertificateSigningRequest['spec']
const request = (own: object = {}) => ({ metadata: { name: 'a' }, spec: { ...spec, ...own } })
const withStatus = (status: CertificateSigningRequestStatus = {}) => ({ ...request(), status })
const condition = (type: string, status = 'True') => ({ type, status })
const withoutType = (line: string): string => line.slice(line.indexOf(' ') + 1)
/** Another signature's byte, another key. */
const flip = (pem: string) =>
  pem.replace(/(..)(==|=)?\n-----END/, (_, two, pad = '') => `${two === 'AA' ? 'AB' : 'AA'}${pad}\n-----END`)

describe('certificate requests', () => {
  for (const [what, pem] of [
    ['RSA', RSA],
    ['Ed25519', ED25519],
    ['text around it', `Subject: a\n${RSA}\nbye`],
  ] as const) {
    test(`are taken with ${what}`, () => expect(findings(requests, request({ request: base64(pem) }))).toEqual([]))
  }

  for (const [own, ...expected] of [
    [{ request: '' }, 'spec.request: Invalid value: "": PEM block type must be CERTIFICATE REQUEST'],
    [{ usages: [] }, 'spec.usages: Required value'],
    [{ usages: ['signing', 'signing'] }, 'spec.usages[1]: Duplicate value: "signing"'],
    [{ signerName: '' }, 'spec.signerName: Required value'],
    [
      { signerName: 'kubernetes.io/legacy-unknown' },
      'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": ' +
        'the legacy signerName is not allowed via this API version',
    ],
    [
      { signerName: 'abc' },
      'spec.signerName: Invalid value: "abc": ' +
        "must be a fully qualified domain and path of the form 'example.com/signer-name'",
    ],
    [
      { signerName: 'example/signer' },
      'spec.signerName: Invalid value: "example": should be a domain with at least two segments separated by dots',
    ],
    [
      { signerName: `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}/a` },
      'spec.signerName: Too long: may not be more than 253 bytes',
    ],
    [
      { expirationSeconds: 599 },
      'spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)',
    ],
  ] as const) {
    test(`are refused: ${expected[0]}`, () =>
      expect(findings(requests, request(own)).map(withoutType)).toEqual(expected))
  }

  for (const [what, pem, finding] of [
    ['with another signature', flip(RSA), 'crypto/rsa: verification error'],
    ['with another signature', flip(ED25519), 'x509: Ed25519 verification failure'],
    ['of another type', CERTIFICATE, 'PEM block type must be CERTIFICATE REQUEST'],
    [
      'of nothing',
      '-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----',
      'asn1: syntax error: sequence truncated',
    ],
    ['cut off', RSA.replace(/\n(.*\n){3}-----END/, '\n-----END'), 'asn1: syntax error: sequence truncated'],
    [
      'of something else',
      CERTIFICATE.replaceAll('CERTIFICATE', 'CERTIFICATE REQUEST'),
      'asn1: structure error: malformed certificate request',
    ],
  ] as const) {
    test(`${what} are refused: ${finding}`, () => {
      const encoded = base64(pem)
      expect(findings(requests, request({ request: encoded })).map(withoutType)).toEqual([
        `spec.request: Invalid value: "${encoded}": ${finding}`,
      ])
    })
  }

  test('are those of whoever sends them', () => {
    const user = { name: 'jane', uid: '7', groups: ['a'], extra: { scope: ['x'] } }
    const sent = request({ username: 'root', groups: ['system:masters'], extra: { y: ['z'] } })
    const created = requests.prepareForCreate(sent, { user, nowMs: NOW_MS })
    expect(created.spec).toEqual({ ...spec, username: 'jane', uid: '7', groups: ['a'], extra: { scope: ['x'] } })
    const updated = requests.prepareForUpdate(withStatus({ certificate: 'x' }), created, writeContext)
    expect(updated).toEqual(created)
  })

  test('survive long texts that look like PEM', () => {
    const text = '-----BEGIN CERTIFICATE REQUEST-----\n'.repeat(20_000)
    expect(findings(requests, request({ request: base64(text) }))).toHaveLength(1)
  })
})

const rules = requests.parts?.approval
const answers = (part: UpdateStrategy<CertificateSigningRequest> | undefined, now: object, before: object = {}) => {
  const previous = withStatus(before)
  const prepared = part?.prepareForUpdate(withStatus(now), previous, writeContext)
  return prepared ? statusFindings(part as UpdateStrategy, { ...prepared }, previous).map(withoutType) : []
}

describe('an approval', () => {
  test('only sets conditions, and when they came to be', () => {
    const previous = withStatus({ certificate: 'x', conditions: [] })
    const sent = withStatus({ certificate: 'y', conditions: [condition('Approved')] })
    expect(rules?.prepareForUpdate(sent, previous, writeContext).status).toEqual({
      certificate: 'x',
      conditions: [
        {
          type: 'Approved',
          status: 'True',
          lastUpdateTime: '2026-01-01T00:00:00Z',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    })
  })

  for (const [now, before, ...expected] of [
    [[condition('Approved')], []],
    [[condition('Custom', 'False')], []],
    [
      [condition('Approved', 'False')],
      [],
      'status.conditions[0].status: Unsupported value: "False": supported values: "True"',
    ],
    [[condition('', 'True')], [], 'status.conditions[0].type: Required value'],
    [[condition('Custom', '')], [], 'status.conditions[0].status: Required value'],
    [
      [condition('Approved'), condition('Denied')],
      [],
      'status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
    ],
    [[condition('Custom'), condition('Custom')], [], 'status.conditions[1].type: Duplicate value: "Custom"'],
    [
      [],
      [condition('Approved')],
      'status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
    ],
  ] as const) {
    test(`from ${JSON.stringify(before)} to ${JSON.stringify(now)}`, () => {
      expect(answers(rules, { conditions: now }, { conditions: before })).toEqual(expected)
    })
  }
})

describe('a status', () => {
  const certificate = base64(CERTIFICATE)
  for (const [what, now, before, ...expected] of [
    ['sets a certificate', { certificate }, {}],
    ['sets several', { certificate: base64(CERTIFICATE + CERTIFICATE) }, {}],
    ['keeps what it does not like', { certificate: 'AAAA' }, { certificate: 'AAAA' }],
    ['adds a failure', { conditions: [condition('Failed')] }, {}],
    [
      'is refused another certificate',
      { certificate },
      { certificate: base64(CERTIFICATE + CERTIFICATE) },
      'status.certificate: Forbidden: updates may not modify existing certificate content',
    ],
    [
      'is refused text',
      { certificate: base64('hello') },
      {},
      'status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block',
    ],
    [
      'is refused other blocks',
      { certificate: base64(RSA) },
      {},
      'status.certificate: Invalid value: "<certificate data>": ' +
        'only CERTIFICATE PEM blocks are allowed, found "CERTIFICATE REQUEST"',
    ],
    [
      'is refused headers',
      { certificate: base64(CERTIFICATE.replace('-----\n', '-----\nA: b\n\n')) },
      {},
      'status.certificate: Invalid value: "<certificate data>": no PEM block headers are permitted',
    ],
    [
      'is refused a verdict',
      { conditions: [condition('Approved')] },
      {},
      'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
    ],
  ] as const) {
    test(what, () => expect(answers(requests.status, now, before)).toEqual(expected))
  }

  test('does not change verdicts', () => {
    const times = { lastUpdateTime: '2025-01-01T00:00:00Z', lastTransitionTime: '2025-01-01T00:00:00Z' }
    const approved = { ...condition('Approved'), reason: 'Known', ...times }
    const sent = withStatus({ conditions: [condition('Failed'), { ...approved, reason: 'Changed' }] })
    const now = { lastUpdateTime: '2026-01-01T00:00:00Z', lastTransitionTime: '2026-01-01T00:00:00Z' }
    const prepared = requests.status?.prepareForUpdate(sent, withStatus({ conditions: [approved] }), writeContext)
    expect(prepared?.status?.conditions).toEqual([{ ...condition('Failed'), ...now }, approved])
  })
})

test('a request shows what has become of it', () => {
  const conditions = [condition('Approved'), condition('Failed')]
  const object = { ...request({ username: 'jane', expirationSeconds: 3600 }), status: { conditions, certificate: 'x' } }
  expect(row(requests, object)).toMatchObject({
    SignerName: 'example.com/signer',
    Requestor: 'jane',
    RequestedDuration: '60m',
    Condition: 'Approved,Failed,Issued',
  })
  expect(row(requests, request())).toMatchObject({ RequestedDuration: '<none>', Condition: 'Pending' })
})
