/**
 * Text to tree, macros expanded. Recursive descent by the language's grammar; messages are those of upstream's
 * generated parser for the mistakes people make. Depth and length are bounded, so that everything after may recurse.
 */

import { charactersOf } from '../operators/text.ts'
import type { Entry, Expression } from './ast.ts'
import {
  balanced,
  CLOSING,
  expectedText,
  FIELD_STARTS,
  isNumber,
  LITERAL_NAMES,
  literalValue,
  PRODUCTS,
  RELATIONS,
  RESERVED,
  STARTS,
  SUMS,
  startsAnd,
  startsExpression,
} from './grammar.ts'
import { type Token, tokenize } from './lexer.ts'
import { LiteralError } from './literals.ts'
import { callOf, depthOf, findMacro, literalOf, MacroError } from './macros.ts'
import { type Issue, issueAt } from './source.ts'

/** Longer expressions are refused, in characters; as upstream. */
export const SOURCE_CHARACTERS_MAX = 100_000

/** Deeper nesting is refused; as upstream. */
export const DEPTH_MAX = 250

/** The offset of issues with the whole text. */
const NOWHERE = -1

/** Tokens that are left out to go on behind them. */
const RECOVERIES_MAX = 30

/** Issues of one text; more are not looked for. */
const ISSUES_MAX = 100

export type Parsed =
  | { readonly expression: Expression }
  | {
      readonly issues: readonly Issue[]
    }

export interface Syntax {
  /** Whether fields may be named in backticks: a.`b-c`. */
  readonly quotedNames: boolean
  /** Whether there is `cel.bind(name, value, result)`. */
  readonly bindings: boolean
}

export function parse(source: string, syntax: Syntax): Parsed {
  const size = charactersOf(source)
  if (size > SOURCE_CHARACTERS_MAX) {
    const message = `expression code point size exceeds limit: size: ${size}, limit ${SOURCE_CHARACTERS_MAX}`
    return { issues: [{ line: -1, column: -1, message }] }
  }
  const parser = new Parser(source, syntax)
  const expression = parser.parseAll()
  return expression === undefined || parser.issues.length > 0 ? { issues: parser.issues } : { expression }
}

/** Ends the parse; the issue is recorded. */
class SyntaxStop {}

class Parser {
  readonly issues: Issue[] = []
  private readonly source: string
  private readonly syntax: Syntax
  private readonly tokens: readonly Token[]
  private position = 0
  private nesting = 0
  private recoveries = 0
  /** Brackets that wait for their closing one. */
  private openings = 0

  constructor(source: string, syntax: Syntax) {
    this.source = source
    this.syntax = syntax
    this.tokens = tokenize(source, (offset, message) => this.report(offset, message))
  }

  parseAll(): Expression | undefined {
    try {
      const expression = this.conditional()
      if (this.token.kind !== 'end') {
        const word = this.tokens[this.position + 1]?.kind === 'end' ? 'extraneous' : 'mismatched'
        this.report(this.token.offset, `Syntax error: ${word} input '${this.token.text}' expecting <EOF>`)
      }
      return expression
    } catch (error) {
      if (error instanceof SyntaxStop) return undefined
      throw error
    }
  }

  private get token(): Token {
    return this.tokens[this.position] ?? { kind: 'end', text: '<EOF>', offset: this.source.length }
  }

  private report(offset: number, message: string): void {
    if (this.issues.length < ISSUES_MAX) this.issues.push(issueAt(this.source, offset, message))
  }

  private stop(offset: number, message: string): never {
    this.report(offset, message)
    throw new SyntaxStop()
  }

  /** Takes the symbol if it comes next. */
  private accept(text: string): Token | undefined {
    const token = this.token
    if (token.kind !== 'symbol' || token.text !== text) return undefined
    this.position++
    return token
  }

  private isNext(text: string): boolean {
    return this.token.kind === 'symbol' && this.token.text === text
  }

  /** As upstream: one token too many is left out, one that lacks where the text could go on is taken as given. */
  private expect(text: string, others: readonly string[] = []): Token {
    const wanted = [text, ...others]
    const expecting = expectedText(wanted)
    const next = this.tokens[this.position + 1]
    if (next?.kind === 'symbol' && wanted.includes(next.text) && !this.isNext(text)) {
      this.report(this.token.offset, `Syntax error: extraneous input '${this.token.text}' expecting ${expecting}`)
      this.position++
    }
    const accepted = this.accept(text)
    if (accepted !== undefined) return accepted
    const token = this.token
    const isEnd = token.kind === 'end' && this.openings === 1
    const isMissing = text === ':' ? startsExpression(token) : isEnd && others.length === 0
    if (!isMissing) {
      return this.stop(token.offset, `Syntax error: mismatched input '${token.text}' expecting ${expecting}`)
    }
    this.report(token.offset, `Syntax error: missing '${text}' at '${token.text}'`)
    return token
  }

