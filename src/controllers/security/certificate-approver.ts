/**
 * certificatesigningrequest-approving-controller: approves what kubelets ask for their client certificates, when whoever
 * asks has the right to: to get the first one, or to renew one's own.
 */

import { subjectAccessReviews } from '../../apis/authorization/subject-access-review.ts'
import { certificateSigningRequests } from '../../apis/certificates/certificate-signing-request.ts'
import { KUBELET_CLIENT_SIGNER, kubeletClientFinding } from '../../apis/certificates/node-requests.ts'
import { parseSigningRequest } from '../../apis/certificates/request-contents.ts'
import type { CertificateSigningRequest } from '../../apis/certificates/types.gen.ts'
import type { ControllerParts } from '../runtime/controller.ts'
import { keyedLoop } from '../runtime/keyed-loop.ts'
import { condition, isIssued, withCondition } from './certificate-verdicts.ts'

const WORKERS = 5

/** A right that approves a request, and what the approval says. */
interface Approval {
  readonly subresource: 'selfnodeclient' | 'nodeclient'
  readonly message: string
}

const SELF: Approval = {
  subresource: 'selfnodeclient',
  message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
}
const FIRST: Approval = {
  subresource: 'nodeclient',
  message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
}

export const certificateApprover = keyedLoop({
  name: 'certificatesigningrequest-approving-controller',
  definition: certificateSigningRequests,
  workers: WORKERS,
  isDue: (request) => !isIssued(request) && !condition(request, 'Approved') && !condition(request, 'Denied'),
  work: approve,
})

async function approve({ client }: ControllerParts, request: CertificateSigningRequest): Promise<void> {
  const approvals = possibleApprovals(request)
  for (const { subresource, message } of approvals) {
    if (!(await mayAsk(client, request, subresource))) continue
    const approved = withCondition(request, { type: 'Approved', status: 'True', reason: 'AutoApproved', message })
    await client.of(certificateSigningRequests).update(approved, { subresource: 'approval' })
    return
  }
  // The right may be given later.
  if (approvals.length > 0) throw new Error('the request is for a kubelet, and who asks has no right to it')
}

/** In the order they are tried; none for requests that are no kubelet's. */
export function possibleApprovals({ spec }: CertificateSigningRequest): readonly Approval[] {
  if (spec.signerName !== KUBELET_CLIENT_SIGNER) return []
  const contents = parseSigningRequest(spec.request)
  if (!contents || kubeletClientFinding(contents, spec.usages ?? []) !== undefined) return []
  return spec.username === contents.commonName ? [SELF, FIRST] : [FIRST]
}

async function mayAsk(
  client: ControllerParts['client'],
  { spec }: CertificateSigningRequest,
  subresource: string,
): Promise<boolean> {
  const { username: user, uid, groups, extra } = spec
  const { group, resource } = certificateSigningRequests
  const resourceAttributes = { group, resource, subresource, verb: 'create', version: '*' }
  const review = { metadata: {}, spec: { user, uid, groups, extra, resourceAttributes } }
  const { status } = await client.of(subjectAccessReviews).create(review)
  return status?.allowed === true
}
