/** Tokens besides those that pods get: of Secrets, and for joining. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { secrets } from '../../../src/apis/core/secret.ts'
import { serviceAccounts } from '../../../src/apis/core/service-account.ts'
import type { Secret } from '../../../src/apis/core/types.gen.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLogger } from '../../../src/base/log.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { createInformers } from '../../../src/client/informers.ts'
import { startControllers } from '../../../src/controllers/runtime/manager.ts'
import { serviceAccountTokenController } from '../../../src/controllers/security/service-account-tokens.ts'
import { undefinedIfNotFound } from '../../../src/machinery/meta/api-error.ts'
import { bootstrapTokens } from '../../../src/server/auth/bootstrap-token.ts'
import { createTokenKeys, generateSigningKey } from '../../../src/server/auth/json-web-token.ts'
import { issueLegacyToken, legacyTokens } from '../../../src/server/auth/legacy-token.ts'
import { openRbacServer, type RbacServer } from './rbac-server.ts'

const stack = new AsyncDisposableStack()
let server: RbacServer
const keys = createTokenKeys([generateSigningKey()])
beforeAll(async () => {
  server = stack.use(await openRbacServer())
  const parts = { clock: systemClock, random: seededRandom(1), log: silentLogger }
  const informers = stack.use(createInformers({ ...parts, client: server.admin }))
  const controller = serviceAccountTokenController({
    rootCa: 'CA',
    issueToken: (subject) => issueLegacyToken(keys, subject),
  })
  const clientOf = () => server.as('system:kube-controller-manager')
  stack.use(startControllers([controller], { ...parts, clientOf, informers }))
})
afterAll(() => stack.disposeAsync())

const NAME = 'kubernetes.io/service-account.name'
const UID = 'kubernetes.io/service-account.uid'
const text = ({ data }: Secret, key: string) => Buffer.from(data?.[key] ?? '', 'base64').toString()

const secretOf = (name: string) => server.admin.of(secrets).get({ namespace: 'a', name }).catch(undefinedIfNotFound)

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await systemClock.sleep(10)
  }
}

/** What the authenticator looks at. */
function peek() {
  const registry = server.server.server.registries.of(secrets)
  return (key: Parameters<typeof registry.peek>[0]) => registry.peek(key)?.object()
}

test('a Secret gets a token of its service account, and goes with it', async () => {
  const account = await server.admin.of(serviceAccounts).create({ metadata: { name: 'bot', namespace: 'a' } })
  const type = 'kubernetes.io/service-account-token'
  const metadata = { name: 'bot-token', namespace: 'a', annotations: { [NAME]: 'bot' } }
  await server.admin.of(secrets).create({ metadata, type })
  const secret = await until(async () => {
    const found = await secretOf('bot-token')
    return found?.data?.token ? found : undefined
  })
  expect(secret.metadata.annotations).toEqual({ [NAME]: 'bot', [UID]: account.metadata.uid })
  expect([text(secret, 'ca.crt'), text(secret, 'namespace')]).toEqual(['CA', 'a'])
  const token = text(secret, 'token')
  const bound = { uidOf: () => account.metadata.uid }
  const { verify } = legacyTokens({ keys, bound, secret: peek() })
  expect(await verify(token)).toEqual({
    name: 'system:serviceaccount:a:bot',
    uid: account.metadata.uid,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:a'],
  })
  await expect(legacyTokens({ keys, bound: { uidOf: () => 'another' }, secret: peek() }).verify(token)).rejects.toThrow(
    'gone',
  )
  await server.admin.of(serviceAccounts).delete({ name: 'bot', namespace: 'a' })
  await until(async () => ((await secretOf('bot-token')) ? undefined : true))
  await expect(verify(token)).rejects.toThrow('the token has been invalidated')
})

test('a Secret for an account that is not there goes', async () => {
  const metadata = { name: 'nobody', namespace: 'a', annotations: { [NAME]: 'nobody' } }
  await server.admin.of(secrets).create({ metadata, type: 'kubernetes.io/service-account-token' })
  await until(async () => ((await secretOf('nobody')) ? undefined : true))
})

test('who bears a bootstrap token is of its groups until it ends', async () => {
  const stringData = {
    'token-id': 'abcdef',
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-authentication': 'true',
    'auth-extra-groups': 'system:bootstrappers:workers',
    expiration: '2026-01-01T01:00:00Z',
  }
  const metadata = { name: 'bootstrap-token-abcdef', namespace: 'kube-system' }
  await server.admin.of(secrets).create({ metadata, type: 'bootstrap.kubernetes.io/token', stringData })
  const at = (now: string) => bootstrapTokens({ clock: { ...systemClock, now: () => Date.parse(now) }, secret: peek() })
  const early = at('2026-01-01T00:59:59Z')
  expect(await early.verify('abcdef.0123456789abcdef')).toEqual({
    name: 'system:bootstrap:abcdef',
    groups: ['system:bootstrappers', 'system:bootstrappers:workers'],
  })
  expect(await early.verify('abcdef.0123456789abcdee')).toBeUndefined()
  expect(await early.verify('ghijkl.0123456789abcdef')).toBeUndefined()
  expect(await at('2026-01-01T01:00:00Z').verify('abcdef.0123456789abcdef')).toBeUndefined()
})
