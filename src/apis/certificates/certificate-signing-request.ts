/**
 * CertificateSigningRequests: who asks for a certificate, whether that is approved, and the certificate. Who asks is
 * whoever creates the request; the request itself never changes.
 */

import { humanDuration } from '../../machinery/meta/time.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, NONE, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import type { WriteContext } from '../definition.ts'
import { keepSpec, keepStatus, withoutStatus } from '../strategy-parts.ts'
import { withConditionTimes, withKeptVerdicts } from './request-conditions.ts'
import { approvalErrors, requestErrors, statusErrors } from './request-rules.ts'
import type { CertificateSigningRequest } from './types.gen.ts'

export const certificateSigningRequests = defineResource<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  resource: 'certificatesigningrequests',
  shortNames: ['csr'],
  scope: 'Cluster',
  schema: builtinSchema('certificates.v1.CertificateSigningRequest'),
  nameRule: () => [],
  prepareForCreate: (object, context) => withRequester(withoutStatus(object), context),
  prepareForUpdate: (object, previous) => keepStatus(keepSpec(object, previous), previous),
  validate: requestErrors,
  // Nothing but metadata changes here, so what is there need not be judged again.
  ratchets: true,
  status: {
    prepareForUpdate: (object, previous, context) =>
      withConditionTimes(withKeptVerdicts(keepSpec(object, previous), previous), previous, context.nowMs),
    validateUpdate: statusErrors,
  },
  subresources: ['approval'],
  parts: { approval: { prepareForUpdate: onlyConditions, validateUpdate: approvalErrors } },
  resetFields: {
    '': [['spec'], ['status']],
    status: [['spec'], ['status', 'conditions']],
    approval: [['spec'], ['status', 'certificate']],
  },
  columns: [
    nameColumn,
    ageColumn,
    textColumn('SignerName', ({ spec }: CertificateSigningRequest) => spec?.signerName || NONE),
    textColumn('Requestor', ({ spec }: CertificateSigningRequest) => spec?.username ?? ''),
    textColumn('RequestedDuration', ({ spec }: CertificateSigningRequest) =>
      spec?.expirationSeconds === undefined ? NONE : humanDuration(spec.expirationSeconds * 1000),
    ),
    textColumn('Condition', conditionText),
  ],
  fields: ({ spec }) => ({ 'spec.signerName': spec?.signerName ?? '' }),
  fieldLabels: ['metadata.name', 'spec.signerName'],
})

function withRequester(
  object: CertificateSigningRequest,
  { user }: Pick<WriteContext, 'user'>,
): CertificateSigningRequest {
  const { username: _, uid: __, groups: ___, extra: ____, ...spec } = object.spec ?? {}
  const { name, uid, groups, extra } = user
  return { ...object, spec: { ...spec, username: name, uid, groups, extra } }
}

function onlyConditions(
  object: CertificateSigningRequest,
  previous: CertificateSigningRequest,
  { nowMs }: WriteContext,
): CertificateSigningRequest {
  const conditions = withConditionTimes(object, previous, nowMs).status?.conditions
  return { ...keepSpec(object, previous), status: { ...previous.status, conditions } }
}

/** A denial outranks an approval; both may have failed or been issued since. */
function conditionText({ status }: CertificateSigningRequest): string {
  const has = (wanted: string): boolean => (status?.conditions ?? []).some(({ type }) => type === wanted)
  const verdict = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'
  return [verdict, has('Failed') ? 'Failed' : '', status?.certificate ? 'Issued' : ''].filter(Boolean).join(',')
}
