/**
 * Approves what the cluster's own nodes ask for their serving certificates, when every name in it is one the node has.
 * Upstream leaves that to people or to whoever made the machines; here that is the cluster itself. What other nodes ask
 * waits for people.
 */

import { certificateSigningRequests } from '../../apis/certificates/certificate-signing-request.ts'
import { KUBELET_SERVING_SIGNER, kubeletServingFinding } from '../../apis/certificates/node-requests.ts'
import { parseSigningRequest } from '../../apis/certificates/request-contents.ts'
import type { CertificateSigningRequest } from '../../apis/certificates/types.gen.ts'
import { formatIp } from '../../base/ip.ts'
import type { ControllerParts, LoopController } from '../runtime/controller.ts'
import { keyedLoop } from '../runtime/keyed-loop.ts'
import { condition, isIssued, withCondition } from './certificate-verdicts.ts'

/** The DNS names and addresses of a node of this cluster's own making. Undefined: it is not one. */
export type NamesOfNode = (node: string) => readonly string[] | undefined

const WORKERS = 1
const NODE_PREFIX = 'system:node:'

export function servingApprover(namesOf: NamesOfNode): LoopController {
  return keyedLoop({
    name: 'kubelet-serving-approving-controller',
    definition: certificateSigningRequests,
    workers: WORKERS,
    isDue: (request) => isOpen(request) && isOwnServing(request, namesOf),
    work: approve,
  })
}

async function approve({ client }: ControllerParts, request: CertificateSigningRequest): Promise<void> {
  const message = 'Auto approving the serving certificate of a node of this cluster.'
  const approved = withCondition(request, { type: 'Approved', status: 'True', reason: 'AutoApproved', message })
  await client.of(certificateSigningRequests).update(approved, { subresource: 'approval' })
}

function isOpen(request: CertificateSigningRequest): boolean {
  return !isIssued(request) && !condition(request, 'Approved') && !condition(request, 'Denied')
}

/** The node asks for itself, and for nothing but its own names. */
export function isOwnServing({ spec }: CertificateSigningRequest, namesOf: NamesOfNode): boolean {
  if (spec.signerName !== KUBELET_SERVING_SIGNER || !spec.username?.startsWith(NODE_PREFIX)) return false
  const contents = parseSigningRequest(spec.request)
  if (!contents || kubeletServingFinding(contents, spec.usages ?? []) !== undefined) return false
  if (contents.commonName !== spec.username) return false
  const names = namesOf(spec.username.slice(NODE_PREFIX.length)) ?? []
  const wanted = [...contents.dnsNames, ...contents.ipAddresses.map(addressText)]
  return wanted.every((name) => names.includes(name))
}

function addressText(bytes: Buffer): string {
  return formatIp(bytes.length === 4 ? 4 : 6, BigInt(`0x${bytes.toString('hex') || '0'}`))
}
