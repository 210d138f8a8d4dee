/**
 * `npm test`: everything, from a fresh clone. Sees to Docker, runs types, lint and every suite, stops what it started,
 * and ends with the line `N passed, N failed`.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { runConformance } from '../conformance/run.ts'
import { passingTests, readScoreboard } from '../conformance/scoreboard.ts'
import { quickTests } from '../conformance/stages.ts'
import type { TestResult } from '../conformance/suite.ts'
import { buildIfStale } from './build.ts'
import { say, show } from './command.ts'
import { ensureDocker } from './docker.ts'

interface Tally {
  readonly passed: number
  readonly failed: number
}

/** The parts of vitest's JSON report that are read. */
interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numFailedTestSuites: number
}

/** For upstream's programs, on a machine that has none: more would make the first run too long. */
const BUILD_MINUTES_MAX = 30

const reports = mkdtempSync(join(tmpdir(), 't8s-reports-'))

function command(name: string, program: string, parameters: readonly string[]): Tally {
  say(`${name} …`)
  return show(program, parameters) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

function suite(project: string): Tally {
  say(`${project} tests …`)
  const file = join(reports, `${project}.json`)
  const parameters = ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const code = show('vitest', parameters)
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report
    const failed = Math.max(report.numFailedTests, report.numFailedTestSuites > 0 || code !== 0 ? 1 : 0)
    return { passed: report.numPassedTests, failed }
  } catch (error) {
    say(`${project} tests wrote no report: ${String(error)}`)
    return { passed: 0, failed: 1 }
  }
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
    say(`conformance tests could not be run: ${String(error)}`)
    return { passed: 0, failed: 1 }
  }
}

function skipped(reason: string): Tally {
  say(`conformance tests are skipped: ${reason}`)
  return { passed: 0, failed: 0 }
}

function tallyOf(tests: readonly string[], results: readonly TestResult[]): Tally {
  const passed = results.filter(({ outcome }) => outcome === 'pass').length
  for (const { test, outcome, message } of results) if (outcome !== 'pass') say(`${outcome}: ${test}\n${message}`)
  return { passed, failed: tests.length - passed }
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
const failed = tallies.reduce((sum, tally) => sum + tally.failed, 0)
process.exitCode = failed === 0 ? 0 : 1
process.stdout.write(`${passed} passed, ${failed} failed\n`)
