import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createFakeClock } from '../../base/fake-clock.ts'
import { checkAuthenticationConfiguration } from '../documents/checks.gen.ts'
import { followFiles, parseDocument, readDocument } from './config-document.ts'
import { readRemote } from './remote-kubeconfig.ts'
import { resolvePaths } from './settings.ts'

async function folder() {
  const path = await mkdtemp(join(tmpdir(), 't8s-security-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

const finding = (text: string) =>
  parseDocument(text, 'file.yaml', checkAuthenticationConfiguration).then(
    () => 'accepted',
    (error: Error) => error.message,
  )

const GROUP = 'apiserver.config.k8s.io'
const HEAD = `apiVersion: ${GROUP}/v1beta1\nkind: AuthenticationConfiguration\n`

test.each([
  [`${HEAD}jwt: [{ issuer: { url: 'https://a' } }]`, 'accepted'],
  [`${HEAD}jwt: [{ b: 1 }]`, 'file.yaml cannot be used:\n  jwt[0]: unknown field "b"'],
  [
    'kind: AuthenticationConfiguration',
    expect.stringContaining("the document: must have required property 'apiVersion'"),
  ],
  ['apiVersion: v1\nkind: AuthenticationConfiguration', expect.stringContaining(`apiVersion: must be ${GROUP}/v1 or`)],
  [HEAD.replace('kind: A', 'kind: a'), 'file.yaml cannot be used:\n  kind: must be AuthenticationConfiguration'],
  [`${HEAD}jwt: []\njwt: []`, 'file.yaml cannot be used:\n  line 4: key "jwt" already set in map'],
  [`${HEAD}jwt: [`, expect.stringContaining('file.yaml cannot be used:')],
])('a configuration is read strictly: %j', async (text, expected) => {
  expect(await finding(text)).toEqual(expected)
})

test('a file that is not there is told by name', async () => {
  await expect(readDocument('/nowhere/file.yaml', checkAuthenticationConfiguration)).rejects.toThrow(
    '/nowhere/file.yaml cannot be read: ENOENT',
  )
})

test('a change of a followed file is seen once, its absence is not a change', async () => {
  await using place = await folder()
  const path = join(place.path, 'file.yaml')
  await writeFile(path, 'one')
  const clock = createFakeClock()
  const stop = new AbortController()
  const { promise: changed, resolve } = Promise.withResolvers<void>()
  let changes = 0
  followFiles([path], clock, stop.signal, async () => {
    changes++
    resolve()
  })
  const looked = async () => {
    while (clock.pending === 0) await new Promise((done) => setImmediate(done))
    await clock.advance(1_000)
  }
  await looked()
  await rm(path)
  await looked()
  await writeFile(path, 'two')
  await looked()
  await changed
  await looked()
  stop.abort()
  expect(changes).toBe(1)
})

test('a kubeconfig leads to a service: embedded and named files, tokens and passwords', async () => {
  await using place = await folder()
  const path = join(place.path, 'webhook.yaml')
  await writeFile(join(place.path, 'ca.crt'), 'CA')
  const text = (user: string) => `
apiVersion: v1
kind: Config
current-context: here
clusters: [{ name: c, cluster: { server: 'https://10.0.0.1/review', certificate-authority: ca.crt } }]
contexts: [{ name: here, context: { cluster: c, user: u } }]
users: [{ name: u, user: ${user} }]
`
  await writeFile(path, text(`{ client-certificate-data: ${Buffer.from('C').toString('base64')}, token: t }`))
  expect(await readRemote(path)).toEqual({
    ...{ url: 'https://10.0.0.1/review', ca: 'CA', insecure: false, serverName: undefined },
    ...{ certificate: 'C', key: undefined, authorization: 'Bearer t' },
  })
  await writeFile(path, text('{ username: me, password: secret }'))
  expect(await readRemote(path)).toMatchObject({ authorization: 'Basic bWU6c2VjcmV0' })
  await writeFile(path, text('{}').replace('current-context: here', 'current-context: there'))
  await expect(readRemote(path)).rejects.toThrow('current-context "there" does not lead to the URL of a server')
})

test('paths of security settings are relative to their document; "-" is none', () => {
  const settings = { audit: { policy: 'policy.yaml', log: { path: '-' } }, encryption: { config: '/etc/enc.yaml' } }
  expect(resolvePaths(settings, '/home/me/t8s.yaml')).toEqual({
    audit: { policy: '/home/me/policy.yaml', log: { path: '-' } },
    encryption: { config: '/etc/enc.yaml' },
  })
})
