/** A new key and a request for a certificate of it: EC P-256, PKCS#10. */

import { hostName, nameOf, newKey, signedRequest } from '../../apis/certificates/x509.ts'

export interface CertificateTemplate {
  readonly commonName: string
  readonly organizations: readonly string[]
  /** DNS names and addresses. */
  readonly names: readonly string[]
}

/** PEM both. */
export interface SigningRequest {
  readonly request: string
  readonly key: string
}

export function createSigningRequest(template: CertificateTemplate): SigningRequest {
  const pair = newKey()
  return { request: signedRequest(nameOf(template), template.names.map(hostName), pair), key: pair.key }
}
