import { expect, test } from 'vitest'
import { decodeContinueToken, encodeContinueToken } from './continue-token.ts'

test('what was encoded is decoded', () => {
  for (const token of [
    { revision: 42, after: 'default/web' },
    { revision: -1, after: 'a' },
  ])
    expect(decodeContinueToken(encodeContinueToken(token))).toEqual(token)
})

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

test.each([
  ['', 'not encoded'],
  ['%%%', 'not encoded'],
  [encoded(null), 'invalid token'],
  [encoded({ v: 'v2', rv: 1, start: 'a\0' }), 'does not recognize this encoded version'],
  [encoded({ v: 'meta.k8s.io/v1', rv: 0, start: 'a\0' }), 'incorrect encoded start resourceVersion'],
  [encoded({ v: 'meta.k8s.io/v1', rv: 1.5, start: 'a\0' }), 'incorrect encoded start resourceVersion'],
  [encoded({ v: 'meta.k8s.io/v1', rv: 1, start: '' }), 'encoded start key empty'],
  ['x'.repeat(5_000), 'too long'],
])('refuses %j', (text, reason) => {
  expect(() => decodeContinueToken(text)).toThrow(reason)
})
