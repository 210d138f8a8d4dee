import { expect, test } from 'vitest'
import { defaultTokenRequest, validateTokenRequest } from './token-request.ts'

test('a token lasts an hour unless told otherwise', () => {
  expect(defaultTokenRequest({ metadata: {}, spec: { audiences: ['api'] } }).spec.expirationSeconds).toBe(3600)
})

test('a token lasts ten minutes at least', () => {
  const answer = (expirationSeconds: number) => validateTokenRequest({ metadata: {}, spec: { expirationSeconds } })
  expect(answer(600)).toEqual([])
  expect(answer(599)).toEqual([
    {
      type: 'FieldValueInvalid',
      path: 'spec.expirationSeconds',
      message: 'Invalid value: 599: may not specify a duration less than 10 minutes',
    },
  ])
})
