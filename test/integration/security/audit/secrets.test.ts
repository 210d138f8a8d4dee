import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AuditEvent } from '../../../../src/server/audit/event.ts'
import { openControlPlane } from '../../../support/control-plane.ts'

// Goal: below the level at which bodies are logged nothing of a body is in the log, whatever becomes of the request,
// and credentials are in it at no level. Method: a canary in every place where a secret can be, sent to a whole server
// over TLS, and a search for it in the file on disk.

const CANARY = 'canary-7f3a9c-and-more-of-it'
const FORMS = [CANARY, ...['base64', 'base64url', 'hex'].map((form) => Buffer.from(CANARY).toString(form as 'hex'))]
const SECRETS = '/api/v1/namespaces/default/secrets'
const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts'
const REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews'
const MERGE = { 'content-type': 'application/merge-patch+json' }
const STRATEGIC = { 'content-type': 'application/strategic-merge-patch+json' }

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 't8s-audit-secrets-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** The log of everything that is done with secrets, at a level, and the token that was handed out. */
async function logAt(level: string): Promise<{ readonly log: string; readonly token: string }> {
  const [policy, path] = [join(folder, 'policy.json'), join(folder, 'log', 'audit.log')]
  await writeFile(policy, JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level }] }))
  let token = ''
  {
    await using server = await openControlPlane({ config: { security: { audit: { policy, log: { path } } } } })
    const as = await server.user('admin', 'system:masters')
    const send = (method: string, url: string, body?: unknown, headers = {}) =>
      server.ask(method, url, { as, body, headers })
    const data = { password: Buffer.from(CANARY).toString('base64') }
    await send('POST', SECRETS, { metadata: { name: 's' }, data })
    await send('GET', `${SECRETS}/s`)
    await send('GET', SECRETS)
    await send('PUT', `${SECRETS}/s`, { metadata: { name: 's' }, stringData: { password: CANARY } })
    await send('PATCH', `${SECRETS}/s`, { data }, MERGE)
    // What is wrong with these is said in words that repeat them.
    await send('PATCH', `${SECRETS}/s`, { data: { password: CANARY } }, STRATEGIC)
    await send('PATCH', `${SECRETS}/s`, { data: CANARY }, MERGE)
    await send('POST', SECRETS, { [CANARY]: '', metadata: { name: CANARY.toUpperCase() }, data: CANARY })
    await send('POST', SECRETS, CANARY)
    await send('DELETE', SECRETS)
    await send('POST', REVIEWS, { spec: { token: CANARY } })
    await send('POST', REVIEWS, { spec: { token: [CANARY] } })
    await send('POST', ACCOUNTS, { metadata: { name: 'bot' } })
    const issued = await send('POST', `${ACCOUNTS}/bot/token`, { spec: { expirationSeconds: 600 } })
    token = issued.json.status.token
    for (const authorization of [
      `Bearer ${token}`,
      `Bearer ${CANARY}`,
      `Basic ${Buffer.from(CANARY).toString('base64')}`,
    ])
      await server.ask('GET', SECRETS, { headers: { authorization } })
    await send('GET', `https://${CANARY}:${CANARY}@host/version`)
    await send('GET', `${SECRETS}/s`, undefined, {
      cookie: CANARY,
      'x-remote-user': CANARY,
      'proxy-authorization': CANARY,
    })
  }
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  return { log: await readFile(path, 'utf8'), token }
}

const eventsOf = (log: string) =>
  log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEvent)

test('below the level of bodies there is nothing of one', async () => {
  const { log, token } = await logAt('Metadata')
  const events = eventsOf(log).filter(({ userAgent, user }) => userAgent === undefined && user.username === 'admin')
  expect(events.length).toBeGreaterThan(30)
  for (const form of [...FORMS, token]) expect(log).not.toContain(form)
  const refused = events.find(({ responseStatus }) => responseStatus?.reason === 'BadRequest')
  expect(refused?.responseStatus?.message).toBe('not shown at this level: it may repeat what was sent')
})

test('where bodies are logged, credentials of callers are not', async () => {
  const { log, token } = await logAt('Request')
  expect(log).toContain(CANARY)
  // It stands in the answer.
  expect(log).not.toContain(token)
})

test('what is handed out is in the log where answers are, and named by its id everywhere', async () => {
  const { log, token } = await logAt('RequestResponse')
  expect(log.split(token).length - 1).toBe(1)
  const annotations = eventsOf(log).flatMap(({ annotations = {} }) => Object.entries(annotations))
  const [, payload = ''] = token.split('.')
  const { jti } = JSON.parse(Buffer.from(payload, 'base64url').toString())
  expect(annotations).toContainEqual(['authentication.kubernetes.io/issued-credential-id', `JTI=${jti}`])
})
