/** What a run leaves in `bench/results`: all figures as JSON for programs, tables in Markdown for people. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Circumstances, Compared, Observation } from './compare.ts'
import type { MachineCard } from './machine.ts'
import { FIGURES, type Table } from './scenario.ts'
import { type Line, linesOf } from './verdicts.ts'

export interface Report {
  /** ISO 8601, UTC. */
  readonly date: string
  readonly commit: string
  readonly quick: boolean
  /** Every scenario, and both sides. */
  readonly whole: boolean
  readonly machine: MachineCard
  readonly circumstances: readonly Circumstances[]
  /** What was asked before anything was measured, and what came of it. */
  readonly proofs: readonly string[]
  /** What is compared; the first is judged. */
  readonly sides: readonly string[]
  readonly observations: readonly Observation[]
  /** What could not be measured, with the reason. */
  readonly failures: readonly string[]
}

const RESULTS = join(import.meta.dirname, 'results')

/** The path of the Markdown file; the JSON lies beside it. */
export function writeReport(report: Report): string {
  mkdirSync(RESULTS, { recursive: true })
  const { cpu, cores } = report.machine
  const processor = /(Xeon|EPYC|Core|Ryzen|Apple \w+|Neoverse)/i.exec(cpu)?.[0] ?? 'cpu'
  const stamp = report.date.slice(0, 16).replace(':', '')
  const path = join(
    RESULTS,
    `${stamp}-${processor.toLowerCase().replace(' ', '-')}-${cores}${report.quick ? '-quick' : ''}`,
  )
  writeFileSync(`${path}.json`, jsonOf(report))
  writeFileSync(`${path}.md`, markdownOf(report))
  return `${path}.md`
}

/** One observation on each line. */
function jsonOf({ observations, ...rest }: Report): string {
  const head = JSON.stringify(rest, undefined, 2).slice(0, -2)
  const lines = observations.map((each) => `    ${JSON.stringify(each)}`)
  return `${head},\n  "observations": [\n${lines.join(',\n')}\n  ]\n}\n`
}

/** Of full runs of everything, the newest first. */
export function fullReports(): readonly Report[] {
  if (!existsSync(RESULTS)) return []
  const names = readdirSync(RESULTS).filter((name) => name.endsWith('.json'))
  const reports = names
    .toSorted()
    .toReversed()
    .map((name): Report => JSON.parse(readFileSync(join(RESULTS, name), 'utf8')))
  return reports.filter(({ quick, whole }) => whole && !quick)
}

/** With scenarios that were measured again, all sides of them, in the places of what was there. */
export function amended(
  report: Report,
  compared: readonly Compared[],
  again: NonNullable<Circumstances['again']>,
): Report {
  const fresh = new Map(compared.flatMap((each) => each.observations.map(({ row }) => [row, each] as const)))
  const waiting = new Set(compared)
  const instead = (old: Observation): readonly Observation[] => {
    const each = fresh.get(old.row)
    if (each === undefined) return [old]
    return waiting.delete(each) ? each.observations : []
  }
  const observations = report.observations.flatMap(instead)
  const changed = new Map(compared.map(({ circumstances }) => [circumstances.scenario, { ...circumstances, again }]))
  const circumstances = report.circumstances.map((old) => changed.get(old.scenario) ?? old)
  return {
    ...report,
    circumstances,
    observations: [...observations, ...[...waiting].flatMap((one) => one.observations)],
  }
}

