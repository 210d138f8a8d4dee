import { describe, expect, test } from 'vitest'
import type { ApiRequest } from '../../machinery/wire/message.ts'
import { requestHeaders, withoutRemoteHeaders } from './request-header.ts'

/** As http.ts makes it of these lines. */
function request(lines: readonly (readonly [string, string])[], more: Partial<ApiRequest> = {}): ApiRequest {
  const headers: Record<string, string> = {}
  for (const [name, value] of lines) {
    const key = name.toLowerCase()
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`
  }
  return {
    method: 'GET',
    path: '/',
    query: new URLSearchParams(),
    headers,
    rawHeaders: lines.flat(),
    body: { type: 'none' },
    signal: new AbortController().signal,
    wants: 'bytes',
    ...more,
  }
}

const proxy = { frontProxy: 'front-proxy-client' }
const { authenticate } = requestHeaders(['front-proxy-client'])

describe('headers of a front proxy', () => {
  for (const [behaviour, asked, expected] of [
    ['mean nothing without it', request([['X-Remote-User', 'jane']]), { outcome: 'absent' }],
    ['mean nothing from this process', request([], { headers: { 'x-remote-user': 'jane' } }), { outcome: 'absent' }],
    ['need a name', request([['X-Remote-Group', 'g']], proxy), { outcome: 'absent' }],
    [
      'come from one of its names',
      request([['X-Remote-User', 'jane']], { frontProxy: 'other' }),
      { outcome: 'failed', reason: 'x509: subject with cn=other is not in the allowed list' },
    ],
    [
      'name a user as it is, with its groups and extra',
      request(
        [
          ['X-Remote-User', 'jane, x'],
          ['x-remote-group', 'a, b'],
          ['X-REMOTE-GROUP', 'c'],
          ['X-Remote-Extra-Acme.io%2fA', '1'],
          ['x-remote-extra-acme.io%2fa', '2'],
          ['X-Remote-Extra-%zz', '3'],
        ],
        proxy,
      ),
      {
        outcome: 'user',
        user: { name: 'jane, x', groups: ['a, b', 'c'], extra: { 'acme.io/a': ['1', '2'], '%zz': ['3'] } },
      },
    ],
    [
      'name one user',
      request([['X-Remote-User', 'jane'], ['x-remote-user', 'jane']], proxy), // biome-ignore format: one line.
      { outcome: 'failed', reason: 'the front proxy names more than one user' },
    ],
  ] as const)
    test(behaviour, () => expect(authenticate(asked)).toEqual(expected))

  test('go no further, in any letters', () => {
    const left = withoutRemoteHeaders(
      request([
        ['Accept', 'a'],
        ['X-Remote-User', 'jane'],
        ['x-remote-EXTRA-a', 'b'],
        ['X-Remote', 'kept'],
      ]),
    )
    expect(left.headers).toEqual({ accept: 'a', 'x-remote': 'kept' })
    expect(left.rawHeaders).toEqual(['Accept', 'a', 'X-Remote', 'kept'])
  })

  test('cost nothing where there are none', () => {
    const asked = request([['Accept', 'a']])
    expect(withoutRemoteHeaders(asked)).toBe(asked)
  })
})
