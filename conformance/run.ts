/** Runs conformance tests on a cluster of their own and says what became of them. */

import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { FinishedTest } from './progress.ts'
import { stageOf } from './stages.ts'
import { runSuite, type TestResult } from './suite.ts'
import { startSuiteCluster } from './suite-cluster.ts'
import { makeSuiteImages } from './suite-images.ts'
import { type Upstream, type UpstreamProgram, upstreamPrograms } from './upstream.ts'

const ROOT = resolve(import.meta.dirname, '..')
/** Outputs, reports and logs of the last run lie here, for reading. */
const CONFORMANCE_OUTPUT = join(ROOT, '.cache', 'conformance')

const PROGRAMS: readonly UpstreamProgram[] = ['kubectl', 'ginkgo', 'e2e.test']
/** For what the tests' pods run. */
const PROGRAMS_ON_NODES: readonly UpstreamProgram[] = ['agnhost', 'sample-apiserver', 'etcd']

export interface RunOptions {
  readonly tests: readonly string[]
  readonly processes: number
  readonly repeat: number
  readonly say: (message: string) => void
  readonly buildMinutesMax?: number
}

export type RunOutcome =
  | { readonly ran: true; readonly results: readonly TestResult[] }
  /** Why nothing could be run. */
  | { readonly ran: false; readonly reason: string }

export async function runConformance(options: RunOptions): Promise<RunOutcome> {
  const { say, buildMinutesMax } = options
  const minutes = buildMinutesMax === undefined ? {} : { minutesMax: buildMinutesMax }
  const programs = nodesFor(options.tests) === 0 ? PROGRAMS : [...PROGRAMS, ...PROGRAMS_ON_NODES]
  const upstream = await upstreamPrograms(programs, { say, ...minutes })
  if (!upstream.available) return { ran: false, reason: upstream.reason }
  return { ran: true, results: await runTests(options, upstream) }
}

async function runTests(
  { tests, processes, repeat, say }: RunOptions,
  { path }: Extract<Upstream, { available: true }>,
): Promise<readonly TestResult[]> {
  const nodes = nodesFor(tests)
  rmSync(CONFORMANCE_OUTPUT, { recursive: true, force: true })
  mkdirSync(CONFORMANCE_OUTPUT, { recursive: true })
  say(`starting a cluster with ${nodes === 0 ? 'no nodes' : `${nodes} nodes`} …`)
  await using _images = nodes === 0 ? undefined : await makeSuiteImages(path)
  const kubectl = path('kubectl')
  using cluster = startSuiteCluster({ nodes, logs: join(CONFORMANCE_OUTPUT, 'server'), kubectl })
  const runs: (readonly TestResult[])[] = []
  for (let round = 1; round <= repeat; round++) {
    const which = repeat === 1 ? '' : `, round ${round} of ${repeat}`
    say(`running ${tests.length} tests over ${processes} processes${which} …`)
    const folder = join(CONFORMANCE_OUTPUT, `suite-${round}`)
    const onFinished = progressTo(say, tests.length)
    runs.push(await runSuite({ tests, processes, nodes, cluster, folder, program: path, onFinished }))
  }
  say(`details: ${CONFORMANCE_OUTPUT}`)
  return tests.flatMap((test) => worst(runs.flatMap((results) => results.filter((result) => result.test === test))))
}

function nodesFor(tests: readonly string[]): number {
  return Math.max(0, ...tests.map((test) => stageOf(test)?.nodes ?? 0))
}

/** A line a test, with how many are done. */
function progressTo(say: (message: string) => void, total: number): (test: FinishedTest) => void {
  let done = 0
  return ({ test, passed, seconds }) => {
    done++
    say(`  ${`${done}/${total}`.padStart(7)}  ${passed ? 'pass' : 'FAIL'} ${seconds.toFixed(1).padStart(6)} s  ${test}`)
  }
}

/** Of the rounds of one test: a failure rather than a pass. */
function worst(results: readonly TestResult[]): readonly TestResult[] {
  const result = results.find(({ outcome }) => outcome === 'fail') ?? results[0]
  return result ? [result] : []
}
