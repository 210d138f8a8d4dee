/** The table of goals in README.md, made from the newest full run of everything and from nothing else. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { againText, goalText, numberText, type Report, ratioText } from './report.ts'
import { FIGURES } from './scenario.ts'
import { type Line, linesOf } from './verdicts.ts'

export const README = join(import.meta.dirname, '..', 'README.md')
const BEGIN = '<!-- bench: npm run bench writes what follows -->'
const END = '<!-- bench: end -->'

/** Rewrites the marked part of README.md. */
export function writeReadme(report: Report): void {
  writeFileSync(README, withTable(readFileSync(README, 'utf8'), report))
}

/** Throws when the text has no marked part. */
export function withTable(text: string, report: Report): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error('README.md has no place for the table of benchmarks')
  return `${text.slice(0, begin)}${BEGIN}\n\n${tableOf(report)}\n\n${text.slice(end)}`
}

function tableOf({ date, commit, machine, sides, circumstances, observations, failures }: Report): string {
  const [own = ''] = sides
  const judged = linesOf(observations, own).filter(({ goal, limit }) => goal !== undefined || limit !== undefined)
  const repeated = circumstances.flatMap(({ scenario, again }) => (again ? `${scenario} (${againText(again)})` : []))
  const reached = judged.filter(({ verdict }) => verdict === 'reached').length
  return [
    `${date.slice(0, 10)}, ${commit}, ${machine.cpu}, ${machine.cores} cores: ${reached} of ${judged.length} goals reached.`,
    '',
    ...aligned([
      ['', 'figure', 't8s', 'the other side at its best', 'times better (95 %)', 'goal', ''],
      ...judged.map((line) => cellsOf(line, own)),
    ]),
    ...(repeated.length > 0 ? ['', `Measured again: ${repeated.join('; ')}.`] : []),
    ...(failures.length > 0 ? ['', `Not measured: ${failures.join('; ')}.`] : []),
  ].join('\n')
}

function cellsOf(line: Line, own: string): readonly string[] {
  const { row, figure, medians, against, verdict = '' } = line
  const [ours, theirs] = [own, against ?? ''].map((side) => {
    const value = medians[side]
    return value === undefined ? '' : numberText(value)
  })
  const unit = FIGURES[figure].unit
  const name = figure === 'p50' || figure === 'p99' ? `${figure}, ${unit}` : unit
  return [row, name, ours ?? '', theirs ?? '', ratioText(line), goalText(line), verdict]
}

/** Which columns are numbers. */
const RIGHT = [false, false, true, true, true, true, false]

/** As the formatter of the project has tables, the first row as their head. */
function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = RIGHT.map((_, column) => Math.max(3, ...rows.map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const padded = (cells: readonly string[]) =>
    line(
      cells.map((cell, column) =>
        RIGHT[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      ),
    )
  const [head = [], ...others] = rows
  const rule = widths.map((width, column) => (RIGHT[column] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)))
  return [padded(head), line(rule), ...others.map(padded)]
}
