/** The programs that a comparison needs besides t8s, built once per machine: upstream's, KWOK, the load generator. */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, buildMissing, type GoBuild, programFolder } from '../conformance/go-build.ts'
import { type UpstreamProgram, upstreamPrograms } from '../conformance/upstream.ts'

export interface Programs {
  upstream(program: UpstreamProgram): string
  readonly kwok: string
  /** What KWOK does with nodes and pods, as its release has it: files. */
  readonly kwokStages: readonly string[]
  readonly generator: string
  readonly informers: string
}

const UPSTREAM: readonly UpstreamProgram[] = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
]
const KWOK = 'sigs.k8s.io/kwok'
const KWOK_VERSION = 'v0.8.0'
/** The fastest ones. */
const KWOK_STAGES = [
  'node/fast/node-initialize.yaml',
  'node/heartbeat-with-lease/node-heartbeat-with-lease.yaml',
  'pod/fast/pod-ready.yaml',
  'pod/fast/pod-complete.yaml',
  'pod/fast/pod-delete.yaml',
]

/** Throws with the reason when something cannot be built. */
export async function prepare(options: BuildOptions): Promise<Programs> {
  const upstream = await upstreamPrograms(UPSTREAM, options)
  if (!upstream.available) throw new Error(upstream.reason)
  const [kwok, generator, informers] = [kwokBuild(), ownBuild('generator'), ownBuild('informers')]
  await buildMissing([kwok, generator, informers], options)
  return {
    upstream: (program) => upstream.path(program),
    kwok: kwok.path,
    kwokStages: KWOK_STAGES.map((stage) => join(kwokSources(), 'kustomize', 'stage', stage)),
    generator: generator.path,
    informers: informers.path,
  }
}

/** Where Go keeps the sources of the release. */
function kwokSources(): string {
  const words = ['mod', 'download', '-json', `${KWOK}@${KWOK_VERSION}`]
  const { status, stdout, stderr } = spawnSync('go', words, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`the sources of KWOK cannot be had: ${stderr}`)
  return JSON.parse(stdout).Dir
}

function kwokBuild(): GoBuild {
  const source = `${KWOK}/cmd/kwok@${KWOK_VERSION}`
  return {
    title: `KWOK ${KWOK_VERSION}`,
    path: join(programFolder('kwok', KWOK_VERSION), 'kwok'),
    key: source,
    // Of no module: the release is built with what its own go.mod says.
    directory: import.meta.dirname,
    command: (folder) => ({
      words: ['install', '-v', '-trimpath', '-ldflags', '-s -w', source],
      env: { GOBIN: folder },
      product: 'kwok',
    }),
  }
}

/** A program of this folder. */
function ownBuild(name: 'generator' | 'informers'): GoBuild {
  const directory = join(import.meta.dirname, name)
  const key = sourcesKey(directory)
  return {
    title: `the benchmarks' ${name}`,
    // One for each state of its sources: checkouts that measure at the same time do not take each other's away.
    path: join(programFolder('bench'), `${name}-${key.slice(0, 12)}`),
    key,
    directory,
    command: (folder) => ({
      words: ['build', '-v', '-o', join(folder, name), '-ldflags', '-s -w', '.'],
      product: name,
    }),
  }
}

function sourcesKey(folder: string): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(folder).toSorted()) hash.update(name).update(readFileSync(join(folder, name)))
  return hash.digest('hex')
}
