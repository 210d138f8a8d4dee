/**
 * The user's kubeconfig files, changed the way kubectl changes them: `FILE.lock` while writing, a new file renamed into
 * place, private to the user. With several files in `$KUBECONFIG`, an entry stays in the file that has it, a new one
 * goes to the first file that exists.
 */

import { existsSync } from 'node:fs'
import { chmod, mkdir, open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { randomInteger, systemRandom } from '../base/random.ts'
import {
  currentContextOf,
  hasEntry,
  type KubeconfigEntry,
  withCurrentContext,
  withEntry,
  withoutEntry,
} from '../client/kubeconfig.ts'

/** How long to try for a lock, in ms. */
const LOCK_WAIT_MS = 5_000
/** Tries come this far apart, and up to as much again by chance, in ms. */
const LOCK_RETRY_MS = 50
/** Locks older than this were left behind: writing takes milliseconds. */
const LOCK_AGE_MS_MAX = 60_000
const FILE_MODE = 0o600

/** Somebody else keeps the file's lock. */
export class KubeconfigLocked extends Error {
  override readonly name = 'KubeconfigLocked'
}

/** The files that kubectl would read, in its order. */
export function kubeconfigPaths(explicit: string | undefined, variable: string | undefined): readonly string[] {
  if (explicit !== undefined) return [resolve(explicit)]
  const listed = (variable ?? '').split(delimiter).filter((path) => path !== '')
  return listed.length > 0 ? [...new Set(listed.map((path) => resolve(path)))] : [join(homedir(), '.kube', 'config')]
}

/** What merging did. */
export interface Merged {
  readonly path: string
  /** The context that was current before; absent: none, or the entry's own. */
  readonly previousContext?: string | undefined
}

export async function mergeEntry(
  paths: readonly string[],
  entry: KubeconfigEntry,
  { select, clock }: { readonly select: boolean; readonly clock: Clock },
): Promise<Merged> {
  const texts = await Promise.all(paths.map(textAt))
  const usual = paths.find((path) => existsSync(path)) ?? paths.at(-1) ?? ''
  const holder = paths[texts.findIndex((text) => hasEntry(text, entry.name))] ?? usual
  await edit(holder, clock, (text) => withEntry(text, entry))
  const current = texts.map(currentContextOf).find((name) => name !== undefined)
  if (select && current !== entry.name) await edit(usual, clock, (text) => withCurrentContext(text, entry.name))
  return { path: holder, ...(current !== undefined && current !== entry.name && { previousContext: current }) }
}

/**
 * Removes the entry from every file, and where ours is still the current context, puts the previous one back if that
 * still exists.
 */
export async function removeEntry(
  paths: readonly string[],
  name: string,
  { previousContext = '', clock }: { readonly previousContext?: string | undefined; readonly clock: Clock },
): Promise<void> {
  const texts = await Promise.all(paths.map(textAt))
  const restored = texts.some((text) => hasEntry(text, previousContext)) ? previousContext : ''
  for (const [index, path] of paths.entries()) {
    const text = texts[index] ?? ''
    const isCurrent = currentContextOf(text) === name
    if (!hasEntry(text, name) && !isCurrent) continue
    await edit(path, clock, (now) => {
      const without = withoutEntry(now, name)
      return isCurrent ? withCurrentContext(without, restored) : without
    })
  }
}

/** A file for one cluster, private to the user. */
export async function writePrivately(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const fresh = `${path}.${process.pid}.new`
  await writeFile(fresh, text, { mode: FILE_MODE })
  await chmod(fresh, FILE_MODE)
  await rename(fresh, path)
}

/** A file that is not there reads as an empty one. */
async function textAt(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}

async function edit(path: string, clock: Clock, change: (text: string) => string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const lock = `${path}.lock`
  await takeLock(lock, clock)
  try {
    // A link stays a link: what it points to is replaced.
    await writePrivately(existsSync(path) ? await realpath(path) : path, change(await textAt(path)))
  } finally {
    await rm(lock, { force: true })
  }
}

async function takeLock(lock: string, clock: Clock): Promise<void> {
  const end = clock.monotonic() + LOCK_WAIT_MS
  for (;;) {
    try {
      await (await open(lock, 'wx', 0o600)).close()
      return
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const age = await stat(lock).then(
      ({ mtimeMs }) => clock.now() - mtimeMs,
      () => 0,
    )
    if (age > LOCK_AGE_MS_MAX) await rm(lock, { force: true })
    else if (clock.monotonic() > end) throw new KubeconfigLocked(`${lock} is held by another program`)
    else await clock.sleep(LOCK_RETRY_MS + randomInteger(systemRandom, LOCK_RETRY_MS))
  }
}

/** The context that kubectl would use. */
export async function currentContext(paths: readonly string[]): Promise<string | undefined> {
  const texts = await Promise.all(paths.map(textAt))
  return texts.map(currentContextOf).find((name) => name !== undefined)
}
