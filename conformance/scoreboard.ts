/**
 * What upstream's suite last said about each test, in `scoreboard.json`, and for readers in `scoreboard.md`. It only
 * ratchets up: a test that is recorded as passing stays so until somebody accepts that it no longer does. A row changes
 * when its outcome does, not with each run, so that its date says since when, and differences stay small.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { byCodeUnit } from '../src/base/group-by.ts'
import { STAGES, stageOf } from './stages.ts'
import type { Outcome, TestResult } from './suite.ts'
import { UPSTREAM_VERSION } from './upstream.ts'

export interface Row {
  readonly test: string
  readonly stage: string
  readonly outcome: Outcome
  readonly seconds: number
  /** Why it failed or was skipped, in a line. */
  readonly message?: string
  /** The day from which on this was so. */
  readonly date: string
  /** Of t8s. */
  readonly version: string
}

export interface Scoreboard {
  /** The release whose suite it is. */
  readonly suite: string
  readonly tests: readonly Row[]
}

export interface Moment {
  readonly date: string
  readonly version: string
}

const FILE = join(import.meta.dirname, 'scoreboard.json')
const PAGE = join(import.meta.dirname, 'scoreboard.md')
const MESSAGE_CHARACTERS_MAX = 240

export function readScoreboard(): Scoreboard {
  if (!existsSync(FILE)) return { suite: UPSTREAM_VERSION, tests: [] }
  return JSON.parse(readFileSync(FILE, 'utf8')) as Scoreboard
}

export function writeScoreboard(scoreboard: Scoreboard): void {
  writeFileSync(FILE, jsonOf(scoreboard))
  writeFileSync(PAGE, markdownOf(scoreboard))
}

/** The results that say of a test recorded as passing that it does not pass. */
export function regressions(scoreboard: Scoreboard, results: readonly TestResult[]): readonly TestResult[] {
  const passing = new Set(passingTests(scoreboard))
  return results.filter(({ test, outcome }) => outcome !== 'pass' && passing.has(test))
}

export function passingTests({ tests }: Scoreboard): readonly string[] {
  return tests.filter(({ outcome }) => outcome === 'pass').map(({ test }) => test)
}

/** The scoreboard after a run. `accept`: a test that passed may fail from now on. */
export function withResults(
  scoreboard: Scoreboard,
  results: readonly TestResult[],
  moment: Moment,
  accept: boolean,
): Scoreboard {
  const rows = new Map(scoreboard.tests.map((row) => [row.test, row]))
  for (const result of results) {
    const previous = rows.get(result.test)
    const worse = previous?.outcome === 'pass' && result.outcome !== 'pass'
    const same = previous?.outcome === 'pass' && result.outcome === 'pass'
    if (!same && (!worse || accept)) rows.set(result.test, rowOf(result, previous, moment))
  }
  const tests = [...rows.values()].sort((left, right) => byCodeUnit(left.test, right.test))
  return { suite: UPSTREAM_VERSION, tests }
}

function rowOf({ test, outcome, seconds, message }: TestResult, previous: Row | undefined, moment: Moment): Row {
  const since = previous?.outcome === outcome ? { date: previous.date, version: previous.version } : moment
  const why = outcome === 'pass' ? {} : { message: oneLine(message) }
  return { test, stage: stageOf(test)?.name ?? '', outcome, seconds: Math.round(seconds), ...why, ...since }
}

function oneLine(message: string): string {
  const line = message.split('\n').find((text) => text.trim() !== '') ?? ''
  return line.trim().slice(0, MESSAGE_CHARACTERS_MAX)
}

/** A row a line: a test that changes changes one line. */
function jsonOf({ suite, tests }: Scoreboard): string {
  const rows = tests.map((row) => `    ${JSON.stringify(row)}`)
  return `{\n  "suite": ${JSON.stringify(suite)},\n  "tests": [\n${rows.join(',\n')}\n  ]\n}\n`
}

function markdownOf({ suite, tests }: Scoreboard): string {
  const count = (stage: string, outcome: Outcome) =>
    tests.filter((row) => row.stage === stage && row.outcome === outcome).length
  const stages = STAGES.map(({ name, about, tests: all }) => {
    const counts = [count(name, 'pass'), count(name, 'fail'), count(name, 'skipped')]
    const notRun = all.length - counts.reduce((sum, number) => sum + number, 0)
    return `| ${[name, about, all.length, ...counts, notRun].join(' | ')} |`
  })
  const total = STAGES.reduce((sum, stage) => sum + stage.tests.length, 0)
  const passed = passingTests({ suite, tests }).length
  const open = tests.filter(({ outcome }) => outcome !== 'pass')
  return [
    '# Conformance scoreboard',
    '',
    `${passed} of the ${total} conformance tests of Kubernetes ${suite} pass. Written by \`npm run conformance\`;`,
    'what the stages mean stands in [README.md](README.md).',
    '',
    '| stage | what it needs | tests | pass | fail | skipped | not run |',
    '| ----- | ------------- | ----- | ---- | ---- | ------- | ------- |',
    ...stages,
    '',
    ...(open.length === 0 ? [] : ['## Not passing', '', ...open.flatMap(openRow)]),
  ].join('\n')
}

function openRow({ test, stage, outcome, message = '', date }: Row): readonly string[] {
  return [`- ${stage}, ${outcome} since ${date}: ${test}`, '', `      ${message}`, '']
}
