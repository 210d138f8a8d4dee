/** Calls of `format` whose text and values are literals: clauses are compared with the types of their values. */

import { clauseMismatch, formatParts } from '../library/format-clauses.ts'
import type { Call, Expression } from '../syntax/ast.ts'
import { type CelType, DYN, typeName } from '../types.ts'
import { CelError } from '../values.ts'

export interface FormatFinding {
  readonly offset: number
  readonly message: string
}

/** The first thing wrong with the call, if anything is. */
export function formatFinding(call: Call, types: ReadonlyMap<Expression, CelType>): FormatFinding | undefined {
  const [list] = call.values
  const { target, offset } = call
  if (call.name !== 'format' || target?.kind !== 'literal' || typeof target.value !== 'string') return undefined
  if (list?.kind !== 'list') return undefined
  let next = 0
  for (const part of formatParts(target.value)) {
    if (typeof part === 'string') continue
    const value = list.elements[next]
    if (part instanceof CelError && part.message === 'unexpected end of string')
      return { offset, message: part.message }
    if (value === undefined) return { offset, message: `index ${next} out of range` }
    next++
    if (part instanceof CelError) return { offset, message: part.message }
    const bad = misfit(value, part.letter, types)
    if (bad === undefined) continue
    const type = typeName(types.get(bad) ?? DYN)
    return { offset: bad.offset, message: clauseMismatch(part.letter, type).message }
  }
  const given = list.elements.length
  if (given <= next) return undefined
  const counts = `(expected ${next}, got ${given})`
  return { offset, message: `too many arguments supplied to string.format ${counts}` }
}

const INTEGERS = ['int', 'uint']
const DOUBLES = ['double', 'string']
const HEX = ['int', 'uint', 'string', 'bytes']
const KINDS: Readonly<Record<string, readonly string[]>> = {
  s: [
    ...['list', 'map', 'int', 'uint', 'double', 'bool', 'string', 'timestamp', 'bytes', 'duration', 'type'],
    'null_type',
  ],
  d: INTEGERS,
  f: DOUBLES,
  e: DOUBLES,
  b: [...INTEGERS, 'bool'],
  o: INTEGERS,
  x: HEX,
  X: HEX,
}

/** The value, or the part of it, that the clause does not take. */
function misfit(value: Expression, letter: string, types: ReadonlyMap<Expression, CelType>): Expression | undefined {
  const { kind } = types.get(value) ?? DYN
  if (kind !== 'dyn' && !KINDS[letter]?.includes(kind)) return value
  if (letter !== 's') return undefined
  const parts =
    value.kind === 'list'
      ? value.elements
      : value.kind === 'map'
        ? value.entries.flatMap(({ key, value: held }) => [key, held])
        : []
  for (const part of parts) {
    const bad = misfit(part, letter, types)
    if (bad !== undefined) return bad
  }
  return undefined
}
