import { expect, test } from 'vitest'
import type { RequestTarget } from '../auth/authorizer.ts'
import { isConfidential, withoutTexts } from './confidential.ts'

const target = (group: string, resource: string, subresource = ''): RequestTarget => ({
  ...{ type: 'resource', path: '', verb: 'create', version: 'v1', namespace: '', name: '' },
  ...{ group, resource, subresource },
})

test.each<readonly [string, RequestTarget, boolean]>([
  ['secrets', target('', 'secrets'), true],
  ['requests for tokens', target('', 'serviceaccounts', 'token'), true],
  ['reviews of tokens', target('authentication.k8s.io', 'tokenreviews'), true],
  ['service accounts', target('', 'serviceaccounts'), false],
  ['secrets of another group', target('example.com', 'secrets'), false],
  ['paths', { type: 'path', path: '/secrets', verb: 'get' }, false],
])('%s', (_, asked, expected) => expect(isConfidential(asked)).toBe(expected))

const failure = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' } as const

test('what is wrong with a body is told without words, with the fields that it is about', () => {
  const causes = [{ reason: 'FieldValueInvalid', message: 'Invalid value: "hunter2"', field: 'data' }]
  const details = { name: 's', kind: 'Secret', causes }
  const status = { ...failure, message: 'data: Invalid value: "hunter2"', reason: 'Invalid', details, code: 422 }
  expect(withoutTexts(status)).toEqual({
    ...status,
    message: 'not shown at this level: it may repeat what was sent',
    details: { name: 's', kind: 'Secret', causes: [{ reason: 'FieldValueInvalid', field: 'data' }] },
  })
})

test.each(['NotFound', 'Forbidden', 'Conflict', 'AlreadyExists'])('%s says nothing of a body', (reason) => {
  const status = { ...failure, message: 'secrets "s"', reason, code: 400 }
  expect(withoutTexts(status)).toBe(status)
})
