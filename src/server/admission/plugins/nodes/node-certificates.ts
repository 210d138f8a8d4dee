/** A node asks for certificates in its own name only. */

import { KUBELET_CLIENT_SIGNER, KUBELET_SERVING_SIGNER } from '../../../../apis/certificates/node-requests.ts'
import { parseSigningRequest } from '../../../../apis/certificates/request-contents.ts'
import type { CertificateSigningRequest } from '../../../../apis/certificates/types.gen.ts'
import type { NodeWrite } from './node-write.ts'

const NODE_SIGNERS: ReadonlySet<string> = new Set([KUBELET_SERVING_SIGNER, KUBELET_CLIENT_SIGNER])

export function certificateFinding({ node, attributes, object }: NodeWrite): string | undefined {
  if (attributes.operation !== 'CREATE') return undefined
  // The resource is certificate signing requests.
  const { spec } = object as CertificateSigningRequest
  if (!NODE_SIGNERS.has(spec.signerName)) return undefined
  const request = parseSigningRequest(spec.request)
  if (!request) return 'unable to parse csr: the request is not a certificate request in PEM'
  if (request.commonName !== `system:node:${node}`) return `can only create a node CSR with CN=system:node:${node}`
  return undefined
}
