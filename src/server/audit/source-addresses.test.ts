import { expect, test } from 'vitest'
import { sourceAddresses } from './source-addresses.ts'

test.each<readonly [string, Record<string, string>, string | undefined, readonly string[]]>([
  ['the connection', {}, '10.0.0.1', ['10.0.0.1']],
  [
    'what proxies forwarded for, and the connection',
    { 'x-forwarded-for': '1.2.3.4, ::1' },
    '10.0.0.1',
    ['1.2.3.4', '::1', '10.0.0.1'],
  ],
  [
    'the real address besides',
    { 'x-forwarded-for': '1.2.3.4', 'x-real-ip': '5.6.7.8' },
    undefined,
    ['1.2.3.4', '5.6.7.8'],
  ],
  [
    'the real address once',
    { 'x-forwarded-for': '1.2.3.4,5.6.7.8', 'x-real-ip': '1.2.3.4' },
    undefined,
    ['1.2.3.4', '5.6.7.8'],
  ],
  ['the connection once', { 'x-real-ip': '10.0.0.1' }, '10.0.0.1', ['10.0.0.1']],
  ['no words', { 'x-forwarded-for': 'unknown, 1.2.3.4:80,', 'x-real-ip': 'me' }, '10.0.0.1', ['10.0.0.1']],
  ['nothing in this process', {}, undefined, []],
])('has %s', (_, headers, remoteAddress, expected) => {
  expect(sourceAddresses({ headers, remoteAddress })).toEqual(expected)
})

test('has no more of a header than anybody needs', () => {
  const headers = { 'x-forwarded-for': Array.from({ length: 100 }, (_, index) => `10.0.0.${index}`).join(',') }
  expect(sourceAddresses({ headers, remoteAddress: undefined })).toHaveLength(32)
})
