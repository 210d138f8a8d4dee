/** Tokens besides those that pods get: of Secrets, and for joining. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { secrets } from '../../../src/apis/core/secret.ts'
import { serviceAccounts } from '../../../src/apis/core/service-account.ts'
import type { Secret } from '../../../src/apis/core/types.gen.ts'
import type { ResourceDefinition } from '../../../src/apis/definition.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { createFakeClock } from '../../../src/base/fake-clock.ts'
import { silentLogger } from '../../../src/base/log.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { createInformers } from '../../../src/client/informers.ts'
import { startControllers } from '../../../src/controllers/runtime/manager.ts'
import { serviceAccountTokenController } from '../../../src/controllers/security/service-account-tokens.ts'
import { undefinedIfNotFound } from '../../../src/machinery/meta/api-error.ts'
import type { KubeObject, ObjectKey } from '../../../src/machinery/meta/object.ts'
import { createTokenKeys, generateSigningKey } from '../../../src/server/auth/json-web-token.ts'
import { issueLegacyToken, legacyTokens } from '../../../src/server/auth/legacy-token.ts'
import { bootstrapTokens } from '../../../src/server/auth/tokens/bootstrap-token.ts'
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
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since'
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
function peek<T extends KubeObject>(definition: ResourceDefinition<T>) {
  const registry = server.server.server.registries.of(definition)
  return (key: ObjectKey) => registry.peek(key)?.object()
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
  const labels: string[] = []
  const clock = createFakeClock(Date.parse('2026-03-01T12:00:00Z'))
  const label = async (_: Secret, name: string, value: string) => void labels.push(`${name}=${value}`)
  const parts = { keys, audiences: ['api'], clock, label, secret: peek(secrets) }
  const verify = (bearer: string) =>
    legacyTokens({ ...parts, serviceAccount: peek(serviceAccounts) }).verify(bearer, ['x', 'api'])
  expect(await verify(token)).toEqual({
    user: {
      name: 'system:serviceaccount:a:bot',
      uid: account.metadata.uid,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:a'],
    },
    audiences: ['api'],
    facts: [
      ['authentication.k8s.io/legacy-token', 'system:serviceaccount:a:bot'],
      ['authentication.k8s.io/legacy-token-manual-secret', 'bot-token'],
    ],
  })
  expect(labels).toEqual(['kubernetes.io/legacy-token-last-used=2026-03-01'])
  const metadataOf = (more: object) => () => ({ ...account, metadata: { ...account.metadata, ...more } })
  for (const [serviceAccount, refusal] of [
    [metadataOf({ uid: 'another' }), 'ServiceAccount UID (another) does not match claim'],
    [metadataOf({ deletionTimestamp: '2026-03-01T00:00:00Z' }), 'ServiceAccount a/bot has been deleted'],
    [() => undefined, 'serviceaccounts "bot" not found'],
  ] as const)
    await expect(legacyTokens({ ...parts, serviceAccount }).verify(token, ['api'])).rejects.toThrow(refusal)
  const marked = { ...secret, metadata: { ...secret.metadata, labels: { [INVALID_SINCE]: '2026-01-01' } } }
  await expect(
    legacyTokens({ ...parts, secret: () => marked, serviceAccount: () => account }).verify(token, ['api']),
  ).rejects.toThrow('has been marked invalid')
  const generated = { ...account, secrets: [{ name: 'bot-token' }] }
  const warned = await legacyTokens({ ...parts, serviceAccount: () => generated }).verify(token, ['api'])
  expect(warned?.warnings).toEqual([expect.stringContaining('instead of auto-generated secret-based tokens')])
  await expect(legacyTokens({ ...parts, serviceAccount: () => account }).verify(token, ['x'])).rejects.toThrow(
    'token audiences ["api"] is invalid for the target audiences ["x"]',
  )
  await server.admin.of(serviceAccounts).delete({ name: 'bot', namespace: 'a' })
  await until(async () => ((await secretOf('bot-token')) ? undefined : true))
  await expect(verify(token)).rejects.toThrow('Token has been invalidated')
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
  const at = (now: string) =>
    bootstrapTokens({ clock: { ...systemClock, now: () => Date.parse(now) }, secret: peek(secrets) })
  const early = at('2026-01-01T00:59:59Z')
  expect(early('abcdef.0123456789abcdef')).toEqual({
    name: 'system:bootstrap:abcdef',
    groups: ['system:bootstrappers', 'system:bootstrappers:workers'],
  })
  expect(early('abcdef.0123456789abcdee')).toBeUndefined()
  expect(early('ghijkl.0123456789abcdef')).toBeUndefined()
  expect(at('2026-01-01T01:00:00Z')('abcdef.0123456789abcdef')).toBeUndefined()
})