  /** Reads up to the closing symbol, and that. */
  private enclosed<T>(read: () => T, close: string, others: readonly string[] = []): T {
    this.openings++
    const inner = read()
    this.expect(close, others)
    this.openings--
    return inner
  }

  /** Nodes deeper than the limit are refused where they would be made. */
  private bounded<Node extends Expression>(node: Node): Node {
    if (node.depth > DEPTH_MAX) this.stop(NOWHERE, 'max recursion depth exceeded')
    return node
  }

  private conditional(): Expression {
    if (++this.nesting > DEPTH_MAX) {
      this.stop(NOWHERE, `expression recursion limit exceeded: ${DEPTH_MAX}`)
    }
    const condition = this.logical('||', '_||_', () => this.logical('&&', '_&&_', () => this.relation()))
    const question = this.accept('?')
    if (question === undefined) {
      this.nesting--
      return condition
    }
    const yes = this.logical('||', '_||_', () => this.logical('&&', '_&&_', () => this.relation()))
    this.expect(':')
    const no = this.conditional()
    this.nesting--
    return this.bounded(callOf(question.offset, '_?_:_', condition, yes, no))
  }

  /** `a || b || c` becomes a balanced tree: a long chain is no deep one. */
  private logical(symbol: string, name: string, term: () => Expression): Expression {
    const terms = [term()]
    const offsets: number[] = []
    for (let operator = this.accept(symbol); operator !== undefined; operator = this.accept(symbol)) {
      offsets.push(operator.offset)
      terms.push(term())
    }
    return this.bounded(balanced(name, terms, offsets, 0, terms.length))
  }

  private relation(): Expression {
    return this.leftToRight(RELATIONS, () =>
      this.leftToRight(SUMS, () => this.leftToRight(PRODUCTS, () => this.unary())),
    )
  }

  private leftToRight(operators: ReadonlyMap<string, string>, operand: () => Expression): Expression {
    let left = operand()
    while (this.token.kind === 'symbol') {
      const name = operators.get(this.token.text)
      if (name === undefined) break
      const { offset } = this.token
      this.position++
      left = this.bounded(callOf(offset, name, left, operand()))
    }
    return left
  }

  private unary(): Expression {
    const { text: symbol, offset, kind } = this.token
    if (kind !== 'symbol' || (symbol !== '!' && symbol !== '-')) return this.member()
    let count = 0
    if (symbol === '-' && isNumber(this.tokens[this.position + 1]?.kind)) return this.member()
    while (this.accept(symbol) !== undefined) count++
    // An odd run before a number: the last minus belongs to the number.
    if (symbol === '-' && isNumber(this.token.kind)) {
      this.position--
      count--
    }
    if (this.token.kind === 'end') this.refuseEnd(symbol)
    const operand = this.member()
    if (count % 2 === 0) return operand
    return this.bounded(callOf(offset, symbol === '!' ? '!_' : '-_', operand))
  }

  private refuseEnd(operator: string): never {
    const { offset } = this.token
    if (operator === '-') this.report(offset, "Syntax error: no viable alternative at input '-'")
    const word = operator === '-' ? 'mismatched' : 'extraneous'
    return this.stop(offset, `Syntax error: ${word} input '<EOF>' expecting ${STARTS}`)
  }

  private member(): Expression {
    let expression = this.primary()
    for (;;) {
      const next = this.suffix(expression)
      if (next === undefined) return expression
      expression = this.bounded(next)
    }
  }

  private suffix(operand: Expression): Expression | undefined {
    const dot = this.accept('.')
    if (dot !== undefined) return this.selection(operand, dot)
    const bracket = this.accept('[')
    if (bracket === undefined) return undefined
    const optional = this.accept('?') !== undefined
    if (!optional) this.refuseStartBut("'?'")
    const index = this.enclosed(() => this.conditional(), ']')
    return callOf(bracket.offset, optional ? '_[?_]' : '_[_]', operand, index)
  }

