/**
 * One call of upstream's suite, unmodified and with its default flags: tests in parallel over several processes, those
 * that must be alone at the end. What it says is kept; each finished test is told at once.
 */

import { spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createProgressReader, type FinishedTest } from './progress.ts'
import { focusOn } from './stages.ts'
import type { SuiteCluster } from './suite-cluster.ts'
import type { UpstreamProgram } from './upstream.ts'

/** Ginkgo ends a run that takes longer. */
const RUN_TIME_MAX = '6h'

export interface SuiteRun {
  readonly tests: readonly string[]
  readonly processes: number
  readonly nodes: number
  readonly cluster: SuiteCluster
  /** For the output and the report. */
  readonly folder: string
  program(name: UpstreamProgram): string
  onFinished(test: FinishedTest): void
}

export type Outcome = 'pass' | 'fail' | 'skipped'

export interface TestResult {
  readonly test: string
  readonly outcome: Outcome
  readonly seconds: number
  /** The failure, or why it was skipped. */
  readonly message: string
}

/** The parts of Ginkgo's report that are read. */
interface SpecReport {
  readonly ContainerHierarchyTexts: readonly string[] | null
  readonly LeafNodeType: string
  readonly LeafNodeText: string
  readonly State: string
  /** In ns. */
  readonly RunTime: number
  readonly Failure?: { readonly Message: string }
}

/** What became of the tests, in the order of `tests`. Those that were not run, or not to their end, are missing. */
export async function runSuite(run: SuiteRun): Promise<readonly TestResult[]> {
  mkdirSync(run.folder, { recursive: true })
  await ginkgo(run)
  const report = join(run.folder, 'report.json')
  if (!existsSync(report)) throw new Error(`the suite wrote no report; see ${join(run.folder, 'output.txt')}`)
  const [suite] = JSON.parse(readFileSync(report, 'utf8')) as readonly { readonly SpecReports: readonly SpecReport[] }[]
  const specs = suite?.SpecReports ?? []
  const results = new Map(specs.filter(({ LeafNodeType }) => LeafNodeType === 'It').map((spec) => [nameOf(spec), spec]))
  const broken = specs.find(({ LeafNodeType, State }) => LeafNodeType.includes('BeforeSuite') && isFailure(State))
  if (broken) throw new Error(`the suite did not start: ${broken.Failure?.Message ?? broken.State}`)
  return run.tests.flatMap((test) => {
    const spec = results.get(test)
    return spec && ranToItsEnd(spec) ? [resultOf(test, spec)] : []
  })
}

/** Somebody ended the run. */
const INTERRUPTED = ['interrupted', 'aborted']

async function ginkgo({ tests, processes, nodes, cluster, folder, program, onFinished }: SuiteRun): Promise<void> {
  const own = [`--procs=${processes}`, `--timeout=${RUN_TIME_MAX}`, '--no-color', '-v', `--focus=${focusOn(tests)}`]
  const reports = ['--json-report=report.json', `--output-dir=${folder}`]
  const suite = ['--provider=skeleton', `--kubeconfig=${cluster.kubeconfig}`, `--kubectl-path=${program('kubectl')}`]
  const noNodes = nodes === 0 ? ['--num-nodes=0', '--allowed-not-ready-nodes=-1'] : []
  const child = spawn(program('ginkgo'), [...own, ...reports, program('e2e.test'), '--', ...suite, ...noNodes], {
    cwd: folder,
    env: { ...process.env, HOME: cluster.home, KUBECONFIG: cluster.kubeconfig },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, for the interruption below.
    detached: true,
  })
  const output = createWriteStream(join(folder, 'output.txt'))
  child.stderr.pipe(output, { end: false })
  const read = createProgressReader(onFinished)
  createInterface({ input: child.stdout }).on('line', (line) => {
    output.write(`${line}\n`)
    read(line)
  })
  // Ginkgo and each of its processes end their tests and still report; then the cluster is removed as always.
  const interrupt = () => void (child.pid && process.kill(-child.pid, 'SIGTERM'))
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  await new Promise((resolve) => output.end(resolve))
}

function resultOf(test: string, spec: SpecReport): TestResult {
  const outcome = spec.State === 'passed' ? 'pass' : isFailure(spec.State) ? 'fail' : 'skipped'
  return { test, outcome, seconds: spec.RunTime / 1e9, message: spec.Failure?.Message ?? '' }
}

/** A test that skips itself says why; those that were not reached or broken off say nothing of the cluster. */
function ranToItsEnd({ State: state, Failure: failure }: SpecReport): boolean {
  return !INTERRUPTED.includes(state) && (state !== 'skipped' || (failure?.Message ?? '') !== '')
}

function isFailure(state: string): boolean {
  return !['passed', 'skipped', 'pending'].includes(state)
}

function nameOf({ ContainerHierarchyTexts: containers, LeafNodeText: leaf }: SpecReport): string {
  return [...(containers ?? []), leaf].filter((text) => text !== '').join(' ')
}
