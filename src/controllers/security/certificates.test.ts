import { describe, expect, test } from 'vitest'
import { nodeRequest, personRequest } from '../../../test/support/certificate-requests.ts'
import type { CertificateSigningRequest } from '../../apis/certificates/types.gen.ts'
import { possibleApprovals } from './certificate-approver.ts'
import { planCertificateCleaning } from './certificate-cleaner.ts'
import { lifetimeSeconds, signerFinding } from './certificate-signer.ts'

type Spec = CertificateSigningRequest['spec']
const KUBELET_CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet'
const KUBELET_SERVING = 'kubernetes.io/kubelet-serving'
const CLIENT = 'kubernetes.io/kube-apiserver-client'
const clientUsages = ['digital signature', 'client auth'] as const
const servingUsages = ['digital signature', 'key encipherment', 'server auth'] as const
const node = await nodeRequest('n1')
const server = await nodeRequest('n1', ['10.0.0.1'])
const jane = await personRequest('jane', ['dev'])

const asked = (spec: Omit<Spec, 'usages'> & { readonly usages?: Spec['usages'] }): CertificateSigningRequest => {
  return { metadata: { name: 'a' }, spec: { usages: clientUsages, ...spec } }
}

describe('approval', () => {
  const rights = (request: CertificateSigningRequest) =>
    possibleApprovals(request).map(({ subresource }) => subresource)
  const table = [
    ['of a first certificate takes one right', { request: node, username: 'bootstrap' }, ['nodeclient']],
    ['of the next takes a lesser one', { request: node, username: 'system:node:n1' }, ['selfnodeclient', 'nodeclient']],
    ['is not for persons', { request: jane, username: 'jane' }, []],
    ['is not for certificates with names', { request: server, username: 'system:node:n1' }, []],
    ['is not for servers', { request: node, signerName: KUBELET_SERVING }, []],
  ] as const
  test.each(table)('%s', (_, spec, expected) =>
    expect(rights(asked({ signerName: KUBELET_CLIENT, ...spec }))).toEqual(expected),
  )
})

describe('a signer', () => {
  const table = [
    ['of kubelets takes a kubelet', { request: node, signerName: KUBELET_CLIENT }, undefined],
    [
      'of kubelets takes nobody else',
      { request: jane, signerName: KUBELET_CLIENT },
      'subject organization is not system:nodes',
    ],
    [
      'of kubelets signs no servers',
      { request: node, signerName: KUBELET_CLIENT, usages: servingUsages },
      'usages did not match [client auth digital signature key encipherment]',
    ],
    ['of servers takes addresses', { request: server, signerName: KUBELET_SERVING, usages: servingUsages }, undefined],
    [
      'of servers wants a name',
      { request: node, signerName: KUBELET_SERVING, usages: servingUsages },
      'DNS or IP subjectAltName is required',
    ],
    ['of clients takes anybody', { request: jane, signerName: CLIENT }, undefined],
    [
      'of clients signs no servers',
      { request: jane, signerName: CLIENT, usages: ['server auth'] },
      'invalid usage for client certificate: server auth',
    ],
    [
      'of clients signs for clients',
      { request: jane, signerName: CLIENT, usages: ['digital signature'] },
      'missing required usage for client certificate: client auth',
    ],
    [
      'of old takes everything',
      { request: jane, signerName: 'kubernetes.io/legacy-unknown', usages: ['any'] },
      undefined,
    ],
  ] as const
  test.each(table)('%s', (_, spec, finding) => expect(signerFinding(asked(spec))).toBe(finding))

  test.each([
    [undefined, 31_535_700],
    [60, 600],
    [3_600, 3_600],
    [86_400, 86_100],
    [999_999_999, 31_535_700],
  ])('makes of a wish for %d seconds a life of %d', (wished, seconds) => expect(lifetimeSeconds(wished)).toBe(seconds))
})

describe('a request', () => {
  const HOUR_MS = 3_600_000
  const start = '2026-01-01T00:00:00Z'
  const startMs = Date.parse(start)
  const withStatus = (types: readonly string[], certificate?: string): CertificateSigningRequest => ({
    ...asked({ request: jane, signerName: CLIENT }),
    metadata: { name: 'a', creationTimestamp: start },
    status: { conditions: types.map((type) => ({ type, status: 'True', lastUpdateTime: start })), certificate },
  })
  const table = [
    ['without an answer stays for a day', withStatus([]), 24],
    ['that is denied stays for an hour', withStatus(['Denied']), 1],
    ['that failed stays for an hour', withStatus(['Approved', 'Failed']), 1],
    ['that is approved waits for a day', withStatus(['Approved']), 24],
    ['that is issued stays for an hour', withStatus(['Approved'], 'eA=='), 1],
  ] as const
  test.each(table)('%s', (_, request, hours) => {
    const endMs = startMs + hours * HOUR_MS
    expect(planCertificateCleaning(request, endMs)).toEqual({ actions: [], requeueAfterMs: 1 })
    expect(planCertificateCleaning(request, endMs + 1).actions).toMatchObject([{ do: 'delete' }])
  })
})
