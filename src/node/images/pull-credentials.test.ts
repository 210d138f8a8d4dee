import { expect, test } from 'vitest'
import { pod } from '../../../test/support/builders.ts'
import type { Secret } from '../../apis/core/types.gen.ts'
import { pullCredentials } from './pull-credentials.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const secret = (auths: unknown, key = '.dockerconfigjson'): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {},
  data: { [key]: base64(typeof auths === 'string' ? auths : JSON.stringify(auths)) },
})
const jane = { username: 'jane', password: 'a:b' }
const encoded = { auth: base64('jane:a:b') }

for (const [behaviour, image, found, expected] of [
  ['are those of the registry', 'example.com/app:1', secret({ auths: { 'example.com': jane } }), jane],
  ['may be encoded', 'example.com/app:1', secret({ auths: { 'example.com': encoded } }), jane],
  ['may be named by a URL', 'example.com/app:1', secret({ auths: { 'https://example.com/v2/': jane } }), jane],
  ['may be for a path', 'example.com/team/app:1', secret({ auths: { 'example.com/team': jane } }), jane],
  ['are not for another path', 'example.com/teams/app:1', secret({ auths: { 'example.com/team': jane } }), undefined],
  ['are not for another registry', 'other.com/app:1', secret({ auths: { 'example.com': jane } }), undefined],
  [
    'of the default registry are for images without one',
    'app:1',
    secret({ auths: { 'https://index.docker.io/v1/': jane } }),
    jane,
  ],
  ['may be of the older format', 'example.com/app:1', secret({ 'example.com': jane }, '.dockercfg'), jane],
  ['that cannot be read are none', 'example.com/app:1', secret('{'), undefined],
  ['of the wrong shape are none', 'example.com/app:1', secret({ auths: { 'example.com': { auth: 5 } } }), undefined],
  ['of a secret that is missing are none', 'example.com/app:1', undefined, undefined],
] as const) {
  test(`credentials ${behaviour}`, () => {
    const of = pod({ spec: { imagePullSecrets: [{ name: 'registry' }] } })
    expect(pullCredentials(of, image, () => found)).toEqual(expected)
  })
}
