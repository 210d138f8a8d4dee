import { describe, expect, test } from 'vitest'
import type { UserInfo } from '../../machinery/wire/message.ts'
import { backendHeaders } from './caller-headers.ts'

const JANE: UserInfo = { name: 'jane', groups: ['a', 'b'] }
const headersOf = (headers: Readonly<Record<string, string>>, user = JANE, keepsLength = false) =>
  backendHeaders({ headers, path: '/apis/g/v1' }, user, { authority: '10.0.0.1:443', keepsLength })

describe('headers for an aggregated server', () => {
  test('say where the request was and who sends it', () => {
    expect(headersOf({})).toEqual({
      host: '10.0.0.1:443',
      'x-forwarded-uri': '/apis/g/v1',
      'x-forwarded-host': '10.0.0.1:443',
      'x-forwarded-proto': 'https',
      'x-remote-user': 'jane',
      'x-remote-group': ['a', 'b'],
    })
  })

  test.each([
    ['of credentials', { authorization: 'Bearer x', 'proxy-authorization': 'Basic x' }],
    ['of the connection', { connection: 'x-own', 'x-own': '1', te: 'trailers', 'keep-alive': '5', upgrade: 'h2c' }],
    ['that wait for leave', { expect: '100-continue' }],
    ['that name somebody', { 'x-remote-user': 'root', 'x-remote-group': 'g', 'x-remote-extra-a': 'b' }],
    ['that some servers read as those', { x_remote_user: 'root', 'x-remote_group': 'g', x_remote_extra_a: 'b' }],
    ['of impersonation', { 'impersonate-user': 'root', impersonate_user: 'root' }],
    ['of a length that is not theirs', { 'content-length': '7', 'transfer-encoding': 'chunked' }],
  ])('leave out those %s', (_, headers) => expect(headersOf(headers)).toEqual(headersOf({})))

  test('keep everything else', () => {
    const kept = { accept: 'a/b', 'content-type': 'c/d', 'audit-id': '1', cookie: 'e=f', 'x-own': 'g' }
    expect(headersOf(kept)).toEqual({ ...kept, ...headersOf({}) })
    expect(headersOf({ 'content-length': '7' }, JANE, true)).toMatchObject({ 'content-length': '7' })
  })

  test('lead back along the way that the request came', () => {
    const request = { headers: { 'x-forwarded-for': '192.0.2.1' }, path: '/', remoteAddress: '10.0.0.9' }
    const forwarding = { authority: 'a:1', keepsLength: false }
    expect(backendHeaders(request, JANE, forwarding)['x-forwarded-for']).toBe('192.0.2.1, 10.0.0.9')
  })

  test('have keys of extras that no header could have as escapes, and each once whatever its case', () => {
    const extra = {
      'Example.com/team%': ['red'],
      'example.com/TEAM%': ['blue'],
      __proto__x: ['c'],
      empty: [],
      ü: ['d'],
    }
    expect(headersOf({}, { ...JANE, uid: 'u', extra })).toEqual({
      ...headersOf({}),
      'x-remote-uid': 'u',
      'x-remote-extra-example.com%2Fteam%25': ['red', 'blue'],
      'x-remote-extra-__proto__x': ['c'],
      'x-remote-extra-%C3%BC': ['d'],
    })
  })

  test('have names in UTF-8, byte for byte', () => {
    expect(headersOf({}, { name: 'jürgen', groups: ['日'] })).toMatchObject({
      'x-remote-user': Buffer.from('jürgen').toString('latin1'),
      'x-remote-group': [Buffer.from('日').toString('latin1')],
    })
  })

  test.each(['jane\r\nx-remote-group: system:masters', ' jane', 'jane\t', 'ja\0ne', 'jane\u00a0'])(
    'are not made for a name that would be another one: %j',
    (name) => {
      expect(() => headersOf({}, { name, groups: [] })).toThrow('cannot be passed on')
      expect(() => headersOf({}, { name: 'x', groups: [name] })).toThrow('cannot be passed on')
      expect(() => headersOf({}, { name: 'x', groups: [], extra: { a: [name] } })).toThrow('cannot be passed on')
    },
  )
})
