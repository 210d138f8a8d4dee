/** The rules of certificate requests. What is wrong with a stored one already does not stop its updates. */

import { X509Certificate } from 'node:crypto'
import {
  duplicate,
  type FieldError,
  FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { pemBlocks } from './pem.ts'
import { conditionsOf, VERDICTS } from './request-conditions.ts'
import { signerNameErrors } from './signer-name.ts'
import { signingRequestFinding } from './signing-request.ts'
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from './types.gen.ts'

const EXPIRATION_SECONDS_MIN = 600
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown'
const CERTIFICATE_TYPE = 'CERTIFICATE'
const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]
/** Conditions that are true or not there, and never go away. */
const FINAL = ['Approved', 'Denied', 'Failed']
const STATUSES = ['False', 'True', 'Unknown']

const specPath = new FieldPath('spec')
const conditionsPath = new FieldPath('status.conditions')
const certificatePath = new FieldPath('status.certificate')

export function requestErrors(object: CertificateSigningRequest): readonly FieldError[] {
  const { request, usages = [], signerName = '', expirationSeconds } = object.spec ?? {}
  const finding = signingRequestFinding(fromBase64(request ?? ''))
  const usagesPath = specPath.child('usages')
  const signerPath = specPath.child('signerName')
  return [
    ...(finding === undefined ? [] : [invalidValue(specPath.child('request'), request, finding)]),
    ...(usages.length === 0 ? [required(usagesPath)] : []),
    ...usages.flatMap((usage, index) =>
      USAGES.includes(usage) ? [] : [notSupported(usagesPath.index(index), usage, USAGES)],
    ),
    ...usages.flatMap((usage, index) =>
      usages.indexOf(usage) < index ? [duplicate(usagesPath.index(index), usage)] : [],
    ),
    ...(signerName === LEGACY_SIGNER
      ? [invalidValue(signerPath, signerName, 'the legacy signerName is not allowed via this API version')]
      : signerNameErrors(signerPath, signerName)),
    ...expirationErrors(expirationSeconds),
  ]
}

function expirationErrors(seconds: number | undefined): readonly FieldError[] {
  if (seconds === undefined || seconds >= EXPIRATION_SECONDS_MIN) return []
  const detail = 'may not specify a duration less than 600 seconds (10 minutes)'
  return [invalidValue(specPath.child('expirationSeconds'), seconds, detail)]
}

/** Signers set the certificate, once, and conditions other than verdicts. */
export function statusErrors(
  object: CertificateSigningRequest,
  previous: CertificateSigningRequest,
): readonly FieldError[] {
  const errors = [...conditionErrors(object, previous), ...certificateErrors(object, previous)]
  for (const type of VERDICTS) {
    if (conditionsOf(object, type).length > conditionsOf(previous, type).length)
      errors.push(forbidden(conditionsPath, `updates may not add a condition of type "${type}"`))
  }
  const before = previous.status?.certificate
  if (before && object.status?.certificate !== before)
    errors.push(forbidden(certificatePath, 'updates may not modify existing certificate content'))
  return errors
}

export function approvalErrors(
  object: CertificateSigningRequest,
  previous: CertificateSigningRequest,
): readonly FieldError[] {
  return conditionErrors(object, previous)
}

function conditionErrors(
  object: CertificateSigningRequest,
  previous: CertificateSigningRequest,
): readonly FieldError[] {
  const conditions = object.status?.conditions ?? []
  const before = previous.status?.conditions ?? []
  const emptyIsOld = before.some(({ type }) => !type)
  const duplicatesAreOld = repeatedTypes(before).length > 0
  return [
    ...conditions.flatMap((condition, index) => [
      ...(condition.type || emptyIsOld ? [] : [required(conditionsPath.index(index).child('type'))]),
      ...conditionStatusErrors(condition, conditionsPath.index(index).child('status')),
    ]),
    ...contradictionErrors(conditions, before),
    ...(duplicatesAreOld ? [] : repeatedTypes(conditions)).map(([index, type]) =>
      duplicate(conditionsPath.index(index).child('type'), type),
    ),
    ...FINAL.flatMap((type) =>
      conditionsOf(object, type).length < conditionsOf(previous, type).length
        ? [forbidden(conditionsPath, `updates may not remove a condition of type "${type}"`)]
        : [],
    ),
  ]
}

function conditionStatusErrors(
  { type, status }: CertificateSigningRequestCondition,
  path: FieldPath,
): readonly FieldError[] {
  const choices = FINAL.includes(type) ? ['True'] : STATUSES
  if (!status) return [required(path)]
  return choices.includes(status) ? [] : [notSupported(path, status, choices)]
}

function contradictionErrors(
  conditions: readonly CertificateSigningRequestCondition[],
  before: readonly CertificateSigningRequestCondition[],
): readonly FieldError[] {
  const verdicts = (list: readonly CertificateSigningRequestCondition[]) =>
    list.map(({ type }) => type).filter((type) => type === 'Approved' || type === 'Denied')
  if (new Set(verdicts(before)).size === VERDICTS.length) return []
  const types = verdicts(conditions)
  return types.flatMap((type, index) =>
    types.slice(0, index).some((earlier) => earlier !== type)
      ? [invalidValue(conditionsPath, type, 'Approved and Denied conditions are mutually exclusive')]
      : [],
  )
}

function repeatedTypes(
  conditions: readonly CertificateSigningRequestCondition[],
): readonly (readonly [number, string])[] {
  const types = conditions.map(({ type }) => type)
  return types.flatMap((type, index) => (types.indexOf(type) < index ? [[index, type] as const] : []))
}

function certificateErrors(
  object: CertificateSigningRequest,
  previous: CertificateSigningRequest,
): readonly FieldError[] {
  const [now, before] = [object.status?.certificate ?? '', previous.status?.certificate ?? '']
  if (now === before || certificateFinding(before) !== undefined) return []
  const finding = certificateFinding(now)
  return finding === undefined ? [] : [invalidValue(certificatePath, '<certificate data>', finding)]
}

/** What is wrong with a chain of certificates: PEM in base64. */
function certificateFinding(encoded: string): string | undefined {
  if (encoded === '') return undefined
  const blocks = pemBlocks(fromBase64(encoded))
  for (const { type, hasHeaders, bytes } of blocks) {
    if (type !== CERTIFICATE_TYPE) return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`
    if (hasHeaders) return 'no PEM block headers are permitted'
    if (bytes.length === 0) return 'found CERTIFICATE PEM block containing 0 certificates'
    if (!isCertificate(bytes)) return 'x509: malformed certificate'
  }
  return blocks.length === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined
}

function isCertificate(bytes: Buffer): boolean {
  try {
    return new X509Certificate(bytes).serialNumber !== ''
  } catch {
    return false
  }
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('latin1')
}
