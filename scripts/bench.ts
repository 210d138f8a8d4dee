/** `npm run bench [-- --quick] [row…]`: measures the built command on this machine and writes `bench/results`. */

import { loadavg } from 'node:os'
import { machineCard } from '../bench/machine.ts'
import { markdownOf, type Report, writeReport } from '../bench/report.ts'
import type { Figure } from '../bench/row.ts'
import { ROWS } from '../bench/rows.ts'
import { buildIfStale } from './build.ts'
import { capture, say } from './command.ts'

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const quick = process.argv.includes('--quick')
const unknown = wanted.filter((name) => ROWS.every((row) => row.name !== name))

if (unknown.length > 0) {
  say(`no such row: ${unknown.join(', ')}. There are:`)
  for (const { name, about } of ROWS) say(`  ${name.padEnd(10)}${about}`)
  process.exitCode = 2
} else {
  await buildIfStale()
  await measure()
}

async function measure(): Promise<void> {
  const docker = capture('docker', ['version', '--format', '{{.Server.Version}}']).code === 0
  if (!docker) say('no Docker engine answers: rows leave the Docker nodes out')
  const date = new Date().toISOString()
  const machine = machineCard()
  const rows: Record<string, readonly Figure[]> = {}
  for (const row of ROWS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    say(`${row.name}: ${row.about} (load ${loadavg()[0]?.toFixed(2)})`)
    rows[row.name] = await row.run({ quick, docker, say })
  }
  const commit = capture('git', ['rev-parse', '--short', 'HEAD']).output.trim()
  const report: Report = { date, commit, quick, machine, loadAfter: loadavg()[0] ?? 0, rows }
  process.stdout.write(`\n${markdownOf(report)}\n`)
  say(`written to ${writeReport(report)}`)
}
