import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  currentContextOf,
  entryOf,
  hasEntry,
  type KubeconfigEntry,
  KubeconfigInvalid,
  kubeconfigText,
  withCurrentContext,
  withEntry,
  withoutEntry,
} from './kubeconfig.ts'

const entry: KubeconfigEntry = {
  name: 't8s',
  server: 'https://127.0.0.1:6443',
  certificateAuthority: 'CA',
  clientCertificate: 'CERTIFICATE',
  clientKey: 'KEY',
}

const USERS_FILE = `# mine, keep
apiVersion: v1
kind: Config
clusters:
  - name: prod # careful
    cluster: { server: https://prod }
contexts:
  - context:
      cluster: prod
      user: prod
    name: prod
current-context: prod
users: []
extra: kept
`

test('keeps comments, order and entries of others', () => {
  const merged = withEntry(USERS_FILE, entry)
  expect(merged).toContain('# mine, keep')
  expect(merged).toContain('- name: prod # careful')
  expect(merged).toContain('extra: kept')
  expect(merged.indexOf('clusters:')).toBeLessThan(merged.indexOf('contexts:'))
  expect(currentContextOf(merged)).toBe('prod')
  expect(entryOf(merged, 't8s')).toEqual(entry)
})

test('writes an elliptic key in the form that every client reads', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const clientKey = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const written = entryOf(withEntry('', { ...entry, clientKey }), 't8s')?.clientKey ?? ''
  expect(written).toMatch(/^-----BEGIN EC PRIVATE KEY-----/)
  expect(createPrivateKey(written).equals(privateKey)).toBe(true)
})

test('removing what was added gives the same content as before', () => {
  const removed = withoutEntry(withEntry(USERS_FILE, entry), 't8s')
  expect(hasEntry(removed, 't8s')).toBe(false)
  expect(hasEntry(removed, 'prod')).toBe(true)
  expect(removed).toContain('# careful')
})

test('replaces an entry of the same name in place', () => {
  const twice = withEntry(withEntry('', entry), { ...entry, server: 'https://127.0.0.1:1' })
  expect(twice.match(/name: t8s/g)).toHaveLength(3)
  expect(entryOf(twice, 't8s')?.server).toBe('https://127.0.0.1:1')
})

describe('an empty file', () => {
  for (const [what, text] of [
    ['nothing', ''],
    ['a comment', '# mine\n'],
    ['null lists', 'apiVersion: v1\nkind: Config\nclusters: null\ncontexts: null\nusers: null\n'],
  ] as const)
    test(`takes an entry when it holds ${what}`, () => {
      expect(entryOf(withEntry(text, entry), 't8s')).toEqual(entry)
    })
})

test('a file of its own selects its context', () => {
  expect(entryOf(kubeconfigText(entry))).toEqual(entry)
})

test('the current context is set and read', () => {
  expect(currentContextOf(withCurrentContext(USERS_FILE, 't8s'))).toBe('t8s')
  expect(currentContextOf('current-context: ""\n')).toBeUndefined()
})

test.each(['- a\n- b\n', 'clusters: {}\n', 'a: [\n'])('refuses what is no kubeconfig: %j', (text) => {
  expect(() => withEntry(text, entry)).toThrow(KubeconfigInvalid)
})
