import { expect, test } from 'vitest'
import { nodeRequest } from '../../../test/support/certificate-requests.ts'
import { KUBELET_CLIENT_SIGNER, KUBELET_SERVING_SIGNER } from '../../apis/certificates/node-requests.ts'
import type { CertificateSigningRequest } from '../../apis/certificates/types.gen.ts'
import { isOwnServing } from './serving-approver.ts'

const NAMES = ['n1', '127.0.0.1', '10.0.0.7']
const namesOf = (node: string) => (node === 'n1' ? NAMES : undefined)

async function asked(
  names: readonly string[],
  { node = 'n1', ...spec }: { readonly node?: string } & Partial<CertificateSigningRequest['spec']> = {},
): Promise<boolean> {
  const request = await nodeRequest(node, names)
  const usages = ['digital signature', 'server auth'] as const
  const wish = { request, signerName: KUBELET_SERVING_SIGNER, usages, username: 'system:node:n1', ...spec }
  return isOwnServing({ metadata: { name: 'csr-1' }, spec: wish }, namesOf)
}

test.each<readonly [string, Parameters<typeof asked>, boolean]>([
  ['all of its names', [NAMES], true],
  ['one of its names', [['10.0.0.7']], true],
  ['a name of the API server', [[...NAMES, 'kubernetes.default.svc']], false],
  ["another node's address", [['10.0.0.8']], false],
  ['no name', [[]], false],
  ['names of its own for another', [NAMES, { username: 'system:node:n2' }], false],
  ["another's certificate for itself", [NAMES, { node: 'n2' }], false],
  ['what another cluster would approve', [NAMES, { node: 'n2', username: 'system:node:n2' }], false],
  ['by somebody who is no node', [NAMES, { username: 'jane' }], false],
  ['a client certificate', [NAMES, { signerName: KUBELET_CLIENT_SIGNER }], false],
  ['the use as a client', [NAMES, { usages: ['digital signature', 'server auth', 'client auth'] }], false],
])('a node asks for %s', async (_, [names, more], expected) => {
  expect(await asked(names, more)).toBe(expected)
})
