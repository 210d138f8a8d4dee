/** Format strings taken apart: `'%s has %.2f%%'` is text, a clause, text, a clause and text. */

import { CelError } from '../values.ts'

export interface FormatClause {
  readonly letter: string
  /** Digits after the point; undefined: as many as the clause has by itself. */
  readonly precision: number | undefined
}

export type FormatPart = string | FormatClause | CelError

/** More digits than this are refused: they would only be zeros. */
const PRECISION_MAX = 100

const LETTERS = 'sdfebxXo'

/** In order; what cannot be read is an error, and the last part. */
export function formatParts(format: string): readonly FormatPart[] {
  const parts: FormatPart[] = []
  let index = 0
  const clauses = /%(?:%|(\.\d*)?([\s\S])?)/g
  for (let match = clauses.exec(format); match !== null; match = clauses.exec(format)) {
    if (match.index > index) parts.push(format.slice(index, match.index))
    index = clauses.lastIndex
    if (match[0] === '%%') {
      parts.push('%')
      continue
    }
    const clause = clauseOf(match[1], match[2])
    parts.push(clause)
    if (clause instanceof CelError) return parts
  }
  if (index < format.length) parts.push(format.slice(index))
  return parts
}

function clauseOf(digits: string | undefined, letter: string | undefined): FormatClause | CelError {
  if (digits === undefined && letter === undefined) return new CelError('unexpected end of string')
  const failure = (reason: string) => new CelError(`could not parse formatting clause: ${reason}`)
  if (letter === undefined) {
    return failure('error while parsing precision: could not find end of precision specifier')
  }
  const precision = digits === undefined ? undefined : Number(digits.slice(1))
  if (digits === '.' || (precision ?? 0) > PRECISION_MAX) {
    const reason = `strconv.Atoi: parsing ${JSON.stringify(digits?.slice(1))}: invalid syntax`
    return failure(`error while parsing precision: error while converting precision to integer: ${reason}`)
  }
  if (!LETTERS.includes(letter)) return failure(`unrecognized formatting clause "${letter}"`)
  return { letter, precision }
}

/** Why a clause does not take a value of a type. */
export function clauseMismatch(letter: string, type: string): CelError {
  return new CelError(`error during formatting: ${REQUIREMENTS[letter] ?? ''}, was given ${type}`)
}

const HEX = 'only integers, byte buffers, and strings can be formatted as hex'
const REQUIREMENTS: Readonly<Record<string, string>> = {
  s:
    'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and ' +
    'timestamps',
  d: 'decimal clause can only be used on integers',
  f: 'fixed-point clause can only be used on doubles',
  e: 'scientific clause can only be used on doubles',
  b: 'only integers and bools can be formatted as binary',
  o: 'octal clause can only be used on integers',
  x: HEX,
  X: HEX,
}
