/**
 * Upstream's own programs, built with Go from the release that go.mod pins: each once per machine and release, kept
 * outside of the checkout. Nothing is downloaded but Go modules, and those only while a program is being built.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const MODULE = import.meta.dirname

/** The release, as go.mod has it: `v1.36.3`. */
export const UPSTREAM_VERSION = releaseIn(readFileSync(join(MODULE, 'go.mod'), 'utf8'))

const [MAJOR = '', MINOR = ''] = UPSTREAM_VERSION.slice(1).split('.')
const VERSION_PACKAGE = 'k8s.io/component-base/version'
/** Programs print these and clients read them; upstream's release scripts set the same ones. */
const VERSION_STRINGS: Readonly<Record<string, string>> = {
  [`${VERSION_PACKAGE}.gitVersion`]: UPSTREAM_VERSION,
  [`${VERSION_PACKAGE}.gitMajor`]: MAJOR,
  [`${VERSION_PACKAGE}.gitMinor`]: MINOR,
  [`${VERSION_PACKAGE}.gitTreeState`]: 'clean',
  [`${VERSION_PACKAGE}.gitCommit`]: '0'.repeat(40),
  [`${VERSION_PACKAGE}.buildDate`]: '2026-01-01T00:00:00Z',
  'k8s.io/client-go/pkg/version.gitVersion': UPSTREAM_VERSION,
}
const STRIPPED = '-s -w'
const VERSIONED = [STRIPPED, ...Object.entries(VERSION_STRINGS).map(([name, value]) => `-X ${name}=${value}`)].join(' ')

const BUILDS = {
  'kube-apiserver': { verb: ['build'], package: 'k8s.io/kubernetes/cmd/kube-apiserver', flags: VERSIONED },
  kubectl: { verb: ['build'], package: 'k8s.io/kubernetes/cmd/kubectl', flags: VERSIONED },
  etcd: { verb: ['build'], package: 'go.etcd.io/etcd/server/v3', flags: STRIPPED },
  ginkgo: { verb: ['build'], package: 'github.com/onsi/ginkgo/v2/ginkgo', flags: STRIPPED },
  'e2e.test': { verb: ['test', '-c'], package: 'k8s.io/kubernetes/test/e2e', flags: VERSIONED },
  agnhost: { verb: ['build'], package: 'k8s.io/kubernetes/test/images/agnhost', flags: STRIPPED },
  'sample-apiserver': { verb: ['build'], package: 'k8s.io/sample-apiserver', flags: STRIPPED },
} as const

export type UpstreamProgram = keyof typeof BUILDS

export type Upstream =
  | { readonly available: true; path(program: UpstreamProgram): string }
  /** Why the programs cannot be had here. */
  | { readonly available: false; readonly reason: string }

export interface BuildOptions {
  readonly say: (message: string) => void
  /** A build that takes longer is given up. */
  readonly minutesMax?: number
}

/** A first build of everything takes about ten minutes on two cores; one that takes this long hangs. */
const BUILD_MINUTES_MAX = 60
/** Compiled packages between two lines of progress. */
const PACKAGES_PER_LINE = 250

/** Sees to it that the programs are there; builds what is missing, one after the other. */
export async function upstreamPrograms(
  programs: readonly UpstreamProgram[],
  { say, minutesMax = BUILD_MINUTES_MAX }: BuildOptions,
): Promise<Upstream> {
  const missing = programs.filter((program) => builtProgram(program) === undefined)
  const deadline = Date.now() + minutesMax * 60_000
  try {
    if (missing.length > 0) requireGo()
    for (const program of missing) await build(program, deadline, say)
  } catch (error) {
    return { available: false, reason: error instanceof Error ? error.message : String(error) }
  }
  return { available: true, path: pathOf }
}

/** Where the program lies, if it was built from what go.mod and go.sum say now. */
export function builtProgram(program: UpstreamProgram): string | undefined {
  const built = existsSync(pathOf(program)) && existsSync(stampOf(program))
  return built && readFileSync(stampOf(program), 'utf8') === keyOf(program) ? pathOf(program) : undefined
}

/** Where Go keeps the sources of a package; undefined without Go. */
export function sourcesOf(packagePath: string): string | undefined {
  const { status, stdout } = spawnSync('go', ['list', '-f', '{{.Dir}}', packagePath], { cwd: MODULE, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

function requireGo(): void {
  // Asked inside the module: a Go that is too old for it says so, or fetches the one it needs where that is allowed.
  const { error, status, stderr } = spawnSync('go', ['version'], { cwd: MODULE, encoding: 'utf8' })
  if (error) throw new Error(`Go is not installed (${error.message}); the version that go.mod names builds upstream`)
  if (status !== 0) throw new Error(`this Go cannot build upstream: ${stderr.trim()}`)
}

async function build(program: UpstreamProgram, deadline: number, say: (message: string) => void): Promise<void> {
  const { verb, package: source, flags } = BUILDS[program]
  const partial = `${pathOf(program)}.${process.pid}`
  mkdirSync(folder(), { recursive: true })
  say(`building upstream's ${program} ${UPSTREAM_VERSION} with Go, once on this machine …`)
  const child = spawn('go', [...verb, '-v', '-o', partial, '-ldflags', flags, source], {
    cwd: MODULE,
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  try {
    await finished(program, child, deadline, say)
    renameSync(partial, pathOf(program))
    writeFileSync(stampOf(program), keyOf(program))
  } finally {
    rmSync(partial, { force: true })
  }
}

/** With `-v` Go prints each package that it compiles, and what is wrong. */
async function finished(
  program: UpstreamProgram,
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
      if (packages % PACKAGES_PER_LINE === 0) say(`  ${program}: ${packages} packages compiled`)
    })
  }
  const code = await ended
  clearTimeout(limit)
  if (code === null) throw new Error(`the build of upstream's ${program} took too long and was given up`)
  if (code !== 0) throw new Error(`upstream's ${program} could not be built: ${last.join('\n')}`)
}

/** Of a failed build's output: where the errors stand. */
const LAST_LINES_MAX = 10

/** Names what decides what is built, so that a change of it builds anew: go.sum has every module with its content. */
function keyOf(program: UpstreamProgram): string {
  const modules = readFileSync(join(MODULE, 'go.sum'))
  return createHash('sha256').update(JSON.stringify(BUILDS[program])).update(modules).digest('hex')
}

function folder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 't8s', 'upstream', UPSTREAM_VERSION)
}

function pathOf(program: UpstreamProgram): string {
  return join(folder(), program)
}

function stampOf(program: UpstreamProgram): string {
  return join(folder(), `${program}.key`)
}

function releaseIn(goMod: string): string {
  const version = /\bk8s\.io\/kubernetes (v[\d.]+)\n/.exec(goMod)?.[1]
  if (version === undefined) throw new Error('go.mod names no release of k8s.io/kubernetes')
  return version
}
