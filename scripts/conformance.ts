/**
 * `npm run conformance`: what strangers' programs say about us, on clusters of their own. With `--stage` upstream's suite
 * judges and the scoreboard is kept; with `--peers` upstream's API server and ours answer the same requests; otherwise
 * every kubectl plays its cases, and words after `--` pick some of them.
 */

import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runConformance } from '../conformance/run.ts'
import { readScoreboard, regressions, withResults, writeScoreboard } from '../conformance/scoreboard.ts'
import { quickTests, STAGES } from '../conformance/stages.ts'
import type { TestResult } from '../conformance/suite.ts'
import { buildIfStale } from './build.ts'
import { say, show } from './command.ts'
import { ensureDocker } from './docker.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    stage: { type: 'string', multiple: true, default: [] },
    focus: { type: 'string', default: '' },
    procs: { type: 'string', default: String(2 * availableParallelism()) },
    repeat: { type: 'string', default: '1' },
    accept: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    filter: { type: 'string' },
  },
})

const known = ['quick', ...STAGES.map(({ name }) => name)]
const unknown = values.stage.filter((name) => !known.includes(name))
const counts = [values.procs, values.repeat]

if (unknown.length > 0 || counts.some((count) => !/^[1-9]\d*$/.test(count))) {
  say(`--stage is one of ${known.join(', ')}; --procs and --repeat are numbers from 1`)
  process.exitCode = 2
} else if (values.peers) {
  const filter = values.filter === undefined ? [] : ['--filter', values.filter]
  process.exitCode = show('node', ['conformance/peers.ts', ...filter])
} else {
  await buildIfStale()
  if (values.stage.length > 0 || values.focus !== '') await suite()
  else await cases(positionals)
}

async function suite(): Promise<void> {
  const tests = chosenTests()
  const nodes = STAGES.some((stage) => stage.nodes > 0 && stage.tests.some((test) => tests.includes(test)))
  const docker = nodes ? await ensureDocker() : undefined
  if (docker && !docker.available) return say(`skipped: ${docker.advice}`)
  try {
    const options = { tests, processes: Number(values.procs), repeat: Number(values.repeat), say }
    const outcome = await runConformance(options)
    if (outcome.ran) keepScore(outcome.results, tests)
    else say(`skipped: ${outcome.reason}`)
  } finally {
    await docker?.stop()
  }
}

function chosenTests(): readonly string[] {
  const stages = values.stage.length > 0 ? values.stage : STAGES.map(({ name }) => name)
  const tests = stages.flatMap((name) =>
    name === 'quick' ? quickTests() : (STAGES.find((stage) => stage.name === name)?.tests ?? []),
  )
  return [...new Set(tests)].filter((test) => test.includes(values.focus))
}

function keepScore(results: readonly TestResult[], tests: readonly string[]): void {
  const scoreboard = readScoreboard()
  const lost = values.accept ? [] : regressions(scoreboard, results)
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8'))
  const moment = { date: new Date().toISOString().slice(0, 10), version }
  writeScoreboard(withResults(scoreboard, results, moment, values.accept))
  for (const { test } of lost) say(`passed before and does not now: ${test}`)
  if (lost.length > 0) say('the scoreboard keeps them as passing; --accept records that they no longer do')
  if (results.length < tests.length) say(`${tests.length - results.length} of them did not run to their end`)
  const passed = results.filter(({ outcome }) => outcome === 'pass').length
  process.exitCode = lost.length > 0 || results.length < tests.length ? 1 : 0
  process.stdout.write(`${passed} of ${tests.length} tests pass\n`)
}

async function cases(names: readonly string[]): Promise<void> {
  const docker = await ensureDocker()
  if (!docker.available) say(`cases that need Docker will say so and be skipped: ${docker.advice}`)
  try {
    const filters = names.map((name) => `conformance/cases/${name}`)
    const files = filters.length > 0 ? filters : ['conformance/cases']
    process.exitCode = show('vitest', ['run', '--project', 'system', ...files])
  } finally {
    await docker.stop()
  }
}
