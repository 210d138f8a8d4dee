import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from '../../base/random.ts'
import { encodeYaml } from '../../machinery/wire/yaml.ts'
import { type EncryptionRule, encryptionOf, readEncryption } from './encryption-config.ts'

const parts = { random: seededRandom(1) }

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 't8s-encryption-config-'))
})
afterAll(() => rm(folder, { recursive: true }))

const secret = Buffer.alloc(32, 'k').toString('base64')
const gcm = { aesgcm: { keys: [{ name: 'a', secret }] } }
const identity = { identity: {} }

async function refusal(resources: unknown, head: object = {}): Promise<readonly string[]> {
  const path = join(folder, 'config.yaml')
  const document = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration', resources, ...head }
  await writeFile(path, encodeYaml(document))
  const error = await readEncryption(path, parts).then(
    () => undefined,
    (thrown: Error) => thrown,
  )
  return error?.message.split('\n  ').slice(1) ?? []
}

const rule = (...resources: readonly string[]) => [{ resources, providers: [gcm, identity] }]
const provided = (provider: object) => [{ resources: ['secrets'], providers: [provider] }]
const keyed = (key: object) => provided({ aesgcm: { keys: [key] } })

const KEY = 'resources[0].providers[0].aesgcm.keys[0]'
const OVERLAP =
  "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked"

describe('a configuration is refused in upstream words', () => {
  for (const [what, resources, expected] of [
    ['without rules', [], ['resources: Required value: at least one resources is required']],
    [
      'an empty rule',
      [{}],
      [
        'resources[0].resources: Required value: at least one resources[0].resources is required',
        'resources[0].providers: Required value: at least one resources[0].providers is required',
      ],
    ],
    ['a capital letter', rule('Secrets'), ['"Secrets": resource name should not contain capital letters']],
    [
      'a lone star',
      rule('*'),
      ['"*": use \'*.\' to encrypt all the resources from core API group or *.* to encrypt all resources'],
    ],
    [
      'a resource without an API',
      rule('apiserveripinfo'),
      ['"apiserveripinfo": resources which do not have REST API/s cannot be encrypted'],
    ],
    [
      'events of the wrong group',
      rule('events.events.k8s.io'),
      [
        "\"events.events.k8s.io\": '*.events.k8s.io' objects are stored using the 'events' API group in etcd. " +
          "Use 'events' instead in the config file",
      ],
    ],
    [
      'a removed group',
      rule('ingresses.extensions'),
      ['"ingresses.extensions": \'extensions\' group has been removed and cannot be used for encryption'],
    ],
    [
      'a resource of all groups',
      rule('secrets.*'),
      ['"secrets.*": encrypting the same resource across groups is not supported'],
    ],
  ] as const)
    test(what, async () => {
      const prefix = expected[0]?.startsWith('"') ? 'resources[0].resources[0]: Invalid value: ' : ''
      expect(await refusal(resources)).toEqual(expected.map((text) => `${prefix}${text}`))
    })

  for (const [what, resources, expected] of [
    ['twice the same', ['secrets', 'secrets'], ['the same resource cannot be specified multiple times']],
    ['a resource beside its group', ['secrets', '*.'], [OVERLAP]],
    ['a resource beside everything', ['secrets', '*.*'], [OVERLAP]],
    ['a resource beside another group', ['secrets', '*.apps'], []],
  ] as const)
    test(what, async () => {
      const value = `resources[0].resources: Invalid value: ${JSON.stringify(resources)}`
      expect(await refusal(rule(...resources))).toEqual(expected.map((text) => `${value}: ${text}`))
    })

  for (const [what, resources, expected] of [
    ['no provider', provided({}), 'resources[0].providers[0]: Invalid value: provider does not contain any of the'],
    ['two in one', provided({ ...gcm, ...identity }), 'resources[0].providers[0]: Invalid value: more than one'],
    [
      'no keys',
      provided({ aescbc: { keys: [] } }),
      'resources[0].providers[0].aescbc.keys: Required value: at least one keys is required',
    ],
    ['a key without a name', keyed({ secret }), `${KEY}.name: Required value: name is a mandatory field for a key`],
    [
      'a key without a secret',
      keyed({ name: 'a' }),
      `${KEY}.secret: Required value: secret is a mandatory field for a key`,
    ],
    [
      'a secret that is not base64',
      keyed({ name: 'a', secret: 'abc!' }),
      `${KEY}.secret: Invalid value: "REDACTED": secrets must be base64 encoded`,
    ],
    [
      'a secret of another length',
      keyed({ name: 'a', secret: 'YWJj' }),
      `${KEY}.secret: Invalid value: "REDACTED": secret is not of the expected length, got 3, expected one of [16 24 32]`,
    ],
    [
      'a short key of secretbox',
      provided({ secretbox: { keys: [{ name: 'a', secret: 'YWJj' }] } }),
      'resources[0].providers[0].secretbox.keys[0].secret: Invalid value: "REDACTED": ' +
        'secret is not of the expected length, got 3, expected one of [32]',
    ],
    [
      'a key management service',
      provided({ kms: { name: 'a', apiVersion: 'v2', endpoint: 'unix:///x' } }),
      'resources[0].providers[0].kms: Invalid value: key management services are not supported by t8s',
    ],
    ['an unknown provider', provided({ aesgcn: {} }), 'resources[0].providers[0]: unknown field "aesgcn"'],
    [
      'a rule behind one that takes all',
      [...rule('*.*'), ...rule('secrets')],
      'resource "secrets" is masked by earlier rule "*.*"',
    ],
    [
      'a rule behind its group',
      [...rule('*.'), ...rule('secrets')],
      'resource "secrets" is masked by earlier rule "*."',
    ],
  ] as const)
    test(what, async () => {
      const [finding, ...others] = await refusal(resources)
      expect([finding?.slice(0, expected.length), others]).toEqual([expected, []])
    })

  test('a key is in no message', async () => {
    for (const mistake of [keyed({ name: 'a', secret, more: secret }), provided({ ...gcm, aescbc: gcm.aesgcm })])
      expect((await refusal(mistake)).join()).not.toContain(secret)
  })
})

