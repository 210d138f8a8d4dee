import { expect, test } from 'vitest'
import { nodeRequest, personRequest } from '../../../test/support/certificate-requests.ts'
import { parseSigningRequest } from './request-contents.ts'

test('a request for a server says whose it is and under which names', async () => {
  const contents = parseSigningRequest(await nodeRequest('n1', ['n1.example', '10.0.0.1']))
  expect(contents).toEqual({
    commonName: 'system:node:n1',
    organizations: ['system:nodes'],
    dnsNames: ['n1.example'],
    ipAddresses: [Buffer.from([10, 0, 0, 1])],
    emailAddresses: [],
    uris: [],
  })
})

test('a request for a person says their groups', async () => {
  const contents = parseSigningRequest(await personRequest('jané', ['dev', 'ops']))
  expect(contents).toMatchObject({ commonName: 'jané', organizations: ['dev', 'ops'], dnsNames: [] })
})

test.each([
  ['nothing', ''],
  ['no PEM', 'aGVsbG8='],
  ['a block of another type', Buffer.from('-----BEGIN X-----\nAAAA\n-----END X-----').toString('base64')],
  [
    'a cut-off value',
    Buffer.from('-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----').toString('base64'),
  ],
])('%s is no request', (_, text) => expect(parseSigningRequest(text)).toBeUndefined())
