/**
 * Goal: whoever can write to the disk can destroy a secret, but cannot change it, put it in another's place or bring
 * the server down. Method: values are exchanged in the store behind the server's back, checksums and all.
 */

import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { secrets } from '../../../../src/apis/core/secret.ts'
import { systemClock } from '../../../../src/base/clock.ts'
import { silentLogger } from '../../../../src/base/log.ts'
import type { KeyPair } from '../../../../src/server/auth/certificate-authority.ts'
import { openLevelStorage } from '../../../../src/storage/level-storage.ts'
import { type DiskCluster, folderOf, openOnDisk, temporaryFolder } from './disk-cluster.ts'

let home: string
let stack: AsyncDisposableStack
beforeEach(async () => {
  stack = new AsyncDisposableStack()
  home = stack.use(await temporaryFolder()).path
})
afterEach(() => stack.disposeAsync())

const keyOf = (name: string) => `/registry/core/secrets/default/${name}`

async function writeSecrets(): Promise<void> {
  await using cluster = await openOnDisk(home)
  for (const name of ['victim', 'other'])
    await cluster.client.of(secrets).create({ metadata: { name, namespace: 'default' }, stringData: { of: name } })
}

async function tamper(change: (victim: Buffer, other: Buffer) => Buffer): Promise<void> {
  const directory = join(folderOf(home), 'store')
  await using storage = await openLevelStorage({ directory, clock: systemClock, log: silentLogger })
  const read = async (name: string) => Buffer.from((await storage.get(keyOf(name)))?.value ?? [])
  const value = change(await read('victim'), await read('other'))
  expect(await storage.transact([], [{ type: 'put', key: keyOf('victim'), value }])).toMatchObject({
    result: 'committed',
  })
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(at) ^ 0x10, at)
  return copy
}

const TAMPERED: readonly (readonly [what: string, change: (victim: Buffer, other: Buffer) => Buffer, why: string])[] = [
  ['a flipped bit', (victim) => flipped(victim, victim.length - 20), 'cipher: message authentication failed'],
  ['the value of another secret', (_, other) => other, 'cipher: message authentication failed'],
  ['a value cut short', (victim) => victim.subarray(0, -5), 'cipher: message authentication failed'],
  ['nothing but the prefix', (victim) => victim.subarray(0, 24), 'the stored data was shorter than the required size'],
  [
    'the name of an unknown key',
    (victim) => Buffer.from(victim.toString('latin1').replace('key1', 'key9'), 'latin1'),
    'no matching key was found for the provided AES transformer',
  ],
  [
    'an unknown cipher',
    (victim) => Buffer.from(victim.toString('latin1').replace('aesgcm', 'nonsen'), 'latin1'),
    'no matching prefix found',
  ],
]

for (const [what, change, why] of TAMPERED)
  test(`${what} makes a secret unreadable, and nothing else`, async () => {
    await writeSecrets()
    await tamper(change)
    const cluster = stack.use(await openOnDisk(home))
    const admin = await cluster.user('admin', 'system:masters')
    const path = '/api/v1/namespaces/default/secrets'
    const message = `Internal error occurred: ${why}`
    expect(await failure(cluster, admin, 'GET', `${path}/victim`)).toEqual([500, 'InternalError', message])
    expect(await failure(cluster, admin, 'GET', path)).toEqual([
      500,
      'InternalError',
      `Internal error occurred: unable to transform key "${keyOf('victim')}": ${why}`,
    ])
    expect(await failure(cluster, admin, 'DELETE', `${path}/victim`)).toEqual([500, 'InternalError', message])
    expect((await cluster.ask('GET', `${path}/other`, { as: admin })).status).toBe(200)
    expect((await cluster.ask('GET', '/api/v1/namespaces/kube-system/secrets', { as: admin })).status).toBe(200)
    const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'new' } }
    expect((await cluster.ask('POST', path, { as: admin, body })).status).toBe(201)
    expect((await cluster.ask('GET', '/readyz', { as: admin })).text).toBe('ok')
    const [line, ...more] = cluster.logged.filter((text) => text.startsWith('An object cannot be read'))
    expect([JSON.parse(line?.slice(line.indexOf('{')) ?? ''), more]).toEqual([{ key: keyOf('victim'), error: why }, []])
  })

async function failure({ ask }: DiskCluster, as: KeyPair, method: string, path: string) {
  const { status, json } = await ask(method, path, { as })
  return [status, json.reason, json.message]
}
