/** Certificate requests as clients make them: base64 of PEM, as they stand in a spec. */

import { webcrypto } from 'node:crypto'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

export function nodeRequest(node: string, names: readonly string[] = []): Promise<string> {
  return request(`system:node:${node}`, ['system:nodes'], names)
}

export function personRequest(name: string, groups: readonly string[] = []): Promise<string> {
  return request(name, groups, [])
}

/** `names`: DNS names and IPv4 addresses. */
async function request(name: string, groups: readonly string[], names: readonly string[]): Promise<string> {
  x509.cryptoProvider.set(webcrypto as Crypto)
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const alternative = names.map((value) => ({
    type: /^[\d.]+$/.test(value) ? ('ip' as const) : ('dns' as const),
    value,
  }))
  const created = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [...groups.map((group) => ({ O: [group] })), { CN: [name] }],
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: alternative.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternative)] : [],
  })
  return Buffer.from(created.toString('pem')).toString('base64')
}
