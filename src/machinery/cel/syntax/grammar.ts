/** The words and tables of the grammar that the parser walks: operators, reserved names, what may stand where. */

import type { CelValue } from '../values.ts'
import type { Expression } from './ast.ts'
import type { Token, TokenKind } from './lexer.ts'
import { bytesLiteral, doubleLiteral, intLiteral, type LiteralError, stringLiteral, uintLiteral } from './literals.ts'
import { callOf } from './macros.ts'

export const RESERVED = new Set([
  'as',
  'break',
  'const',
  'continue',
  'else',
  'false',
  'for',
  'function',
  'if',
  'import',
  'in',
  'let',
  'loop',
  'package',
  'namespace',
  'null',
  'return',
  'true',
  'var',
  'void',
  'while',
])

export const LITERAL_NAMES = ['true', 'false', 'null']
export const CLOSING = [')', ']', '}']

/** What an expression starts with, in the order upstream tells it, with the symbols that may stand there besides. */
const START_SYMBOLS = ["'['", "']'", "'{'", "'}'", "'('", "')'", "'.'", "','", "'-'", "'!'", "'?'"]
const STARTING = ["'['", "'{'", "'('", "'.'", "'-'", "'!'"]
const START_WORDS = "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER"

export function startsAnd(others: readonly string[]): string {
  const symbols = START_SYMBOLS.filter((symbol) => STARTING.includes(symbol) || others.includes(symbol))
  return `{${symbols.join(', ')}, ${START_WORDS}}`
}

export const STARTS = startsAnd([])

/** `')'`, or `{')', ','}`. */
export function expectedText(symbols: readonly string[]): string {
  const quoted = symbols.map((symbol) => `'${symbol}'`)
  return quoted.length === 1 ? (quoted[0] ?? '') : `{${quoted.join(', ')}}`
}

export const FIELD_STARTS = "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}"

export const RELATIONS: ReadonlyMap<string, string> = new Map([
  ['==', '_==_'],
  ['!=', '_!=_'],
  ['<', '_<_'],
  ['<=', '_<=_'],
  ['>', '_>_'],
  ['>=', '_>=_'],
  ['in', '@in'],
])
export const SUMS: ReadonlyMap<string, string> = new Map([
  ['+', '_+_'],
  ['-', '_-_'],
])
export const PRODUCTS: ReadonlyMap<string, string> = new Map([
  ['*', '_*_'],
  ['/', '_/_'],
  ['%', '_%_'],
])

export function balanced(
  name: string,
  terms: readonly Expression[],
  offsets: readonly number[],
  from: number,
  to: number,
): Expression {
  const only = terms[from]
  if (only !== undefined && to - from === 1) return only
  const middle = Math.ceil((from + to) / 2)
  const left = balanced(name, terms, offsets, from, middle)
  return callOf(offsets[middle - 1] ?? 0, name, left, balanced(name, terms, offsets, middle, to))
}

export function isNumber(kind: TokenKind | undefined): boolean {
  return kind === 'int' || kind === 'double'
}

export function startsExpression({ kind, text }: Token): boolean {
  if (kind === 'symbol') return ['[', '{', '(', '.', '-', '!'].includes(text)
  return kind !== 'end' && kind !== 'quoted-identifier'
}

export function literalValue({ kind, text }: Token, negative: boolean): CelValue | LiteralError {
  switch (kind) {
    case 'int':
      return intLiteral(text, negative)
    case 'uint':
      return uintLiteral(text)
    case 'double':
      return doubleLiteral(negative ? `-${text}` : text)
    case 'bytes':
      return bytesLiteral(text.slice(1))
    default:
      return stringLiteral(text)
  }
}
