/** A path of the machine, checked or made as its type says. */

import type { Stats } from 'node:fs'
import { mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { HostPathVolumeSource } from '../../apis/core/types.gen.ts'
import { VolumeError } from './volume.ts'

const CHECKS: Readonly<Record<string, readonly [what: string, holds: (stats: Stats) => boolean]>> = {
  Directory: ['a directory', (stats) => stats.isDirectory()],
  File: ['a file', (stats) => stats.isFile()],
  Socket: ['a socket file', (stats) => stats.isSocket()],
  CharDevice: ['a character device', (stats) => stats.isCharacterDevice()],
  BlockDevice: ['a block device', (stats) => stats.isBlockDevice()],
}

export async function prepareHostPath({ path, type = '' }: HostPathVolumeSource): Promise<string> {
  if (type === 'DirectoryOrCreate' || (type === '' && !(await exists(path))))
    await mkdir(path, { recursive: true, mode: 0o755 })
  if (type === 'FileOrCreate') {
    await mkdir(dirname(path), { recursive: true })
    await (await open(path, 'a', 0o644)).close()
  }
  const check = CHECKS[type.replace(/OrCreate$/, '')]
  if (!check) return path
  const [what, holds] = check
  const stats = await stat(path).catch(() => undefined)
  if (!stats || !holds(stats)) throw new VolumeError(`hostPath type check failed: ${path} is not ${what}`)
  return path
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}
