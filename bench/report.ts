/** What a run leaves in `bench/results`: observations as JSON for programs, a Markdown table for people. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Observation } from './compare.ts'
import type { MachineCard } from './machine.ts'
import { FIGURES } from './scenario.ts'
import { type Line, linesOf } from './verdicts.ts'

export interface Report {
  /** ISO 8601, UTC. */
  readonly date: string
  readonly commit: string
  readonly quick: boolean
  readonly machine: MachineCard
  /** Over the last minute, after the last row; the machine card has it before the first. */
  readonly loadAfter: number
  /** The first is the one that is judged. */
  readonly sides: readonly string[]
  readonly observations: readonly Observation[]
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

export function markdownOf(report: Report): string {
  const { date, commit, quick, machine, loadAfter, sides, observations } = report
  const { fdatasyncMs, calibrationMs, load } = machine
  const [own = ''] = sides
  const others = sides.slice(1)
  return [
    `# ${date.slice(0, 16).replace('T', ' ')} UTC, ${commit}${quick ? ', quick' : ''}`,
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node};`,
    `fdatasync of 2.3 KB ${fdatasyncMs.p50.toFixed(2)} ms (p99 ${fdatasyncMs.p99.toFixed(2)});`,
    `calibration ${calibrationMs.toFixed(0)} ms; load ${load.toFixed(2)} before, ${loadAfter.toFixed(2)} after.`,
    '',
    `| row | figure | ${sides.join(' | ')} | times better (95 %) | goal | |`,
    `|---|---|${sides.map(() => '--:|').join('')}--:|--:|---|`,
    ...linesOf(observations, own).map((line) => tableLine(line, own, others)),
    '',
  ].join('\n')
}

function tableLine(
  { row, figure, medians, times, goal, limit, verdict }: Line,
  own: string,
  others: readonly string[],
) {
  const cells = [own, ...others].map((side) => (medians[side] === undefined ? '' : text(medians[side])))
  const ratio = times ? `${text(times.ratio)} (${text(times.low)}-${text(times.high)})` : ''
  const { unit } = FIGURES[figure]
  return `| ${[row, `${figure}, ${unit}`, ...cells, ratio, goal ?? (limit === undefined ? '' : `at most ${limit}`), verdict ?? ''].join(' | ')} |`
}

/** Three significant digits, never in powers of ten. */
function text(value: number): string {
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(value >= 1 ? 2 : 3)
}
