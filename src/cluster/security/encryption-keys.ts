/**
 * The cluster's own keys for encryption at rest: a file that only its owner reads, the newest key first.
 *
 *   key2 9ZkM…=
 *   key1 Vb0s…=
 *
 * Whoever has the file reads the cluster's secrets; without it nobody does.
 */

import { mkdir, open, readFile, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Random } from '../../base/random.ts'
import { ConfigError } from '../config-error.ts'

export interface StoredKey {
  readonly name: string
  /** In base64. */
  readonly secret: string
}

const KEY_BYTES = 32
const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700

/** Bits of a file's mode that others than its owner have. */
const OF_OTHERS = 0o077

/** Undefined: there is no such file. Throws `ConfigError` for one that is not a file of keys, or that others can read. */
export async function loadKeys(path: string): Promise<readonly StoredKey[] | undefined> {
  try {
    const { mode } = await stat(path)
    if ((mode & OF_OTHERS) !== 0)
      throw new ConfigError(`${path} holds keys and can be read by others: chmod 600 ${path}`)
    return keysIn(await readFile(path, 'utf8'), path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** On the disk when it resolves: what is encrypted with a key is lost without it. */
export async function saveKeys(path: string, keys: readonly StoredKey[]): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: DIRECTORY_MODE })
  const text = keys.map(({ name, secret }) => `${name} ${secret}\n`).join('')
  await using file = await open(`${path}.new`, 'w', FILE_MODE)
  await file.writeFile(text)
  await file.sync()
  await rename(`${path}.new`, path)
  await using entry = await open(folder)
  await entry.sync()
}

/** Named after the newest one there is. */
export function newKey(keys: readonly StoredKey[], random: Random): StoredKey {
  const newest = Number(/^key(\d{1,9})$/.exec(keys[0]?.name ?? '')?.[1] ?? 0)
  return { name: `key${newest + 1}`, secret: Buffer.from(random.bytes(KEY_BYTES)).toString('base64') }
}

function keysIn(text: string, path: string): readonly StoredKey[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0) throw new ConfigError(`${path} holds no key`)
  return lines.map((line, index) => {
    const [, name, secret] = /^(key\d{1,9}) ([A-Za-z0-9+/]{43}=)$/.exec(line.trim()) ?? []
    if (name === undefined || secret === undefined)
      throw new ConfigError(`${path}: line ${index + 1} is not a name and a key of ${KEY_BYTES} bytes in base64`)
    return { name, secret }
  })
}
