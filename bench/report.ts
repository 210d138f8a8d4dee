/** What a run leaves in `bench/results`: figures as JSON for programs, as a Markdown table for people. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MachineCard } from './machine.ts'
import type { Figure } from './row.ts'

export interface Report {
  /** ISO 8601, UTC. */
  readonly date: string
  readonly commit: string
  readonly quick: boolean
  readonly machine: MachineCard
  /** Over the last minute, after the last row; the machine card has it before the first. */
  readonly loadAfter: number
  readonly rows: Readonly<Record<string, readonly Figure[]>>
}

const RESULTS = join(import.meta.dirname, 'results')

/** The path of the Markdown file; the JSON lies beside it. */
export function writeReport(report: Report): string {
  mkdirSync(RESULTS, { recursive: true })
  const processor = /(Xeon|EPYC|Core|Ryzen|Apple \w+|Neoverse)/i.exec(report.machine.cpu)?.[0] ?? 'cpu'
  const stamp = report.date.slice(0, 16).replace(':', '')
  const name = `${stamp}-${processor.toLowerCase().replace(' ', '-')}-${report.machine.cores}`
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify(report, undefined, 2)}\n`)
  writeFileSync(join(RESULTS, `${name}.md`), markdownOf(report))
  return join(RESULTS, `${name}.md`)
}

export function markdownOf({ date, commit, quick, machine, loadAfter, rows }: Report): string {
  const { fdatasyncMs, calibrationMs, load } = machine
  const head = [
    `# ${date.slice(0, 16).replace('T', ' ')} UTC, ${commit}${quick ? ', quick' : ''}`,
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node};`,
    `fdatasync of 2.3 KB ${fdatasyncMs.p50.toFixed(2)} ms (p99 ${fdatasyncMs.p99.toFixed(2)});`,
    `calibration ${calibrationMs.toFixed(0)} ms; load ${load.toFixed(2)} before, ${loadAfter.toFixed(2)} after.`,
    '',
  ]
  const tables = Object.entries(rows).flatMap(([name, figures]) => [
    `## ${name}`,
    '',
    '| figure | median | p10 | p90 | unit | samples |',
    '|---|--:|--:|--:|---|--:|',
    ...figures.map(
      ({ name: figure, median, low, high, unit, samples }) =>
        `| ${figure} | ${text(median)} | ${text(low)} | ${text(high)} | ${unit} | ${samples} |`,
    ),
    '',
  ])
  return [...head, ...tables].join('\n')
}

/** Three significant digits, never in powers of ten. */
function text(value: number): string {
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
