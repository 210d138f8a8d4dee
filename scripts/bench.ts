/**
 * `npm run bench [-- --quick] [--rounds=N] [--alone] [scenario…]`: measures t8s and upstream's control plane in turn on
 * this machine and writes `bench/results`.
 */

import { loadavg } from 'node:os'
import { compare, type Observation } from '../bench/compare.ts'
import { machineCard } from '../bench/machine.ts'
import { type Programs, prepare } from '../bench/prepare.ts'
import { markdownOf, type Report, writeReport } from '../bench/report.ts'
import { SCENARIOS } from '../bench/scenarios/scenarios.ts'
import { anchor, TUNINGS } from '../bench/sides/anchor.ts'
import type { Side } from '../bench/sides/side.ts'
import { t8s } from '../bench/sides/t8s.ts'
import { buildIfStale } from './build.ts'
import { capture, say } from './command.ts'

/** Fewer rounds say nothing about how sure a ratio is. */
const ROUNDS = { quick: 3, full: 5 }

const words = process.argv.slice(2)
const wanted = words.filter((word) => !word.startsWith('--'))
const quick = words.includes('--quick')
/** Without the other side: a look at what a change did. */
const alone = words.includes('--alone')
const rounds = Number(words.find((word) => word.startsWith('--rounds='))?.slice('--rounds='.length))
const unknown = wanted.filter((name) => SCENARIOS.every((scenario) => scenario.name !== name))

if (unknown.length > 0) {
  say(`no such scenario: ${unknown.join(', ')}. There are:`)
  for (const { name, about } of SCENARIOS) say(`  ${name.padEnd(34)}${about}`)
  process.exitCode = 2
} else {
  await buildIfStale()
  await measure(await prepare({ say }))
}

function sidesOf(programs: Programs): readonly Side[] {
  if (alone) return [t8s]
  return [t8s, ...Object.entries(TUNINGS).map(([name, tuning]) => anchor(name, tuning, programs))]
}

async function measure(programs: Programs): Promise<void> {
  const date = new Date().toISOString()
  const machine = machineCard()
  const sides = sidesOf(programs)
  // The first start of a fresh build fills caches that every later one finds.
  for (const side of sides) await (await side.start({}))[Symbol.asyncDispose]()
  const observations: Observation[] = []
  for (const scenario of SCENARIOS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    say(`${scenario.name}: ${scenario.about} (load ${loadavg()[0]?.toFixed(2)})`)
    const setting = { sides, programs, quick, say }
    observations.push(...(await compare(scenario, setting, rounds || (quick ? ROUNDS.quick : ROUNDS.full))))
  }
  const commit = capture('git', ['rev-parse', '--short', 'HEAD']).output.trim()
  const names = sides.map(({ name }) => name)
  const report: Report = { date, commit, quick, machine, loadAfter: loadavg()[0] ?? 0, sides: names, observations }
  process.stdout.write(`\n${markdownOf(report)}\n`)
  say(`written to ${writeReport(report)}`)
}
