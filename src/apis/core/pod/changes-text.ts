/** The fields in which two values differ, for refusals: one line with the old value, one with the new. */

import { deepEqual } from '../../../base/deep-equal.ts'
import { isRecord } from '../../../base/is-record.ts'

/** Lines at most: a refusal should name what is wrong, not repeat the object. */
const LINES_MAX = 40

export function changesText(before: unknown, after: unknown): string {
  const lines = [...changes('', before, after)]
  const shown = lines.slice(0, LINES_MAX)
  return lines.length > shown.length ? `${shown.join('\n')}\n  …` : shown.join('\n')
}

function* changes(path: string, before: unknown, after: unknown): Iterable<string> {
  if (deepEqual(before, after)) return
  if (isRecord(before) && isRecord(after)) {
    const separator = path === '' ? '' : '.'
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      yield* changes(`${path}${separator}${key}`, before[key], after[key])
    }
  } else if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    for (const [index, item] of before.entries()) yield* changes(`${path}[${index}]`, item, after[index])
  } else {
    if (before !== undefined) yield `- \t${path}: ${JSON.stringify(before)}`
    if (after !== undefined) yield `+ \t${path}: ${JSON.stringify(after)}`
  }
}
