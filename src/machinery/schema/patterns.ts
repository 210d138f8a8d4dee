/** Patterns that users bring: Go's regular expressions, which take linear time whatever they and the text are. */

import { RE2JS } from 're2js'
import { LruMap } from '../../base/lru.ts'

/** Patterns compiled at a time; a large resource has some hundreds, and old ones are compiled again when needed. */
const PATTERNS_MAX = 4_000

const patterns = new LruMap<string, RE2JS | string>(PATTERNS_MAX)

/** The message of what is wrong, where the text is no regular expression. */
export function compilePattern(text: string): RE2JS | string {
  const known = patterns.get(text)
  if (known !== undefined) return known
  const made = compile(text)
  patterns.set(text, made)
  return made
}

function compile(text: string): RE2JS | string {
  try {
    return RE2JS.compile(text)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** A pattern that is none matches everything: it was refused before, or is older than the rule. */
export function matchesPattern(value: string, pattern: string): boolean {
  const compiled = compilePattern(pattern)
  return typeof compiled === 'string' || compiled.matcher(value).find()
}
