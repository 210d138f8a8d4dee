/**
 * `npm test`: everything, from a fresh clone. Sees to Docker, runs types, lint and every suite, stops what it started,
 * names again what failed, and ends with the line `N passed, N failed`.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { runConformance } from '../conformance/run.ts'
import { passingTests, readScoreboard } from '../conformance/scoreboard.ts'
import { quickTests } from '../conformance/stages.ts'
import type { TestResult } from '../conformance/suite.ts'
import { buildIfStale } from './build.ts'
import { say, show } from './command.ts'
import { ensureDocker } from './docker.ts'

interface Tally {
  readonly passed: number
  /** One text for each thing that failed: what it is, and why. */
  readonly failures: readonly string[]
}

/** The parts of vitest's JSON report that are read. A file that could not be loaded has a message and no tests. */
interface Report {
  readonly numPassedTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly TestReport[]
  }[]
}

interface TestReport {
  readonly fullName: string
  readonly status: string
  readonly failureMessages?: readonly string[] | null
}

/** Lines about all failures in the summary: of a log that is cut only the end may be left. */
const SUMMARY_LINES_MAX = 60

/** For upstream's programs, on a machine that has none: more would make the first run too long. */
const BUILD_MINUTES_MAX = 30

const reports = mkdtempSync(join(tmpdir(), 't8s-reports-'))

function command(name: string, program: string, parameters: readonly string[]): Tally {
  say(`${name} …`)
  return show(program, parameters) === 0 ? { passed: 1, failures: [] } : { passed: 0, failures: [name] }
}

function suite(project: string): Tally {
  say(`${project} tests …`)
  const file = join(reports, `${project}.json`)
  const parameters = ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const code = show('vitest', parameters)
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report
    const failures = failuresOf(report)
    if (code !== 0 && failures.length === 0) failures.push(`${project} tests ended with code ${code}`)
    return { passed: report.numPassedTests, failures }
  } catch (error) {
    return { passed: 0, failures: [`${project} tests wrote no report: ${String(error)}`] }
  }
}

function failuresOf({ testResults }: Report): string[] {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(process.cwd(), name)
    const failed = assertionResults.filter((test) => test.status === 'failed')
    if (failed.length === 0) return status === 'failed' ? [`${file}: ${message ?? ''}`] : []
    return failed.map((test) => `${file}: ${test.fullName}: ${test.failureMessages?.[0] ?? ''}`)
  })
}

/** Upstream's suite, in a few minutes: what the scoreboard records as passing must pass. Decision 0090. */
async function conformance(): Promise<Tally> {
  const recorded = new Set(passingTests(readScoreboard()))
  const tests = quickTests().filter((test) => recorded.has(test))
  const processes = 2 * availableParallelism()
  say('conformance tests …')
  try {
    const outcome = await runConformance({ tests, processes, repeat: 1, say, buildMinutesMax: BUILD_MINUTES_MAX })
    return outcome.ran ? tallyOf(tests, outcome.results) : skipped(outcome.reason)
  } catch (error) {
    return { passed: 0, failures: [`conformance tests could not be run: ${String(error)}`] }
  }
}

function skipped(reason: string): Tally {
  say(`conformance tests are skipped: ${reason}`)
  return { passed: 0, failures: [] }
}

function tallyOf(tests: readonly string[], results: readonly TestResult[]): Tally {
  const passed = results.filter(({ outcome }) => outcome === 'pass').length
  for (const { test, outcome, message } of results) if (outcome !== 'pass') say(`${outcome}: ${test}\n${message}`)
  const failures = results.flatMap(({ test, outcome, message }) =>
    outcome === 'pass' ? [] : [`${outcome}: ${test}: ${message}`],
  )
  const missing = tests.length - results.length
  if (missing > 0) failures.push(`${missing} conformance tests gave no result`)
  return { passed, failures }
}

const docker = await ensureDocker()
if (!docker.available) say(`tests that need Docker will say so and be skipped: ${docker.advice}`)
const tallies: Tally[] = []
try {
  await buildIfStale()
  tallies.push(command('types', 'tsc', ['--noEmit', '-p', 'tsconfig.json']))
  tallies.push(command('lint', 'biome', ['check', '.']))
  for (const project of ['unit', 'integration', 'system']) tallies.push(suite(project))
  tallies.push(await conformance())
} finally {
  await docker.stop()
  rmSync(reports, { recursive: true, force: true })
}
const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0)
const failures = tallies.flatMap((tally) => tally.failures)
const linesEach = Math.max(1, Math.floor(SUMMARY_LINES_MAX / failures.length))
for (const failure of failures) say(`failed: ${failure.trim().split('\n').slice(0, linesEach).join('\n  ')}`)
process.exitCode = failures.length === 0 ? 0 : 1
process.stdout.write(`${passed} passed, ${failures.length} failed\n`)