describe('a rule is for', () => {
  const covered = (resource: string, key: string) => {
    const rules: readonly EncryptionRule[] = [{ resources: [resource], providers: [gcm] }]
    const sealed = encryptionOf(rules, parts).transformerOf(key)?.seal(Buffer.from('{}'), key)
    return Buffer.from(sealed ?? [])
      .toString('latin1')
      .startsWith('k8s:enc:aesgcm:v1:a:')
  }
  for (const [resource, key, expected] of [
    ['secrets', '/registry/core/secrets/default/a', true],
    ['secrets', '/registry/core/secretsandmore/a', false],
    ['secrets', '/registry/core/configmaps/default/a', false],
    ['secrets', '/registry/example.com/secrets/default/a', false],
    ['*.', '/registry/core/configmaps/default/a', true],
    ['*.', '/registry/apps/deployments/default/a', false],
    ['*.apps', '/registry/apps/deployments/default/a', true],
    ['widgets.example.com', '/registry/example.com/widgets/a', true],
    ['*.*', '/registry/example.com/widgets/a', true],
  ] as const)
    test(`${resource}: ${key} is ${expected ? '' : 'not '}encrypted`, () => {
      expect(covered(resource, key)).toBe(expected)
    })

  test('the narrowest rule counts', () => {
    const encryption = encryptionOf(
      [
        { resources: ['secrets'], providers: [identity] },
        { resources: ['*.*'], providers: [gcm] },
      ],
      parts,
    )
    const seal = (key: string) => encryption.transformerOf(key)?.seal(Buffer.from('{}'), key).length
    expect([seal('/registry/core/secrets/a/b'), seal('/registry/core/pods/a/b')]).toEqual([2, 2 + 20 + 28])
  })
})
