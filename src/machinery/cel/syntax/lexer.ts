/** Text to tokens. Characters that begin no token are reported and skipped, as upstream's lexer does. */

export type TokenKind =
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'identifier'
  | 'quoted-identifier'
  | 'symbol'
  | 'end'

export interface Token {
  readonly kind: TokenKind
  readonly text: string
  readonly offset: number
}

/** What a lexer reports about text that is no token. */
export type Report = (offset: number, message: string) => void

const SPACE = /(?:[\t \r\n\f]+|\/\/[^\n]*)+/y
const ESCAPE = String.raw`\\(?:[abfnrtv"'\\?\x60]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})`
const STRING = [
  `[rR]"""[^]*?"""`,
  `[rR]'''[^]*?'''`,
  String.raw`[rR]"[^"\n\r]*"`,
  String.raw`[rR]'[^'\n\r]*'`,
  String.raw`"""(?:${ESCAPE}|[^\\])*?"""`,
  String.raw`'''(?:${ESCAPE}|[^\\])*?'''`,
  String.raw`"(?:${ESCAPE}|[^\\"\n\r])*"`,
  String.raw`'(?:${ESCAPE}|[^\\'\n\r])*'`,
].join('|')
const STRINGS = new RegExp(`([bB]?)(?:${STRING})`, 'y')
const NUMBER = /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|(?:0x[0-9a-fA-F]+|\d+)([uU]?)/y
const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_]*/y
const QUOTED_IDENTIFIER = /`[A-Za-z0-9_.\-/ ]+`/y
const SYMBOL = /==|!=|<=|>=|&&|\|\||[<>[\]{}().,\-!?:+*/%]/y

/** The tokens of a text, ended by one of kind `end`. */
export function tokenize(source: string, report: Report): readonly Token[] {
  const tokens: Token[] = []
  let offset = 0
  while (offset < source.length) {
    offset += matchAt(SPACE, source, offset).length
    if (offset >= source.length) break
    const token = tokenAt(source, offset)
    if (token === undefined) {
      offset = skipUnknown(source, offset, report)
      continue
    }
    tokens.push(token)
    offset += token.text.length
  }
  tokens.push({ kind: 'end', text: '<EOF>', offset: source.length })
  return tokens
}

function tokenAt(source: string, offset: number): Token | undefined {
  const string = matchAt(STRINGS, source, offset)
  if (string !== '') return { kind: /^[bB]/.test(string) ? 'bytes' : 'string', text: string, offset }
  const number = matchAt(NUMBER, source, offset)
  if (number !== '') return { kind: numberKind(number), text: number, offset }
  const identifier = matchAt(IDENTIFIER, source, offset)
  if (identifier !== '') return { kind: identifier === 'in' ? 'symbol' : 'identifier', text: identifier, offset }
  const quoted = matchAt(QUOTED_IDENTIFIER, source, offset)
  if (quoted !== '') return { kind: 'quoted-identifier', text: quoted, offset }
  const symbol = matchAt(SYMBOL, source, offset)
  return symbol === '' ? undefined : { kind: 'symbol', text: symbol, offset }
}

function numberKind(text: string): TokenKind {
  if (/[uU]$/.test(text)) return 'uint'
  return /^0x|^\d+$/.test(text) ? 'int' : 'double'
}

function matchAt(pattern: RegExp, source: string, offset: number): string {
  pattern.lastIndex = offset
  return pattern.exec(source)?.[0] ?? ''
}

/** Reports what cannot begin a token: an open string up to the end of its line, `| ` for `||`, or one character. */
function skipUnknown(source: string, offset: number, report: Report): number {
  const first = String.fromCodePoint(source.codePointAt(offset) ?? 0)
  let text = first
  const openString = /(?:[rRbB]{0,2})(?:"(?:\\[^\n\r]|[^"\\\n\r])*|'(?:\\[^\n\r]|[^'\\\n\r])*)/y
  openString.lastIndex = offset
  const open = openString.exec(source)?.[0]
  if (open !== undefined) text = open
  else if (first === '&' || first === '|' || first === '=') text = source.slice(offset, offset + 2)
  report(offset, `Syntax error: token recognition error at: '${escapeText(text)}'`)
  return offset + text.length
}

function escapeText(text: string): string {
  return text.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')
}
