/** How far a certificate request has come. */

import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from '../../apis/certificates/types.gen.ts'

export function condition(
  { status }: CertificateSigningRequest,
  type: 'Approved' | 'Denied' | 'Failed',
): CertificateSigningRequestCondition | undefined {
  return status?.conditions?.find((one) => one.type === type)
}

/** A denial outranks an approval. */
export function isApproved(request: CertificateSigningRequest): boolean {
  return condition(request, 'Approved') !== undefined && condition(request, 'Denied') === undefined
}

export function isIssued({ status }: CertificateSigningRequest): boolean {
  return Boolean(status?.certificate)
}

export function withCondition(
  request: CertificateSigningRequest,
  added: CertificateSigningRequestCondition,
): CertificateSigningRequest {
  const { status } = request
  return { ...request, status: { ...status, conditions: [...(status?.conditions ?? []), added] } }
}
