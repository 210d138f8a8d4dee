import { createPrivateKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { kubeletServingFinding } from '../../apis/certificates/node-requests.ts'
import { parseSigningRequest } from '../../apis/certificates/request-contents.ts'
import { createSigningRequest } from './signing-request.ts'

test('a request says who asks and for which names, and fits the signer of nodes', () => {
  const template = { commonName: 'system:node:n1', organizations: ['system:nodes'], names: ['n1', '10.0.0.7', '::1'] }
  const { request, key } = createSigningRequest(template)
  const contents = parseSigningRequest(Buffer.from(request).toString('base64'))
  expect(contents).toMatchObject({ commonName: 'system:node:n1', organizations: ['system:nodes'], dnsNames: ['n1'] })
  expect(contents?.ipAddresses.map((bytes) => bytes.toString('hex'))).toEqual(['0a000007', `${'0'.repeat(31)}1`])
  expect(contents && kubeletServingFinding(contents, ['digital signature', 'server auth'])).toBeUndefined()
  expect(createPrivateKey(key).asymmetricKeyType).toBe('ec')
})