  private selection(operand: Expression, dot: Token): Expression {
    const optional = this.accept('?') !== undefined
    const token = this.token
    const quoted = token.kind === 'quoted-identifier'
    if ((token.kind !== 'identifier' && !quoted) || LITERAL_NAMES.includes(token.text)) this.refuseField(dot, token)
    this.position++
    const field = quoted ? this.unquoted(token) : token.text
    if (optional) return callOf(dot.offset, '_?._', operand, literalOf(token.offset, field))
    if (!quoted && this.isNext('(')) {
      const open = this.expect('(')
      return this.callOrMacro(open.offset, field, operand, this.callValues())
    }
    return { kind: 'select', offset: dot.offset, depth: depthOf([operand]), operand, field, test: false }
  }

  private unquoted({ text, offset }: Token): string {
    if (!this.syntax.quotedNames) this.report(offset, "unsupported syntax: '`'")
    return text.slice(1, -1)
  }

  private refuseField(dot: Token, token: Token): never {
    if (LITERAL_NAMES.includes(token.text) || token.text === 'in') {
      return this.stop(token.offset, `Syntax error: mismatched input '${token.text}' expecting IDENTIFIER`)
    }
    const text = dot.text + (token.kind === 'end' ? '' : token.text)
    return this.stop(token.offset, `Syntax error: no viable alternative at input '${text}'`)
  }

  /** The values of a call, after its opening parenthesis, and the closing one. */
  private callValues(): readonly Expression[] {
    if (this.accept(')') !== undefined) return []
    this.refuseStartBut("')'")
    const more = (): readonly Expression[] => {
      const values = [this.conditional()]
      while (this.accept(',') !== undefined) values.push(this.conditional())
      return values
    }
    return this.enclosed(more, ')', this.isNext('?') ? [] : [','])
  }

  private callOrMacro(
    offset: number,
    name: string,
    target: Expression | undefined,
    values: readonly Expression[],
  ): Expression {
    const macro =
      name === 'bind' && !this.syntax.bindings ? undefined : findMacro(name, target !== undefined, values.length)
    const expanded = macro?.(offset, target, values)
    if (expanded instanceof MacroError) {
      this.report(expanded.offset, expanded.message)
      return literalOf(offset, null)
    }
    if (expanded !== undefined) return this.bounded(expanded)
    return this.bounded({ kind: 'call', offset, depth: depthOf([target, ...values]), name, target, values })
  }

  private primary(): Expression {
    const token = this.token
    switch (token.kind) {
      case 'identifier':
        return this.named()
      case 'symbol':
        return this.bracketed(token)
      case 'end':
      case 'quoted-identifier':
        return this.refuseStart(token)
      default:
        this.position++
        return this.literal(token, token.offset, false)
    }
  }

  private bracketed(token: Token): Expression {
    switch (token.text) {
      case '.':
        return this.named()
      case '(': {
        this.position++
        return this.enclosed(() => this.conditional(), ')')
      }
      case '[':
        return this.list()
      case '{':
        return this.map()
      case '-': {
        const number = this.tokens[this.position + 1]
        if (number === undefined || !isNumber(number.kind)) return this.refuseStart(token)
        this.position += 2
        return this.literal(number, token.offset, true)
      }
      default:
        return this.refuseStart(token)
    }
  }

  /** Tokens that begin no expression are told and left out, up to one that does. */
  private refuseStart(token: Token): Expression {
    const next = this.tokens[this.position + 1]
    const goesOn = token.kind !== 'end' && next !== undefined && startsExpression(next)
    const message = `Syntax error: ${goesOn ? 'extraneous' : 'mismatched'} input '${token.text}' expecting ${STARTS}`
    if (token.kind === 'end') return this.stop(token.offset, message)
    this.report(token.offset, message)
    if (++this.recoveries > RECOVERIES_MAX || (!goesOn && CLOSING.includes(token.text))) throw new SyntaxStop()
    this.position++
    return this.primary()
  }

  private literal(token: Token, offset: number, negative: boolean): Expression {
    const value = literalValue(token, negative)
    if (!(value instanceof LiteralError)) return literalOf(offset, value)
    this.report(offset, value.message)
    return literalOf(offset, null)
  }

  /** A name, a call or the construction of an object. */
  private named(): Expression {
    const start = this.token
    const leadingDot = this.accept('.') !== undefined
    const token = this.token
    if (token.kind !== 'identifier') return this.refuseField(start, token)
    if (!leadingDot && LITERAL_NAMES.includes(token.text)) {
      this.position++
      return literalOf(token.offset, token.text === 'null' ? null : token.text === 'true')
    }
    const objectName = this.objectName()
    if (objectName !== undefined) return this.object(leadingDot ? `.${objectName}` : objectName)
    this.position++
    if (RESERVED.has(token.text)) {
      this.report(start.offset, `reserved identifier: ${token.text}`)
      return literalOf(start.offset, null)
    }
    const name = leadingDot ? `.${token.text}` : token.text
    const open = this.accept('(')
    if (open !== undefined) return this.callOrMacro(open.offset, name, undefined, this.callValues())
    return { kind: 'identifier', offset: token.offset, depth: 1, name }
  }

