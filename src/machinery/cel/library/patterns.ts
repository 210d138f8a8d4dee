/** Regular expressions in linear time. Patterns come from users: only RE2's kind, and never more kept than a bound. */

import { RE2JS } from 're2js'
import { LruMap } from '../../../base/lru.ts'
import { CelError, type Result } from '../values.ts'

/** Compiled patterns that are kept, over all expressions. */
const PATTERNS_MAX = 1_000

const patterns = new LruMap<string, RE2JS | CelError>(PATTERNS_MAX)

/** The compiled pattern, or why it is none. */
export function patternOf(text: string): RE2JS | CelError {
  const known = patterns.get(text)
  if (known !== undefined) return known
  const pattern = compilePattern(text)
  patterns.set(text, pattern)
  return pattern
}

function compilePattern(text: string): RE2JS | CelError {
  try {
    return RE2JS.compile(text)
  } catch (error) {
    return new CelError(error instanceof Error ? error.message : `error parsing regexp: \`${text}\``)
  }
}

export function matchesPattern(text: string, pattern: string): Result {
  const compiled = patternOf(pattern)
  return compiled instanceof CelError ? compiled : compiled.matcher(text).find()
}
