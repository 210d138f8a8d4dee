import { expect, test } from 'vitest'
import { trustData } from './authentication-trust.ts'

test('tells whose certificates count and which headers name the caller, beside what others wrote', () => {
  expect(trustData({ data: { mine: 'too', 'client-ca-file': 'old' } }, 'CA', 'PROXY')).toEqual({
    mine: 'too',
    'client-ca-file': 'CA',
    'requestheader-client-ca-file': 'PROXY',
    'requestheader-allowed-names': '["front-proxy-client"]',
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-uid-headers': '["X-Remote-Uid"]',
    'requestheader-username-headers': '["X-Remote-User"]',
  })
})
