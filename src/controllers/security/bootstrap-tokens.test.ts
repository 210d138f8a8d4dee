import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bootstrapTokenOf } from '../../apis/core/bootstrap-token.ts'
import type { ConfigMap, Secret } from '../../apis/core/types.gen.ts'
import { planSignatures } from './bootstrap-signer.ts'
import { planTokenCleaning } from './token-cleaner.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const token = (fields: Record<string, string> = {}, name = 'bootstrap-token-abcdef'): Secret => ({
  metadata: { name, namespace: 'kube-system', uid: '1' },
  type: 'bootstrap.kubernetes.io/token',
  data: Object.fromEntries(
    Object.entries({
      'token-id': 'abcdef',
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-signing': 'true',
      ...fields,
    }).map(([key, value]) => [key, base64(value)]),
  ),
})
const NOW_MS = Date.parse('2026-01-01T00:00:00Z')

describe('a token', () => {
  test.each([
    [
      'has the groups of all and its own',
      token({ 'auth-extra-groups': 'system:bootstrappers:a' }),
      ['system:bootstrappers', 'system:bootstrappers:a'],
    ],
    ['has no groups when it asks for others', token({ 'auth-extra-groups': 'system:masters' }), undefined],
    ['is none under another name', token({}, 'bootstrap-token-ghijkl'), undefined],
  ])('%s', (_, secret, groups) => expect(bootstrapTokenOf(secret)?.groups).toEqual(groups))

  test.each([
    ['that never ends stays', token(), { actions: [] }],
    ['stays until its end', token({ expiration: '2026-01-01T00:01:00Z' }), { actions: [], requeueAfterMs: 60_000 }],
    ['goes at its end', token({ expiration: '2026-01-01T00:00:00Z' }), { actions: [{ do: 'delete' }] }],
    ['whose end cannot be read goes', token({ expiration: 'soon' }), { actions: [{ do: 'delete' }] }],
  ])('%s', (_, secret, plan) => expect(planTokenCleaning(secret, NOW_MS)).toMatchObject(plan))
})

describe('cluster-info', () => {
  const info = (data: Record<string, string>): ConfigMap => {
    return { metadata: { name: 'cluster-info', namespace: 'kube-public' }, data }
  }
  const header = 'eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9'
  const signed = createHmac('sha256', '0123456789abcdef').update(`${header}.Y29uZmln`).digest('base64url')
  const signature = { 'jws-kubeconfig-abcdef': `${header}..${signed}` }
  const other = { 'jws-kubeconfig-ghijkl': 'x' }
  test.each([
    ['is signed with each token', { kubeconfig: 'config' }, [token()], { kubeconfig: 'config', ...signature }],
    ['loses the signatures of tokens that are gone', { kubeconfig: 'config', ...other }, [], { kubeconfig: 'config' }],
    [
      'is not signed with a token for other ends',
      { kubeconfig: 'config' },
      [token({ 'usage-bootstrap-signing': 'false' })],
      undefined,
    ],
    [
      'is not signed with a token that has ended',
      { kubeconfig: 'config' },
      [token({ expiration: '2025-12-31T00:00:00Z' })],
      undefined,
    ],
    ['is not written when it is right', { kubeconfig: 'config', ...signature }, [token()], undefined],
    ['has nothing to sign without a kubeconfig', other, [token()], undefined],
  ])('%s', (_, data, secrets, expected) => {
    const [action] = planSignatures({ info: info(data), secrets }, NOW_MS).actions
    expect(action?.do === 'update' ? Reflect.get(action.object, 'data') : undefined).toEqual(expected)
  })
})