  /** Steps over `a.b.C` when `{` follows, and answers it. */
  private objectName(): string | undefined {
    let position = this.position
    const names: string[] = []
    for (;;) {
      const token = this.tokens[position]
      if (token?.kind !== 'identifier') return undefined
      names.push(token.text)
      const next = this.tokens[position + 1]
      if (next?.kind !== 'symbol') return undefined
      if (next.text === '{') break
      if (next.text !== '.') return undefined
      position += 2
    }
    this.position = position + 1
    return names.join('.')
  }

  private object(type: string): Expression {
    const { offset } = this.expect('{')
    this.openings++
    const fields: Entry<string>[] = []
    while (!this.isNext('}') && !this.isNext(',')) {
      const optional = this.accept('?') !== undefined
      const token = this.fieldName(optional)
      const quoted = token.kind === 'quoted-identifier'
      this.position++
      const colon = this.expect(':')
      const value = this.conditional()
      fields.push({ offset: colon.offset, key: quoted ? this.unquoted(token) : token.text, value, optional })
      if (this.accept(',') === undefined) break
      if (this.isNext(',')) break
    }
    this.accept(',')
    this.expect('}', [','])
    this.openings--
    const depth = depthOf(fields.map(({ value }) => value))
    return this.bounded({ kind: 'object', offset, depth, type, fields })
  }

  /** The name of a field; one token before it is told and left out. */
  private fieldName(optional: boolean): Token {
    const isName = (token: Token | undefined) => token?.kind === 'identifier' || token?.kind === 'quoted-identifier'
    const token = this.token
    if (isName(token)) return token
    const goesOn = isName(this.tokens[this.position + 1])
    const expecting = optional ? '{IDENTIFIER, ESC_IDENTIFIER}' : FIELD_STARTS
    const word = goesOn ? 'extraneous' : 'mismatched'
    this.report(token.offset, `Syntax error: ${word} input '${token.text}' expecting ${expecting}`)
    if (!goesOn) throw new SyntaxStop()
    this.position++
    return this.token
  }

  private list(): Expression {
    const { offset } = this.expect('[')
    if (![']', ',', '?'].some((text) => this.isNext(text))) this.refuseStartBut("']'", "','", "'?'")
    const elements: Expression[] = []
    const optional = new Set<number>()
    const more = () => {
      while (!(this.isNext(']') || this.isNext(',') || (elements.length > 0 && this.token.kind === 'end'))) {
        if (this.accept('?') !== undefined) optional.add(elements.length)
        elements.push(this.conditional())
        if (this.accept(',') === undefined) return [',']
      }
      this.accept(',')
      return []
    }
    this.openings++
    this.expect(']', more())
    this.openings--
    return this.bounded({ kind: 'list', offset, depth: depthOf(elements), elements, optional })
  }

  private map(): Expression {
    const { offset } = this.expect('{')
    this.openings++
    const entries: Entry<Expression>[] = []
    while (!this.isNext('}') && !this.isNext(',')) {
      const optional = this.accept('?') !== undefined
      this.refuseStartBut("'}'", "','", "'?'")
      const key = this.conditional()
      const colon = this.expect(':')
      entries.push({ offset: colon.offset, key, value: this.conditional(), optional })
      if (this.accept(',') === undefined) break
    }
    this.accept(',')
    this.expect('}', [','])
    this.openings--
    const depth = depthOf(entries.flatMap(({ key, value }) => [key, value]))
    return this.bounded({ kind: 'map', offset, depth, entries })
  }

  /** Behind an opening bracket, the parser of upstream also tells what else could stand there. */
  private refuseStartBut(...others: readonly string[]): void {
    const token = this.token
    if (startsExpression(token)) return
    const expecting = startsAnd(others)
    const next = this.tokens[this.position + 1]
    const goesOn = next !== undefined && startsExpression(next)
    const word = goesOn ? 'extraneous' : 'mismatched'
    this.report(token.offset, `Syntax error: ${word} input '${token.text}' expecting ${expecting}`)
    if (!goesOn) throw new SyntaxStop()
    this.position++
  }
}
