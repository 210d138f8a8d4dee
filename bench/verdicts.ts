/** Observations of many rounds as one line for each figure: medians, the ratio to the best of the others, the goal. */

import type { Observation } from './compare.ts'
import { GOALS, type Goal, LIMITS, type Limit } from './goals.ts'
import { FIGURES, type FigureName, type Table } from './scenario.ts'
import { median, type Ratio, ratioOfMedians } from './statistics.ts'

export interface Line {
  readonly row: string
  readonly table: Table
  readonly figure: FigureName
  /** Medians by side. */
  readonly medians: Readonly<Record<string, number>>
  /** How many times better the first side is than the best of the others; below 1: it loses. Absent without others, and where a ratio says nothing. */
  readonly times?: Ratio | undefined
  /** The best of the others. */
  readonly against?: string | undefined
  readonly goal?: number | undefined
  /** What the figure itself may be at most. */
  readonly limit?: number | undefined
  readonly verdict?: 'reached' | 'missed' | 'undecided' | undefined
  readonly rounds: number
}

/** `side`: whose figures are judged. In the order of the observations. */
export function linesOf(observations: readonly Observation[], side: string): readonly Line[] {
  const groups = Map.groupBy(observations, ({ row, table, figure }) => JSON.stringify([row, table, figure]))
  return [...groups.values()].flatMap((those) => {
    const [first] = those
    return first
      ? [
          lineOf(
            first,
            Map.groupBy(those, (each) => each.side),
            side,
          ),
        ]
      : []
  })
}

function lineOf(
  { row, table, figure }: Observation,
  bySide: ReadonlyMap<string, readonly Observation[]>,
  side: string,
): Line {
  const values = new Map([...bySide].map(([name, those]) => [name, those.map(({ value }) => value)]))
  const medians = Object.fromEntries([...values].map(([name, samples]) => [name, median(samples)]))
  const own = values.get(side) ?? []
  const judged = <T extends Goal | Limit>(list: readonly T[]) =>
    table === 'chosen' ? list.find((each) => each.row === row && each.figure === figure) : undefined
  const limit = judged(LIMITS)?.atMost
  const within = limit === undefined ? {} : { limit, verdict: verdictWithin(own, limit) }
  const line = { row, table, figure, medians, rounds: own.length, ...within }
  const goal = judged(GOALS)
  const others = [...values].filter(([name]) => name !== side && name === (goal?.against ?? name))
  const [best] = others.toSorted(([, left], [, right]) => betterFirst(figure, median(left), median(right)))
  if (!best || own.length === 0) return line
  const [against, samples] = best
  // An exponent is no amount: how many times another it is says nothing.
  if (figure === 'exponent') return { ...line, against }
  const times = FIGURES[figure].better === 'higher' ? ratioOfMedians(own, samples) : ratioOfMedians(samples, own)
  return goal === undefined
    ? { ...line, times, against }
    : {
        ...line,
        times,
        against,
        goal: goal.times,
        verdict: own.length < ROUNDS_MIN ? 'undecided' : verdictOf(times, goal.times),
      }
}

/** Fewer rounds say nothing of how sure a ratio is. */
const ROUNDS_MIN = 3

/** Undecided when only some of the rounds are. */
function verdictWithin(values: readonly number[], limit: number): Line['verdict'] {
  const within = values.filter((value) => value <= limit).length
  if (within === values.length) return 'reached'
  return within === 0 ? 'missed' : 'undecided'
}

function betterFirst(figure: FigureName, left: number, right: number): number {
  return FIGURES[figure].better === 'higher' ? right - left : left - right
}

function verdictOf({ low, high }: Ratio, goal: number): Line['verdict'] {
  if (low >= goal) return 'reached'
  return high < goal ? 'missed' : 'undecided'
}
