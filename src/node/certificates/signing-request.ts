/** A new key and a request for a certificate of it: EC P-256, PKCS#10. The X.509 library is loaded when it is needed. */

import { createPrivateKey, webcrypto } from 'node:crypto'
import { isIp } from '../../base/ip.ts'

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

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

export async function createSigningRequest(template: CertificateTemplate): Promise<SigningRequest> {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  x509.cryptoProvider.set(webcrypto as Crypto)
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const names = template.names.map((value) => ({ type: isIp(value) ? ('ip' as const) : ('dns' as const), value }))
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    // One O per relative name: several values in one would be a set that readers see as one.
    name: [...template.organizations.map((organization) => ({ O: [organization] })), { CN: [template.commonName] }],
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : [],
  })
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  const pem = createPrivateKey({ key, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' })
  return { request: request.toString('pem'), key: pem.toString() }
}
