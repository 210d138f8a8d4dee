/** Sets of indexes as intervals in order: a hundred thousand of them in a line. Text form: `0,2-4,7`. */

import type { IndexInterval } from '../../../apis/batch/index-intervals.ts'

export type Indexes = readonly IndexInterval[]

/** What can be read of a text, below `completions`: a status that a user has broken does not stop a job. */
export function readIndexes(text: string | undefined, completions: number): Indexes {
  if (!text) return []
  const intervals = text.split(',').flatMap((part) => {
    const [first = Number.NaN, last = first] = part
      .split('-')
      .map((limit) => (/^\d+$/.test(limit) ? Number(limit) : Number.NaN))
    if (Number.isNaN(first) || Number.isNaN(last) || first >= completions) return []
    return [{ first, last: Math.min(last, completions - 1) }]
  })
  return merged(intervals)
}

export function indexesOf(indexes: Iterable<number>): Indexes {
  return merged([...indexes].map((index) => ({ first: index, last: index })))
}

export function union(...sets: readonly Indexes[]): Indexes {
  return merged(sets.flat())
}

function merged(intervals: Indexes): Indexes {
  const result: IndexInterval[] = []
  for (const { first, last } of intervals.toSorted((left, right) => left.first - right.first)) {
    const previous = result.at(-1)
    if (!previous || first > previous.last + 1) result.push({ first, last })
    else if (last > previous.last) result[result.length - 1] = { first: previous.first, last }
  }
  return result
}

export function hasIndex(indexes: Indexes, index: number): boolean {
  let [low, high] = [0, indexes.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((indexes[middle]?.last ?? 0) >= index) high = middle
    else low = middle + 1
  }
  const found = indexes[low]
  return found !== undefined && found.first <= index
}

/** How many indexes both sets have. */
export function commonCount(left: Indexes, right: Indexes): number {
  let count = 0
  for (let at = 0, other = 0; at < left.length && other < right.length; ) {
    const [one, two] = [left[at], right[other]]
    if (!one || !two) break
    count += Math.max(0, Math.min(one.last, two.last) - Math.max(one.first, two.first) + 1)
    if (one.last <= two.last) at++
    if (two.last <= one.last) other++
  }
  return count
}

/** The lowest `count` indexes below `completions` that the set does not have. */
export function firstMissing(indexes: Indexes, completions: number, count: number): readonly number[] {
  const missing: number[] = []
  let candidate = 0
  for (const { first, last } of [...indexes, { first: completions, last: completions }]) {
    for (; candidate < Math.min(first, completions) && missing.length < count; candidate++) missing.push(candidate)
    candidate = Math.max(candidate, last + 1)
  }
  return missing
}

/** Two neighbours stand alone, more of them have a hyphen. */
export function indexesText(indexes: Indexes): string {
  const textOf = ({ first, last }: IndexInterval): string => {
    if (first === last) return `${first}`
    return last === first + 1 ? `${first},${last}` : `${first}-${last}`
  }
  return indexes.map(textOf).join(',')
}
