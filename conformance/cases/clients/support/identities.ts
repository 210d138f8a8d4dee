/** Credentials with limited rights, obtained as people obtain them: a ServiceAccount's token, a signed certificate. */

import { KeyObject, webcrypto } from 'node:crypto'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import type { KubeObject } from '../../../../src/machinery/meta/object.ts'
import { eventually } from '../../kubectl/support/eventually.ts'
import type { ClientsCluster, UserEntry } from './cluster.ts'

export interface Identity {
  /** The name that the server knows it by. */
  readonly name: string
  readonly user: UserEntry
  /** As bindings name it. */
  readonly subject: object
}

/** A new ServiceAccount, with its token. */
export async function serviceAccountIdentity(
  { ask }: ClientsCluster,
  namespace: string,
  name: string,
): Promise<Identity> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts`
  await ask({ method: 'POST', path, object: { metadata: { name } } })
  const object = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } }
  const answer = await ask<{ status: { token: string } }>({ method: 'POST', path: `${path}/${name}/token`, object })
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    user: { token: answer.status.token },
    subject: { kind: 'ServiceAccount', namespace, name },
  }
}

const KEY = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** A person whose certificate the cluster signs on request. */
export async function certificateIdentity({ ask }: ClientsCluster, name: string): Promise<Identity> {
  const { request, key } = await signingRequest(name)
  return {
    name,
    user: { 'client-certificate-data': await signed({ ask }, name, request), 'client-key-data': base64(key) },
    subject: { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name },
  }
}

/** A new key, and the request for a certificate of this name as it stands in a spec. */
export async function signingRequest(
  name: string,
): Promise<{ readonly key: string | Buffer; readonly request: string }> {
  x509.cryptoProvider.set(webcrypto as Crypto)
  const keys = await webcrypto.subtle.generateKey(KEY, true, ['sign', 'verify'])
  const subject = [{ CN: [name] }]
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ name: subject, keys, signingAlgorithm: KEY })
  const key = KeyObject.from(keys.privateKey).export({ type: 'sec1', format: 'pem' })
  return { key, request: base64(request.toString('pem')) }
}

interface SigningRequest extends KubeObject {
  readonly status?: { readonly certificate?: string; readonly conditions?: readonly object[] }
}

async function signed({ ask }: Pick<ClientsCluster, 'ask'>, name: string, request: string): Promise<string> {
  const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
  const spec = {
    request,
    signerName: 'kubernetes.io/kube-apiserver-client',
    usages: ['client auth'],
  }
  const created = await ask<SigningRequest>({ method: 'POST', path, object: { metadata: { name }, spec } })
  const approved = { type: 'Approved', status: 'True', reason: 'Test', message: 'for the test' }
  const object = { ...created, status: { conditions: [approved] } }
  await ask({ method: 'PUT', path: `${path}/${name}/approval`, object })
  return eventually(async () => {
    const { status } = await ask<SigningRequest>({ path: `${path}/${name}` })
    if (status?.certificate === undefined) throw new Error(`the certificate of ${name} is not signed`)
    return status.certificate
  })
}

function base64(text: string | Buffer): string {
  return Buffer.from(text).toString('base64')
}