export function markdownOf(report: Report): string {
  const { date, commit, quick, sides, observations, proofs } = report
  const [own = ''] = sides
  const lines = linesOf(observations, own)
  return [
    `# ${date.slice(0, 16).replace('T', ' ')} UTC, ${commit}${quick ? ', quick' : ''}`,
    '',
    ...cardOf(report.machine),
    '',
    ...proofs.map((proof) => `- ${proof}`),
    '',
    'Each side by the protocol that an unmodified client-go ends up speaking with it (t8s HTTP/1.1, kube-apiserver HTTP/2).',
    ...tableOf(lines, 'chosen'),
    ...besideOf(lines, 'HTTP/1.1'),
    ...besideOf(lines, 'HTTP/2.0'),
    ...(report.failures.length > 0 ? ['', '## Not measured', ''] : []),
    ...report.failures.map((failure) => `- ${failure}`),
    '',
    '## Circumstances',
    '',
    '| scenario | minutes | load before | calibration before, after (ms) |',
    '|---|--:|--:|--:|',
    ...report.circumstances.map(({ scenario, minutes, load, calibrationMs, again }) => {
      const calibration = calibrationMs.map((ms) => ms.toFixed(0)).join(', ')
      return `| ${scenario}${again ? `, again ${againText(again)}` : ''} | ${minutes.toFixed(1)} | ${load.toFixed(2)} | ${calibration} |`
    }),
    '',
  ].join('\n')
}

export function againText({ date, commit }: NonNullable<Circumstances['again']>): string {
  return `${date.slice(0, 16).replace('T', ' ')}, ${commit}`
}

function cardOf(machine: MachineCard): readonly string[] {
  const { fdatasyncMs, loopbackUs, encryptionMBs, calibrationMs } = machine
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, ${machine.fileSystem};`,
    `Node ${machine.node}, ${machine.go};`,
    `fdatasync of 2.3 KB ${fdatasyncMs.p50.toFixed(2)} ms (p99 ${fdatasyncMs.p99.toFixed(2)}), loopback ${loopbackUs.toFixed(0)} µs`,
    `there and back, AES-GCM ${encryptionMBs.toFixed(0)} MB/s in 16 KB, calibration ${calibrationMs.toFixed(0)} ms; load ${machine.load.toFixed(2)} before.`,
  ]
}

/** Only rows that both sides have. */
function besideOf(lines: readonly Line[], table: Table): readonly string[] {
  const those = lines.filter((line) => line.table === table && line.times !== undefined)
  if (those.length === 0) return []
  return ['', `## ${table === 'HTTP/2.0' ? 'HTTP/2' : table} on both sides`, ...tableOf(those, table)]
}

function tableOf(lines: readonly Line[], table: Table): readonly string[] {
  const those = lines.filter((line) => line.table === table && line.figure !== 'clientPercent')
  const sides = [...new Set(those.flatMap(({ medians }) => Object.keys(medians)))]
  const bound = new Set(lines.filter((line) => line.table === table && isClientBound(line)).map(({ row }) => row))
  return [
    '',
    `| row | figure | ${sides.join(' | ')} | times better (95 %) | goal | |`,
    `|---|---|${sides.map(() => '--:|').join('')}--:|--:|---|`,
    ...those.map((line) => tableLine(line, sides, bound.has(line.row))),
    ...(bound.size > 0 ? ['', `† The client used more than ${CLIENT_PERCENT_MAX} % of the machine.`] : []),
  ]
}

/** Above, a faster client would show a faster server. On two cores, which client and server share, that is common. */
const CLIENT_PERCENT_MAX = 25

function isClientBound({ figure, medians }: Line): boolean {
  return figure === 'clientPercent' && Object.values(medians).some((percent) => percent > CLIENT_PERCENT_MAX)
}

function tableLine(line: Line, sides: readonly string[], isBound: boolean): string {
  const { row, figure, medians, verdict = '' } = line
  const cells = sides.map((side) => (medians[side] === undefined ? '' : numberText(medians[side])))
  const name = `${figure}, ${FIGURES[figure].unit}`
  return `| ${[`${row}${isBound ? ' †' : ''}`, name, ...cells, ratioText(line), goalText(line), verdict].join(' | ')} |`
}

export function ratioText({ times }: Line): string {
  return times ? `${numberText(times.ratio)} (${numberText(times.low)}–${numberText(times.high)})` : ''
}

export function goalText({ goal, limit }: Line): string {
  if (goal !== undefined) return `≥ ${Number(goal.toFixed(2))}`
  return limit === undefined ? '' : `at most ${limit}`
}

/** Three significant digits, never in powers of ten. */
export function numberText(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0)
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(Math.abs(value) >= 1 ? 2 : 3)
}
