/**
 * Goal: the bytes of a cluster on disk never contain what its secrets say, and everybody who reads through the API does
 * not notice. Method: a control plane with its folder; the raw files of the store, LevelDB's own logs included, are
 * searched for a canary after every kind of write.
 */

import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { configMaps } from '../../../../src/apis/core/config-map.ts'
import { secrets } from '../../../../src/apis/core/secret.ts'
import { systemClock } from '../../../../src/base/clock.ts'
import type { Client } from '../../../../src/client/client.ts'
import { createKeyRotation } from '../../../../src/cluster/security/key-rotation.ts'
import { checkStorage } from '../../../../src/storage/storage-tools.ts'
import { type DiskCluster, folderOf, openOnDisk, storeFiles, temporaryFolder } from './disk-cluster.ts'

const CANARY = 'canary-5f1e3a90'
const ENCODED = Buffer.from(CANARY).toString('base64')

let home: string
const stack: AsyncDisposable[] = []

beforeEach(async () => {
  const folder = await temporaryFolder()
  stack.push(folder)
  home = folder.path
})
afterEach(async () => {
  for (const one of stack.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

const hidden = () => storeFiles(home, [CANARY, ENCODED])

function secret(name: string, extra = '') {
  const data = { password: Buffer.from(CANARY + extra).toString('base64') }
  return { metadata: { name, namespace: 'default' }, data }
}

async function writeEverything(client: Client): Promise<void> {
  await client.of(secrets).create(secret('kept'))
  await client.of(secrets).create({ metadata: { name: 'text', namespace: 'default' }, stringData: { a: CANARY } })
  await client.of(secrets).create(secret('gone'))
  await client.of(secrets).patch({ namespace: 'default', name: 'kept' }, { type: 'merge', body: secret('kept', '2') })
  await client.of(secrets).delete({ namespace: 'default', name: 'gone' })
}

const passwordOf = async (client: Client, name: string) => {
  const { data } = await client.of(secrets).get({ namespace: 'default', name })
  return Buffer.from(data?.password ?? '', 'base64').toString()
}

test('secrets are encrypted without being asked, through every write, compaction and restart', async () => {
  {
    await using first = await openOnDisk(home)
    const { client, controlPlane } = first
    await writeEverything(client)
    expect(await hidden()).toEqual([])
    await controlPlane.storage.compact(controlPlane.storage.head)
    expect(await hidden()).toEqual([])
    // The search finds what is there.
    await client
      .of(configMaps)
      .create({ metadata: { name: 'open', namespace: 'default' }, data: { a: 'not-a-secret' } })
    expect(await storeFiles(home, ['not-a-secret'])).not.toEqual([])
  }
  expect(await hidden()).toEqual([])
  expect((await checkStorage(join(folderOf(home), 'store'))).problems).toEqual([])
  expect((await stat(join(folderOf(home), 'pki', 'encryption.keys'))).mode & 0o777).toBe(0o600)
  await using second = await openOnDisk(home)
  expect(await passwordOf(second.client, 'kept')).toBe(`${CANARY}2`)
  expect(await hidden()).toEqual([])
  const metrics = (await second.ask('GET', '/metrics', { as: await second.user('admin', 'system:masters') })).text
  expect(metrics).toMatch(
    /^apiserver_storage_transformation_operations_total\{.*prefix="k8s:enc:aesgcm:v1:".*resource="secrets".*\} \d+$/m,
  )
})

test('watches and lists of the past read what was written, however it is stored', async () => {
  await using cluster = await openOnDisk(home)
  const before = await cluster.client.of(secrets).list({ namespace: 'default' })
  await writeEverything(cluster.client)
  const stop = new AbortController()
  const seen: string[] = []
  const { resourceVersion = '' } = before.metadata
  for await (const { type, object } of cluster.client
    .of(secrets)
    .watch({ namespace: 'default', resourceVersion, signal: stop.signal })) {
    seen.push(`${type} ${object.metadata.name} ${Buffer.from(object.data?.password ?? '', 'base64')}`)
    if (type === 'DELETED') break
  }
  stop.abort()
  expect(seen).toEqual([
    `ADDED kept ${CANARY}`,
    'ADDED text ',
    `ADDED gone ${CANARY}`,
    `MODIFIED kept ${CANARY}2`,
    `DELETED gone ${CANARY}`,
  ])
  const options = { namespace: 'default', resourceVersion, resourceVersionMatch: 'Exact' } as const
  expect((await cluster.client.of(secrets).list(options)).items).toEqual(before.items)
})

test('a rotation writes every secret with a new key, forgets old keys, and is not seen by readers', async () => {
  {
    await using cluster = await openOnDisk(home)
    await writeEverything(cluster.client)
    const rotate = createKeyRotation(cluster.controlPlane.encryptionKeys, cluster.client)
    expect(await storeFiles(home, ['k8s:enc:aesgcm:v1:key1:'])).not.toEqual([])
    expect(await rotate()).toEqual({ key: 'key2', written: 2 })
    expect(await passwordOf(cluster.client, 'kept')).toBe(`${CANARY}2`)
    expect(await rotate()).toEqual({ key: 'key3', written: 2 })
    expect(await passwordOf(cluster.client, 'kept')).toBe(`${CANARY}2`)
    expect(await hidden()).toEqual([])
    const raw = await readFile(join(folderOf(home), 'pki', 'encryption.keys'), 'utf8')
    expect(raw.split('\n').map((line) => line.split(' ')[0])).toEqual(['key3', 'key2', ''])
  }
  await using again = await openOnDisk(home)
  expect(await passwordOf(again.client, 'kept')).toBe(`${CANARY}2`)
  expect(await hidden()).toEqual([])
})

test('a folder that was written without encryption is read on, and encrypted as it is written', async () => {
  {
    await using plain = await openOnDisk(home, { encryption: { enabled: false } })
    await writeEverything(plain.client)
    expect(await hidden()).not.toEqual([])
  }
  {
    await using encrypted = await openOnDisk(home)
    expect(await passwordOf(encrypted.client, 'kept')).toBe(`${CANARY}2`)
    const before = await encrypted.client.of(secrets).get({ namespace: 'default', name: 'kept' })
    // What changes nothing is written all the same, once.
    const replaced = await encrypted.client.of(secrets).update(before)
    expect(replaced.metadata.resourceVersion).not.toBe(before.metadata.resourceVersion)
    const again = await encrypted.client.of(secrets).update(replaced)
    expect(again.metadata.resourceVersion).toBe(replaced.metadata.resourceVersion)
  }
  await using off = await openOnDisk(home, { encryption: { enabled: false } })
  expect(await passwordOf(off.client, 'kept')).toBe(`${CANARY}2`)
})

const document = (keys: readonly string[], resources = '[secrets, configmaps]') => `
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: ${resources}
  providers:
  - aesgcm:
      keys:
${keys.map((name) => `      - {name: ${name}, secret: ${Buffer.alloc(32, name).toString('base64')}}`).join('\n')}
  - identity: {}
`

test('an EncryptionConfiguration says what is encrypted, and is read again when it changes', async () => {
  const config = join(home, 'encryption.yaml')
  await writeFile(config, document(['one']))
  await using cluster = await openOnDisk(home, { encryption: { config } })
  const { client } = cluster
  await client.of(configMaps).create({ metadata: { name: 'a', namespace: 'default' }, data: { a: CANARY } })
  await writeEverything(client)
  expect(await hidden()).toEqual([])
  expect(cluster.controlPlane.encryptionKeys).toBeUndefined()

  await writeFile(config, 'kind: Nonsense')
  await untilLogged(cluster, 'the new encryption configuration is not used')
  await writeFile(config, document(['two', 'one']))
  await untilLogged(cluster, 'the encryption configuration was read again')
  // kubectl get secrets -A -o json | kubectl replace -f -
  for (const item of (await client.of(secrets).list()).items) await client.of(secrets).update(item)
  expect(await hidden()).toEqual([])
  expect(await storeFiles(home, ['k8s:enc:aesgcm:v1:two:'])).not.toEqual([])

  await writeFile(config, document(['two']))
  await untilLogged(cluster, 'the encryption configuration was read again', 2)
  expect(await passwordOf(client, 'kept')).toBe(`${CANARY}2`)
  await client.of(secrets).delete({ namespace: 'default', name: 'text' })
  expect((await client.of(secrets).list({ namespace: 'default' })).items.map(({ metadata }) => metadata.name)).toEqual([
    'kept',
  ])
  const { text } = await cluster.ask('GET', '/metrics', { as: await cluster.user('admin', 'system:masters') })
  const reloads = 'apiserver_encryption_config_controller_automatic_reloads_total'
  expect(text.split('\n').filter((line) => line.startsWith(reloads))).toEqual([
    `${reloads}{status="failure"} 1`,
    `${reloads}{status="success"} 2`,
  ])
})

test("a document takes over from the cluster's own key, which it names", async () => {
  {
    await using cluster = await openOnDisk(home)
    await writeEverything(cluster.client)
  }
  const [line = ''] = (await readFile(join(folderOf(home), 'pki', 'encryption.keys'), 'utf8')).split('\n')
  const [name = '', secret = ''] = line.split(' ')
  const config = join(home, 'encryption.yaml')
  await writeFile(config, `${document(['one'], '[secrets]')}  - aesgcm: {keys: [{name: ${name}, secret: ${secret}}]}\n`)
  await using cluster = await openOnDisk(home, { encryption: { config } })
  expect(await passwordOf(cluster.client, 'kept')).toBe(`${CANARY}2`)
})

async function untilLogged({ logged }: DiskCluster, text: string, times = 1): Promise<void> {
  while (logged.filter((line) => line.includes(text)).length < times) await systemClock.sleep(50)
}
