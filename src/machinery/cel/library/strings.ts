/** The string extension, version 2: positions count characters. */

import type { Library } from '../declarations.ts'
import { COST_PER_CHARACTER, sizeForCost } from '../evaluate/actual-cost.ts'
import { charactersOf } from '../operators/text.ts'
import { DYN, INT, listType, STRING } from '../types.ts'
import { ArrayList, CelError, type CelValue, type ListValue, type Result } from '../values.ts'
import { costing, declare, member, overload } from './declare.ts'
import { formatText } from './format-text.ts'

/** Longer results are refused, in UTF-16 units: a short expression could ask for any length. */
const RESULT_LENGTH_MAX = 2 ** 26

const TOO_LONG = new CelError('string is too long')

/** The characters when some take two units; else the text itself, which is indexed the same way. */
function indexable(text: string): string | readonly string[] {
  return charactersOf(text) === text.length ? text : [...text]
}

function slice(characters: string | readonly string[], start: number, end: number): string {
  return typeof characters === 'string' ? characters.slice(start, end) : characters.slice(start, end).join('')
}

function outOfRange(index: bigint): CelError {
  return new CelError(`index out of range: ${index}`)
}

function charAt(text: string, index: bigint): Result {
  const characters = indexable(text)
  if (index < 0n || index > BigInt(characters.length)) return outOfRange(index)
  return characters[Number(index)] ?? ''
}

function substring(text: string, start: bigint, end?: bigint): Result {
  const characters = indexable(text)
  const length = BigInt(characters.length)
  if (end !== undefined && start > end) {
    return new CelError(`invalid substring range. start: ${start}, end: ${end}`)
  }
  if (start < 0n || start > length) return outOfRange(start)
  if (end !== undefined && (end < 0n || end > length)) return outOfRange(end)
  return slice(characters, Number(start), end === undefined ? characters.length : Number(end))
}

/** UTF-16 units before a character, and characters before a unit. */
function unitsBefore(text: string, characters: number): number {
  let units = 0
  for (let count = 0; count < characters && units < text.length; count++) {
    units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1
  }
  return units
}

function indexOf(text: string, part: string, offset = 0n): Result {
  if (part === '') return offset
  if (offset < 0n) return outOfRange(offset)
  if (offset >= BigInt(charactersOf(text))) return -1n
  const found = text.indexOf(part, unitsBefore(text, Number(offset)))
  return found === -1 ? -1n : BigInt(charactersOf(text.slice(0, found)))
}

function lastIndexOf(text: string, part: string, offset?: bigint): Result {
  const length = BigInt(charactersOf(text))
  if (part === '') return offset ?? length
  if (offset !== undefined && offset < 0n) return outOfRange(offset)
  if (offset !== undefined && offset >= length) return -1n
  const from = offset === undefined ? text.length : unitsBefore(text, Number(offset))
  const found = text.lastIndexOf(part, from)
  return found === -1 ? -1n : BigInt(charactersOf(text.slice(0, found)))
}

function replace(text: string, part: string, by: string, count = -1n): Result {
  if (count === 0n || part === by) return text
  const pieces = part === '' ? ['', ...text, ''] : text.split(part)
  const turns = count < 0n ? pieces.length - 1 : Math.min(Number(count), pieces.length - 1)
  if (text.length + turns * by.length > RESULT_LENGTH_MAX) return TOO_LONG
  return (
    pieces.slice(0, turns + 1).join(by) +
    pieces
      .slice(turns + 1)
      .map((piece) => part + piece)
      .join('')
  )
}

function split(text: string, separator: string, count = -1n): Result {
  if (count === 0n) return new ArrayList([])
  const pieces = separator === '' ? [...text] : text.split(separator)
  if (count < 0n || BigInt(pieces.length) <= count) return new ArrayList(pieces)
  const kept = Number(count) - 1
  return new ArrayList([...pieces.slice(0, kept), pieces.slice(kept).join(separator)])
}

function join(list: ListValue, separator = ''): Result {
  const texts: string[] = []
  let length = 0
  for (let index = 0; index < list.length; index++) {
    const element = list.at(index)
    if (typeof element !== 'string') return new CelError(`join: invalid input: ${String(element)}`)
    length += element.length + separator.length
    if (length > RESULT_LENGTH_MAX) return TOO_LONG
    texts.push(element)
  }
  return texts.join(separator)
}

const QUOTED: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}

function quote(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are what is escaped.
  return `"${text.toWellFormed().replace(/[\x07\b\f\n\r\t\v\\"]/g, (character) => QUOTED[character] ?? character)}"`
}

function trim(text: string): string {
  let start = 0
  let end = text.length
  const isSpace = (index: number) => TRIMMED_CHARACTER.test(text[index] ?? '')
  while (start < end && isSpace(start)) start++
  while (end > start && isSpace(end - 1)) end--
  return text.slice(start, end)
}

/** White space as Go has it. */
const TRIMMED_CHARACTER = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/

const once = ([text]: readonly CelValue[]): number => Math.ceil(sizeForCost(text) * COST_PER_CHARACTER)
const twice = ([text]: readonly CelValue[]): number => Math.ceil(sizeForCost(text) * 2 * COST_PER_CHARACTER)
const resultTwice = (_values: readonly CelValue[], result: Result): number =>
  result instanceof CelError ? 1 : Math.ceil(sizeForCost(result) * 2 * COST_PER_CHARACTER)

/** Letters of ASCII only. */
const upper = (text: string): string => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase())
const lower = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

export const STRINGS: Library = {
  name: 'cel.lib.ext.strings',
  functions: [
    declare('charAt', [member('string_char_at_int', [STRING, INT], STRING, charAt)]),
    declare(
      'indexOf',
      costing(once, [
        member('string_index_of_string', [STRING, STRING], INT, indexOf),
        member('string_index_of_string_int', [STRING, STRING, INT], INT, indexOf),
      ]),
    ),
    declare(
      'lastIndexOf',
      costing(once, [
        member('string_last_index_of_string', [STRING, STRING], INT, lastIndexOf),
        member('string_last_index_of_string_int', [STRING, STRING, INT], INT, lastIndexOf),
      ]),
    ),
    declare('lowerAscii', costing(once, [member('string_lower_ascii', [STRING], STRING, lower)])),
    declare('upperAscii', costing(once, [member('string_upper_ascii', [STRING], STRING, upper)])),
    declare(
      'replace',
      costing(twice, [
        member('string_replace_string_string', [STRING, STRING, STRING], STRING, replace),
        member('string_replace_string_string_int', [STRING, STRING, STRING, INT], STRING, replace),
      ]),
    ),
    declare(
      'split',
      costing(twice, [
        member('string_split_string', [STRING, STRING], listType(STRING), split),
        member('string_split_string_int', [STRING, STRING, INT], listType(STRING), split),
      ]),
    ),
    declare(
      'substring',
      costing(once, [
        member('string_substring_int', [STRING, INT], STRING, substring),
        member('string_substring_int_int', [STRING, INT, INT], STRING, substring),
      ]),
    ),
    declare('trim', costing(once, [member('string_trim', [STRING], STRING, trim)])),
    declare(
      'join',
      costing(resultTwice, [
        member('list_join', [listType(STRING)], STRING, join),
        member('list_join_string', [listType(STRING), STRING], STRING, join),
      ]),
    ),
    declare('format', [member('string_format', [STRING, listType(DYN)], STRING, formatText)]),
    declare('strings.quote', [overload('strings_quote', [STRING], STRING, quote)]),
  ],
}
