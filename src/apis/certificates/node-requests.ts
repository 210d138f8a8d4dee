/** What a kubelet may ask its signers for: as which node, with which names, for which use. */

import type { RequestContents } from './request-contents.ts'

export const KUBELET_CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet'
export const KUBELET_SERVING_SIGNER = 'kubernetes.io/kubelet-serving'

const CLIENT_USAGES = ['client auth', 'digital signature', 'key encipherment']
const SERVING_USAGES = ['digital signature', 'key encipherment', 'server auth']
/** Keys that are not RSA encipher nothing. */
const RSA_USAGE = 'key encipherment'

/** Why a request is not one for a kubelet's client certificate, in upstream's words; undefined: it is. */
export function kubeletClientFinding(request: RequestContents, usages: readonly string[]): string | undefined {
  if (!isForNodes(request)) return 'subject organization is not system:nodes'
  if (request.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed'
  if (request.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (request.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed'
  if (request.uris.length > 0) return 'URI subjectAltNames are not allowed'
  return nameFinding(request) ?? usagesFinding(usages, CLIENT_USAGES)
}

/** Why a request is not one for a kubelet's serving certificate, in upstream's words; undefined: it is. */
export function kubeletServingFinding(request: RequestContents, usages: readonly string[]): string | undefined {
  if (!isForNodes(request)) return 'subject organization is not system:nodes'
  if (request.dnsNames.length === 0 && request.ipAddresses.length === 0) return 'DNS or IP subjectAltName is required'
  if (request.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (request.uris.length > 0) return 'URI subjectAltNames are not allowed'
  return usagesFinding(usages, SERVING_USAGES) ?? nameFinding(request)
}

function isForNodes({ organizations }: RequestContents): boolean {
  return organizations.length === 1 && organizations[0] === 'system:nodes'
}

function nameFinding({ commonName }: RequestContents): string | undefined {
  return commonName.startsWith('system:node:') ? undefined : 'subject common name does not begin with system:node:'
}

function usagesFinding(usages: readonly string[], wanted: readonly string[]): string | undefined {
  const given = new Set(usages)
  const missing = wanted.filter((usage) => !given.has(usage))
  const fits = given.size + missing.length === wanted.length && missing.every((usage) => usage === RSA_USAGE)
  return fits ? undefined : `usages did not match [${wanted.join(' ')}]`
}
