import { expect, test } from 'vitest'
import { parseStaticTokens } from './static-tokens.ts'

const users = (text: string) => [...parseStaticTokens(text, 'f').users]

for (const [behaviour, text, expected] of [
  ['nothing', '', []],
  ['a line without groups', 't,jane,u1\n', [['t', { name: 'jane', uid: 'u1', groups: [] }]]],
  ['a line without an end', 't,jane,u1', [['t', { name: 'jane', uid: 'u1', groups: [] }]]],
  ['one group', 't,jane,u1,dev', [['t', { name: 'jane', uid: 'u1', groups: ['dev'] }]]],
  ['groups in quotes', 't,jane,u1,"dev,ops"\r\n', [['t', { name: 'jane', uid: 'u1', groups: ['dev', 'ops'] }]]],
  ['no uid', 't,jane,', [['t', { name: 'jane', groups: [] }]]],
  ['an empty group', 't,jane,u1,""', [['t', { name: 'jane', uid: 'u1', groups: [] }]]],
  ['further columns', 't,jane,u1,g,whatever', [['t', { name: 'jane', uid: 'u1', groups: ['g'] }]]],
  ['quotes and line ends in quotes', '"t""1","ja\nne",u1', [['t"1', { name: 'ja\nne', uid: 'u1', groups: [] }]]],
  [
    'several lines, some empty',
    '\na,jane,1\n\r\n\nb,joe,2\n',
    [
      ['a', { name: 'jane', uid: '1', groups: [] }],
      ['b', { name: 'joe', uid: '2', groups: [] }],
    ],
  ],
  ['a key of every object', '__proto__,jane,u1', [['__proto__', { name: 'jane', uid: 'u1', groups: [] }]]],
] as const)
  test(behaviour, () => expect(users(text)).toEqual(expected))

for (const [behaviour, text, reason] of [
  [
    'too few columns',
    'a,b,c\nt,jane',
    "token file 'f' must have at least 3 columns (token, user name, user uid), found 2",
  ],
  ['a quote in the middle', 't,ja"ne,u1', 'record number 1: bare " in non-quoted field'],
  ['a quote that does not end', 'a,b,c\n"t,jane,u1', 'record number 2: extraneous or missing " in quoted-field'],
  ['more after a quote', '"t"x,jane,u1', 'record number 1: extraneous or missing " in quoted-field'],
] as const)
  test(`${behaviour}: refused`, () => expect(() => users(text)).toThrow(reason))

test('a token that is empty is nobody’s, the last of two counts, and both are said', () => {
  const { users: found, warnings } = parseStaticTokens(',root,0\nt,jane,1\nt,joe,2', 'f')
  expect([...found]).toEqual([['t', { name: 'joe', uid: '2', groups: [] }]])
  expect(warnings).toEqual([
    "empty token has been found in token file 'f', record number '1'",
    "duplicate token has been found in token file 'f', record number '3'",
  ])
})
