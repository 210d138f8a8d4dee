/**
 * Strangers' programs, built with the machine's Go: each once per machine and release, kept outside of the checkout with
 * a stamp of what it was built from. Nothing is downloaded but Go modules, and those only while a program is being built.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface GoBuild {
  /** For people: `upstream's kubectl v1.36.3`. */
  readonly title: string
  /** Where the program is kept; its stamp lies beside it. */
  readonly path: string
  /** Names all that decides what is built: a change of it builds anew. */
  readonly key: string
  /** Where Go runs; a Go that is too old for the module there says so. */
  readonly directory: string
  /** What Go is told, so that the program is found in the folder. */
  readonly command: (folder: string) => GoCommand
}

export interface GoCommand {
  readonly words: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** The program's file in the folder. */
  readonly product: string
}

export interface BuildOptions {
  readonly say: (message: string) => void
  /** Builds that take longer are given up. */
  readonly minutesMax?: number
}

/** A first build of everything takes about ten minutes on two cores; one that takes this long hangs. */
const BUILD_MINUTES_MAX = 60
/** Compiled packages between two lines of progress. */
const PACKAGES_PER_LINE = 250
/** Of a failed build's output: where the errors stand. */
const LAST_LINES_MAX = 10

/** Builds what is missing, one after the other. Throws with the reason when something cannot be built. */
export async function buildMissing(
  builds: readonly GoBuild[],
  { say, minutesMax = BUILD_MINUTES_MAX }: BuildOptions,
): Promise<void> {
  const deadline = Date.now() + minutesMax * 60_000
  for (const build of builds) {
    if (isBuilt(build)) continue
    requireGo(build)
    say(`building ${build.title} with Go, once on this machine …`)
    await buildOne(build, deadline, say)
  }
}

/** Whether the program is there and was built from what its key names. */
export function isBuilt({ path, key }: GoBuild): boolean {
  const stamp = stampOf(path)
  return existsSync(path) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key
}

/** Where programs are kept: a folder for each release. */
export function programFolder(...release: readonly string[]): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 't8s', 'upstream', ...release)
}

function requireGo({ title, directory }: GoBuild): void {
  // Asked where it will build: a Go that is too old for it says so, or fetches the one it needs where that is allowed.
  const { error, status, stderr } = spawnSync('go', ['version'], { cwd: directory, encoding: 'utf8' })
  if (error) throw new Error(`Go is not installed (${error.message}), which builds ${title}`)
  if (status !== 0) throw new Error(`this Go cannot build ${title}: ${stderr.trim()}`)
}

async function buildOne(build: GoBuild, deadline: number, say: (message: string) => void): Promise<void> {
  const { path, key, directory } = build
  const partial = `${path}.${process.pid}`
  mkdirSync(partial, { recursive: true })
  const { words, env, product } = build.command(partial)
  const child = spawn('go', words, {
    cwd: directory,
    env: { ...process.env, CGO_ENABLED: '0', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  try {
    await finished(build, child, deadline, say)
    renameSync(join(partial, product), path)
    writeFileSync(stampOf(path), key)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

/** With `-v` Go prints each package that it compiles, and what is wrong. */
async function finished(
  { title }: GoBuild,
  child: ChildProcess,
  deadline: number,
  say: (message: string) => void,
): Promise<void> {
  const limit = setTimeout(() => child.kill(), Math.max(0, deadline - Date.now()))
  const last: string[] = []
  let packages = 0
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (child.stderr) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      last.splice(0, last.length - LAST_LINES_MAX + 1)
      last.push(line)
      packages++
      if (packages % PACKAGES_PER_LINE === 0) say(`  ${title}: ${packages} packages compiled`)
    })
  }
  const code = await ended
  clearTimeout(limit)
  if (code === null) throw new Error(`the build of ${title} took too long and was given up`)
  if (code !== 0) throw new Error(`${title} could not be built: ${last.join('\n')}`)
}

function stampOf(path: string): string {
  return `${path}.key`
}
