/**
 * `npm run bench [-- --quick | --full] [--only=ROW|SCENARIO,…] [--cores=1,2] [--rounds=N] [--alone] [scenario…]`:
 * measures t8s and upstream's control plane in turn on this machine, writes `bench/results` and, after a full run of
 * everything, the table in README.md.
 */

import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { type Compared, compare } from '../bench/compare.ts'
import { durabilityProofs } from '../bench/durability.ts'
import { isSameMachine, machineCard } from '../bench/machine.ts'
import { type Programs, prepare } from '../bench/prepare.ts'
import { writeReadme } from '../bench/readme-table.ts'
import { amended, fullReports, markdownOf, type Report, writeReport } from '../bench/report.ts'
import { compareObjects, type Sameness } from '../bench/same-objects.ts'
import type { Scenario, Setting } from '../bench/scenario.ts'
import { SCENARIOS } from '../bench/scenarios/scenarios.ts'
import { anchor } from '../bench/sides/anchor.ts'
import { t8s } from '../bench/sides/t8s.ts'
import { buildIfStale } from './build.ts'
import { capture, say } from './command.ts'

/** Fewer rounds say nothing about how sure a ratio is. */
const ROUNDS = { quick: 1, full: 5 }

/** A full run has to end within an hour and a half: past this many minutes what is left has fewer rounds. */
const LATE = { minutes: 70, rounds: 3 }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    alone: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    cores: { type: 'string' },
    rounds: { type: 'string' },
    repeat: { type: 'string' },
    again: { type: 'boolean', default: false },
  },
})
const { quick, alone } = values
const rounds = Number(values.rounds ?? values.repeat ?? (quick ? ROUNDS.quick : ROUNDS.full))
const wanted = [...positionals, ...values.only.flatMap((list) => list.split(','))]
const scenarios = SCENARIOS.filter((scenario) => wanted.length === 0 || wanted.some((word) => isMeant(scenario, word)))
const unknown = wanted.filter((word) => !SCENARIOS.some((scenario) => isMeant(scenario, word)))

if (unknown.length > 0) {
  say(`no such row or scenario: ${unknown.join(', ')}. There are:`)
  for (const { name, about } of SCENARIOS) say(`  ${name.padEnd(18)} ${about}`)
  process.exitCode = 2
} else if (values.again && (quick || alone || wanted.length === 0 || fullReports().length === 0)) {
  say('again: name rows or scenarios of the full run that is there')
  process.exitCode = 2
} else {
  await buildIfStale()
  await measure(await prepare({ say }), values.again ? fullReports()[0] : undefined)
}

/** By its name, or by one of its rows: `C3`. */
function isMeant({ name, about }: Scenario, word: string): boolean {
  return name === word || (about.split(':')[0] ?? '').split(', ').includes(word)
}

/** Powers of two up to what the machine has; those asked for that it has not are named. */
function coresOf(): readonly number[] {
  const asked = values.cores?.split(',').map(Number) ?? [1, 2, 4, 8, 16]
  const missing = asked.filter((count) => !(count >= 1 && count <= cpus().length))
  if (values.cores !== undefined && missing.length > 0) say(`this machine has ${cpus().length} cores: not ${missing}`)
  return asked.filter((count) => !missing.includes(count))
}

/** `last`: the run whose scenarios are measured again. */
async function measure(programs: Programs, last: Report | undefined): Promise<void> {
  const date = new Date().toISOString()
  const machine = await machineCard()
  if (last && !isSameMachine(last.machine, machine)) {
    say('again: the last full run is of another machine')
    process.exitCode = 2
    return
  }
  const setting: Setting = { programs, quick, alone, cores: coresOf(), say }
  // The first start of a fresh build fills caches that every later one finds.
  for (const side of alone ? [t8s] : [t8s, anchor('default', programs)])
    await (await side.start({}))[Symbol.asyncDispose]()
  const sameness = alone ? undefined : await compareObjects(programs)
  const proofs = alone ? [] : [...(sameness?.proofs ?? []), ...(await durabilityProofs(programs))]
  for (const proof of proofs) say(proof)
  const commit = capture('git', ['rev-parse', '--short', 'HEAD']).output.trim()
  const failures: string[] = []
  const compared: Compared[] = []
  const reportOf = (whole: boolean): Report => {
    const observations = compared.flatMap((each) => each.observations)
    const sides = [...new Set(observations.map(({ side }) => side))]
    const circumstances = compared.map((each) => each.circumstances)
    return { date, commit, quick, whole, machine, circumstances, proofs, sides, observations, failures }
  }
  for (const scenario of scenarios) {
    const outcome = await outcomeOf(scenario, setting, sameness)
    if (typeof outcome === 'string') failures.push(`${scenario.name}: ${outcome}`)
    else compared.push(outcome)
    // What there is so far outlives whatever comes.
    if (last === undefined) writeReport(reportOf(false))
  }
  for (const failure of last ? failures : []) say(`stays as it was: ${failure}`)
  const report = last
    ? amended(last, compared, { date, commit })
    : reportOf(!alone && scenarios.length === SCENARIOS.length)
  process.stdout.write(`\n${markdownOf(report)}\n`)
  say(`written to ${writeReport(report)}`)
  if (report.whole && !quick) writeReadme(report)
}

/** Or why it cannot be measured. */
async function outcomeOf(scenario: Scenario, setting: Setting, sameness?: Sameness): Promise<Compared | string> {
  if (sameness?.isVoid(scenario.name)) return 'the sides do not make the same objects of the same manifests'
  say(`${scenario.name}: ${scenario.about}`)
  try {
    const isLate = performance.now() > LATE.minutes * 60_000 && values.rounds === undefined
    return await compare(scenario, setting, isLate ? Math.min(rounds, LATE.rounds) : rounds)
  } catch (error) {
    say(`${scenario.name}: ${String(error)}`)
    return String(error)
  }
}
