/** PKCS#10: whether what a client sent is a certificate request that is signed with its own key. */

import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { BIT_STRING, type DerValue, derValues, OBJECT_IDENTIFIER, objectIdentifier, SEQUENCE } from './der.ts'
import { pemBlocks } from './pem.ts'

const BLOCK_TYPE = 'CERTIFICATE REQUEST'
const MALFORMED = 'asn1: structure error: malformed certificate request'
const TRUNCATED = 'asn1: syntax error: sequence truncated'
const RSA_PSS = '1.2.840.113549.1.1.10'

interface Algorithm {
  readonly key: 'rsa' | 'ec' | 'ed25519'
  /** Absent: the algorithm knows. */
  readonly digest?: string
}

const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ['1.2.840.113549.1.1.5', { key: 'rsa', digest: 'sha1' }],
  ['1.2.840.113549.1.1.11', { key: 'rsa', digest: 'sha256' }],
  ['1.2.840.113549.1.1.12', { key: 'rsa', digest: 'sha384' }],
  ['1.2.840.113549.1.1.13', { key: 'rsa', digest: 'sha512' }],
  ['1.2.840.10045.4.1', { key: 'ec', digest: 'sha1' }],
  ['1.2.840.10045.4.3.2', { key: 'ec', digest: 'sha256' }],
  ['1.2.840.10045.4.3.3', { key: 'ec', digest: 'sha384' }],
  ['1.2.840.10045.4.3.4', { key: 'ec', digest: 'sha512' }],
  ['1.3.101.112', { key: 'ed25519' }],
])

/** Digests by the identifiers that stand in the parameters of RSA-PSS, as DER in hexadecimal. */
const PSS_DIGESTS: readonly (readonly [identifier: string, digest: string])[] = [
  ['0609608648016503040201', 'sha256'],
  ['0609608648016503040202', 'sha384'],
  ['0609608648016503040203', 'sha512'],
]

const FAILURES = {
  rsa: 'crypto/rsa: verification error',
  ec: 'x509: ECDSA verification failure',
  ed25519: 'x509: Ed25519 verification failure',
} as const

/** What is wrong with a request (PEM); undefined when its signature holds. */
export function signingRequestFinding(pem: string): string | undefined {
  const [block] = pemBlocks(pem)
  if (block?.type !== BLOCK_TYPE) return `PEM block type must be ${BLOCK_TYPE}`
  const outer = derValues(block.bytes)
  if (!outer || outer.length === 0) return TRUNCATED
  const [request, ...trailing] = outer
  const [information, algorithm, signature] = partsOf(request)
  if (trailing.length > 0 || !information || !algorithm || signature?.tag !== BIT_STRING) return MALFORMED
  const key = publicKeyOf(information)
  if (!key) return MALFORMED
  return signatureFinding({ key, algorithm, signed: information.whole, signature: signature.content.subarray(1) })
}

interface Signed {
  readonly key: KeyObject
  readonly algorithm: DerValue
  readonly signed: Buffer
  readonly signature: Buffer
}

function signatureFinding({ key, algorithm, signed, signature }: Signed): string | undefined {
  const [identifier] = partsOf(algorithm)
  if (identifier?.tag !== OBJECT_IDENTIFIER) return MALFORMED
  const oid = objectIdentifier(identifier.content)
  const isPss = oid === RSA_PSS
  const known = isPss ? pssAlgorithm(algorithm) : ALGORITHMS.get(oid)
  if (!known) return 'x509: cannot verify signature: algorithm unimplemented'
  if (key.asymmetricKeyType !== known.key)
    return `x509: signature algorithm does not go with a public key of type ${key.asymmetricKeyType}`
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  return holds(() => verify(known.digest, signed, { key, ...(isPss ? padding : {}) }, signature))
    ? undefined
    : FAILURES[known.key]
}

/** A key that the library refuses to compute with, such as one of a megabyte, verifies nothing. */
function holds(check: () => boolean): boolean {
  try {
    return check()
  } catch {
    return false
  }
}

function pssAlgorithm(algorithm: DerValue): Algorithm | undefined {
  const parameters = algorithm.content.toString('hex')
  const digest = PSS_DIGESTS.find(([identifier]) => parameters.includes(identifier))?.[1]
  return digest === undefined ? undefined : { key: 'rsa', digest }
}

/** The information is the version, the subject, the key and the attributes. */
function publicKeyOf(information: DerValue): KeyObject | undefined {
  const [, , key] = partsOf(information)
  if (key?.tag !== SEQUENCE) return undefined
  try {
    return createPublicKey({ key: key.whole, format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

function partsOf(value: DerValue | undefined): readonly DerValue[] {
  return value?.tag === SEQUENCE ? (derValues(value.content) ?? []) : []
}
