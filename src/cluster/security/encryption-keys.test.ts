import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { seededRandom } from '../../base/random.ts'
import { loadKeys, newKey, saveKeys } from './encryption-keys.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 't8s-keys-'))
  path = join(folder, 'pki', 'encryption.keys')
})
afterEach(() => rm(folder, { recursive: true }))

test('keys are kept in their order, for their owner alone', async () => {
  expect(await loadKeys(path)).toBeUndefined()
  const random = seededRandom(1)
  const first = newKey([], random)
  const second = newKey([first], random)
  expect([first.name, second.name]).toEqual(['key1', 'key2'])
  await saveKeys(path, [second, first])
  expect(await loadKeys(path)).toEqual([second, first])
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

test('a file that others can read is refused', async () => {
  await saveKeys(path, [newKey([], seededRandom(1))])
  await chmod(path, 0o640)
  await expect(loadKeys(path)).rejects.toThrow(`${path} holds keys and can be read by others: chmod 600 ${path}`)
})

for (const [what, text, message] of [
  ['an empty file', '\n', 'holds no key'],
  ['a short key', 'key1 YWJj\n', 'line 1 is not a name and a key of 32 bytes in base64'],
  ['another name', `mine ${'A'.repeat(43)}=\n`, 'line 1 is not a name and a key of 32 bytes in base64'],
] as const)
  test(`${what} is refused, and not repeated`, async () => {
    await saveKeys(path, [])
    await writeFile(path, text)
    await expect(loadKeys(path)).rejects.toThrow(message)
  })
