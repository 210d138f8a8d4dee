/**
 * A directory whose files change all at once, as Kubernetes lays it out:
 *
 *   ..2026_11_21_03_04_05.000000001/web.conf   the files of one version
 *   ..data → ..2026_11_21_03_04_05.000000001   swapped by one rename
 *   web.conf → ..data/web.conf                 what containers open
 *
 * Readers see the old version or the new one, never a mixture.
 */

import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface VolumeFile {
  readonly data: Uint8Array
  /** Permission bits. */
  readonly mode: number
}

/** Relative paths, without `..`, to files. */
export type VolumeFiles = ReadonlyMap<string, VolumeFile>

const DATA = '..data'
const DATA_NEW = '..data_tmp'

/** Brings `directory` to exactly these files. Does nothing when it has them already. `prepare` sets owners of a new version. */
export async function writeAtomically(
  directory: string,
  files: VolumeFiles,
  stamp: string,
  prepare: (version: string) => Promise<void>,
): Promise<void> {
  const current = await readlink(join(directory, DATA)).catch(() => undefined)
  if (current !== undefined && (await isUpToDate(join(directory, current), files))) return
  await removeLeftovers(directory, current)
  const version = await mkdtemp(join(directory, `..${stamp}.`))
  await chmod(version, 0o755)
  for (const [path, { data, mode }] of files) {
    const target = join(version, path)
    await mkdir(dirname(target), { recursive: true, mode: 0o755 })
    await writeFile(target, data)
    await chmod(target, mode)
  }
  await prepare(version)
  await symlink(version.slice(directory.length + 1), join(directory, DATA_NEW))
  await rename(join(directory, DATA_NEW), join(directory, DATA))
  await linkNames(directory, new Set([...files.keys()].map((path) => path.split('/')[0] ?? path)))
  if (current !== undefined) await rm(join(directory, current), { recursive: true, force: true })
}

/** What a writer left that did not come to its end. */
async function removeLeftovers(directory: string, current: string | undefined): Promise<void> {
  for (const name of await readdir(directory)) {
    const isOurs = name.startsWith('..') && name !== DATA && name !== current
    if (isOurs) await rm(join(directory, name), { recursive: true, force: true })
  }
}

async function isUpToDate(version: string, files: VolumeFiles): Promise<boolean> {
  const existing = await filesUnder(version)
  if (existing.length !== files.size) return false
  for (const [path, { data, mode }] of files) {
    const bytes = await readFile(join(version, path)).catch(() => undefined)
    if (!bytes?.equals(data)) return false
    if (((await stat(join(version, path))).mode & 0o777 & mode) !== mode) return false
  }
  return true
}

async function filesUnder(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** The visible names: links for what is there, none for what is gone. */
async function linkNames(directory: string, names: ReadonlySet<string>): Promise<void> {
  for (const name of names) {
    const link = join(directory, name)
    if (!(await lstat(link).catch(() => undefined))) await symlink(join(DATA, name), link)
  }
  for (const name of await readdir(directory)) {
    if (!name.startsWith('..') && !names.has(name)) await rm(join(directory, name), { force: true })
  }
}
