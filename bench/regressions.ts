/** A full run against the one before on the same kind of machine: what has become worse than chance explains. */

import { type Report, ratioText } from './report.ts'
import { type Line, linesOf } from './verdicts.ts'

export interface Regression {
  readonly row: string
  readonly figure: string
  readonly text: string
}

/** A goal that was reached and is missed, or a ratio whose interval lies below that of the run before. */
export function regressionsBetween(before: Report, after: Report): readonly Regression[] {
  const earlier = new Map(judgedIn(before).map((line) => [keyOf(line), line]))
  return judgedIn(after).flatMap((line) => {
    const then = earlier.get(keyOf(line))
    if (then === undefined || !isWorse(then, line)) return []
    const text = `${ratioText(then)} ${then.verdict ?? ''} → ${ratioText(line)} ${line.verdict ?? ''}`
    return [{ row: line.row, figure: line.figure, text }]
  })
}

/** Judged goals that are not reached, for people. */
export function unreachedIn(report: Report): readonly Line[] {
  return judgedIn(report).filter(({ verdict }) => verdict !== undefined && verdict !== 'reached')
}

function judgedIn({ observations, sides }: Report): readonly Line[] {
  return linesOf(observations, sides[0] ?? '').filter(({ table }) => table === 'chosen')
}

function keyOf({ row, figure }: Line): string {
  return JSON.stringify([row, figure])
}

function isWorse(then: Line, now: Line): boolean {
  if (then.verdict === 'reached' && now.verdict === 'missed') return true
  return then.times !== undefined && now.times !== undefined && now.times.high < then.times.low
}
