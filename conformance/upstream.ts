/** Upstream's own programs, built from the release that go.mod pins. */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, buildMissing, type GoBuild, isBuilt, programFolder } from './go-build.ts'

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
  'kube-controller-manager': {
    verb: ['build'],
    package: 'k8s.io/kubernetes/cmd/kube-controller-manager',
    flags: VERSIONED,
  },
  'kube-scheduler': { verb: ['build'], package: 'k8s.io/kubernetes/cmd/kube-scheduler', flags: VERSIONED },
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

/** Sees to it that the programs are there; builds what is missing, one after the other. */
export async function upstreamPrograms(programs: readonly UpstreamProgram[], options: BuildOptions): Promise<Upstream> {
  try {
    await buildMissing(programs.map(buildOf), options)
  } catch (error) {
    return { available: false, reason: error instanceof Error ? error.message : String(error) }
  }
  return { available: true, path: pathOf }
}

/** Where the program lies, if it was built from what go.mod and go.sum say now. */
export function builtProgram(program: UpstreamProgram): string | undefined {
  return isBuilt(buildOf(program)) ? pathOf(program) : undefined
}

/** Where Go keeps the sources of a package; undefined without Go. */
export function sourcesOf(packagePath: string): string | undefined {
  const { status, stdout } = spawnSync('go', ['list', '-f', '{{.Dir}}', packagePath], { cwd: MODULE, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

function buildOf(program: UpstreamProgram): GoBuild {
  const { verb, package: source, flags } = BUILDS[program]
  return {
    title: `upstream's ${program} ${UPSTREAM_VERSION}`,
    path: pathOf(program),
    key: keyOf(program),
    directory: MODULE,
    command: (folder) => ({
      words: [...verb, '-v', '-o', join(folder, program), '-ldflags', flags, source],
      product: program,
    }),
  }
}

/** Names what decides what is built, so that a change of it builds anew: go.sum has every module with its content. */
function keyOf(program: UpstreamProgram): string {
  const modules = readFileSync(join(MODULE, 'go.sum'))
  return createHash('sha256').update(JSON.stringify(BUILDS[program])).update(modules).digest('hex')
}

function pathOf(program: UpstreamProgram): string {
  return join(programFolder(UPSTREAM_VERSION), program)
}

function releaseIn(goMod: string): string {
  const version = /\bk8s\.io\/kubernetes (v[\d.]+)\n/.exec(goMod)?.[1]
  if (version === undefined) throw new Error('go.mod names no release of k8s.io/kubernetes')
  return version
}
