/** `find` and `findAll`. */

import type { Library } from '../declarations.ts'
import { COST_PER_CHARACTER, COST_PER_PATTERN_CHARACTER, sizeForCost } from '../evaluate/actual-cost.ts'
import { INT, listType, STRING } from '../types.ts'
import { ArrayList, CelError, type CelValue, type Result } from '../values.ts'
import { costing, declare, member } from './declare.ts'
import { patternOf } from './patterns.ts'

function find(text: string, pattern: string): Result {
  const compiled = patternOf(pattern)
  if (compiled instanceof CelError) return new CelError(`Illegal regex: ${compiled.message}`)
  const matcher = compiled.matcher(text)
  return matcher.find() ? (matcher.group() ?? '') : ''
}

function findAll(text: string, pattern: string, count = -1n): Result {
  const compiled = patternOf(pattern)
  if (compiled instanceof CelError) return new CelError(`Illegal regex: ${compiled.message}`)
  const matcher = compiled.matcher(text)
  const found: string[] = []
  while ((count < 0n || BigInt(found.length) < count) && matcher.find()) found.push(matcher.group() ?? '')
  return new ArrayList(found)
}

function matching([text, pattern]: readonly CelValue[]): number {
  const perText = Math.ceil((1 + sizeForCost(text)) * COST_PER_CHARACTER)
  return perText * Math.ceil(sizeForCost(pattern) * COST_PER_PATTERN_CHARACTER)
}

export const REGEX: Library = {
  name: 'kubernetes.regex',
  functions: [
    declare('find', costing(matching, [member('string_find_string', [STRING, STRING], STRING, find)])),
    declare(
      'findAll',
      costing(matching, [
        member('string_find_all_string', [STRING, STRING], listType(STRING), findAll),
        member('string_find_all_string_int', [STRING, STRING, INT], listType(STRING), findAll),
      ]),
    ),
  ],
}
