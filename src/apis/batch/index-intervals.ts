/** Sets of completion indexes in text form: `0,2-4,7`. Ascending, without overlaps, all below the completions. */

/** The first and the last index of an interval. */
export interface IndexInterval {
  readonly first: number
  readonly last: number
}

/** The intervals of a set; the text of what is wrong for anything else. */
export function parseIndexes(text: string, completions: number): readonly IndexInterval[] | string {
  if (text === '') return []
  const intervals: IndexInterval[] = []
  for (const part of text.split(',')) {
    const interval = parseInterval(part, completions)
    if (typeof interval === 'string') return interval
    const previous = intervals.at(-1)
    if (previous && previous.last >= interval.first) return notIncreasing(previous.last, interval.first)
    intervals.push(interval)
  }
  return intervals
}

/** How many indexes the intervals have. */
export function countIndexes(intervals: readonly IndexInterval[]): number {
  return intervals.reduce((total, { first, last }) => total + last - first + 1, 0)
}

/** The lowest index that both sets have. Intervals that cannot be read are passed over. */
export function commonIndex(left: string, right: string, completions: number): number | undefined {
  const [some, others] = [readableIntervals(left, completions), readableIntervals(right, completions)]
  for (let at = 0, other = 0; at < some.length && other < others.length; ) {
    const [one, two] = [some[at], others[other]]
    if (!one || !two) return undefined
    if (one.first <= two.last && two.first <= one.last) return Math.max(one.first, two.first)
    if (one.first <= two.first) at++
    else other++
  }
  return undefined
}

function readableIntervals(text: string, completions: number): readonly IndexInterval[] {
  return text.split(',').flatMap((part) => {
    const interval = parseInterval(part, completions)
    return typeof interval === 'string' ? [] : [interval]
  })
}

function parseInterval(text: string, completions: number): IndexInterval | string {
  const limits = text.split('-')
  if (limits.length > 2) {
    const rule = "violates the requirement that an index interval can have at most two parts separated by '-'"
    return `the fragment ${JSON.stringify(text)} ${rule}`
  }
  const [first, last = first] = limits.map((limit) => parseIndex(limit, completions))
  if (typeof first !== 'number') return first ?? ''
  if (typeof last !== 'number') return last ?? ''
  return limits.length === 2 && first >= last ? notIncreasing(first, last) : { first, last }
}

function parseIndex(text: string, completions: number): number | string {
  const index = /^\+?\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(index)) return `cannot convert string to integer for index: ${JSON.stringify(text)}`
  return index < completions ? index : `too large index: ${JSON.stringify(text)}`
}

function notIncreasing(previous: number, current: number): string {
  return `non-increasing order, previous: ${previous}, current: ${current}`
}
