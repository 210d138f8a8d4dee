/**
 * Label selectors: parse their text, print it, match labels, and turn `LabelSelector` objects into them.
 * Grammar and error texts: apimachinery's `labels` package. Requirements are sorted by key, so equal
 * selectors print the same.
 */

import { byCodeUnit, sortedKeys } from '../../base/group-by.ts'
import { LruMap } from '../../base/lru.ts'
import { badRequest } from './api-error.ts'
import {
  type FieldError,
  FieldPath,
  fieldErrorsText,
  forbidden,
  invalidValue,
  required,
  rootPath,
} from './field-error.ts'
import { isQualifiedName, isValidLabelValue } from './names.ts'

export type Labels = Readonly<Record<string, string>>

export type SelectorOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'

/** One condition on one key; all of a selector's must hold. */
export interface Requirement {
  readonly key: string
  readonly operator: SelectorOperator
  readonly values: readonly string[]
}

export interface Selector {
  matches(labels: Labels | undefined): boolean
  readonly requirements: readonly Requirement[]
  /** True for the selector that selects nothing; it has no requirements and no text of its own. */
  readonly nothing: boolean
  /** Canonical text; `''` selects everything. */
  toString(): string
}

/** The `LabelSelector` of the API. */
export interface LabelSelector {
  readonly matchLabels?: Labels | undefined
  readonly matchExpressions?: readonly LabelSelectorRequirement[] | undefined
}

export interface LabelSelectorRequirement {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[] | undefined
}

export const nothingSelector: Selector = {
  matches: () => false,
  requirements: [],
  nothing: true,
  toString: () => '',
}

export const everythingSelector: Selector = selectorOf([])

/** A selector of requirements that are known to be valid. */
export function selectorOf(requirements: readonly Requirement[]): Selector {
  const sorted = [...requirements].sort((left, right) => byCodeUnit(left.key, right.key))
  return {
    matches: (labels) => sorted.every((requirement) => requirementMatches(requirement, labels ?? {})),
    requirements: sorted,
    nothing: false,
    toString: () => sorted.map(requirementText).join(','),
  }
}

/** Selectors that are kept by their texts: clients ask again and again with the same few. */
const KEPT_SELECTORS_MAX = 200
/** Characters of a text that is kept. */
const KEPT_TEXT_MAX = 500

const kept = new LruMap<string, Selector>(KEPT_SELECTORS_MAX)

/** Parses the text of `labelSelector=` parameters and scale statuses; throws 400 with upstream's words. */
export function parseLabelSelector(text: string): Selector {
  if (text === '') return everythingSelector
  const known = kept.get(text)
  if (known) return known
  const selector = selectorOf(new Parser(text).parse())
  if (text.length <= KEPT_TEXT_MAX) kept.set(text, selector)
  return selector
}

/** `a=b,c=d` for exactly these labels. An absent or empty set selects everything. */
export function selectorFromLabels(labels: Labels | undefined): Selector {
  return selectorOf(Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: '=', values: [value] })))
}

/** Absent selects nothing, empty selects everything. Throws 400 for what `validateLabelSelector` would find. */
export function selectorFromLabelSelector(selector: LabelSelector | undefined | null): Selector {
  if (selector === undefined || selector === null) return nothingSelector
  const exact = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => requirement(key, '=', [value]))
  const others = (selector.matchExpressions ?? []).map(({ key, operator, values }) => {
    const translated = OBJECT_OPERATORS.get(operator)
    if (!translated) throw badRequest(`${JSON.stringify(operator)} is not a valid label selector operator`)
    return requirement(key, translated, values ?? [])
  })
  return selectorOf([...exact, ...others])
}

const OBJECT_OPERATORS: ReadonlyMap<string, SelectorOperator> = new Map([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
])

/** A `LabelSelector` object as scales and tables show it: empty without conditions, `<error>` when invalid. */
export function labelSelectorText(selector: LabelSelector | undefined | null): string {
  try {
    return selectorFromLabelSelector(selector).toString()
  } catch {
    return '<error>'
  }
}

export function validateLabelSelector(selector: LabelSelector | undefined | null, path: FieldPath): FieldError[] {
  if (selector === undefined || selector === null) return []
  const errors = validateLabels(selector.matchLabels, path.child('matchLabels'))
  for (const [index, expression] of (selector.matchExpressions ?? []).entries())
    errors.push(...validateExpression(expression, path.child('matchExpressions').index(index)))
  return errors
}

function validateExpression({ key, operator, values = [] }: LabelSelectorRequirement, path: FieldPath): FieldError[] {
  const errors: FieldError[] = []
  const needsValues = operator === 'In' || operator === 'NotIn'
  if (needsValues && values.length === 0)
    errors.push(required(path.child('values'), "must be specified when `operator` is 'In' or 'NotIn'"))
  if (!needsValues && operator !== 'Exists' && operator !== 'DoesNotExist')
    errors.push(invalidValue(path.child('operator'), operator ?? '', 'not a valid selector operator'))
  else if (!needsValues && values.length > 0)
    errors.push(forbidden(path.child('values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
  errors.push(...validateLabelKey(key ?? '', path.child('key')))
  for (const [index, value] of values.entries())
    for (const finding of isValidLabelValue(value))
      errors.push(invalidValue(path.child('values').index(index), value, finding))
  return errors
}

export function validateLabelKey(key: string, path: FieldPath): FieldError[] {
  return isQualifiedName(key).map((finding) => invalidValue(path, key, finding))
}

/** Labels of an object: keys and values, in key order. */
export function validateLabels(labels: Labels | undefined, path: FieldPath): FieldError[] {
  const errors: FieldError[] = []
  for (const key of sortedKeys(labels ?? {})) {
    const value = labels?.[key] ?? ''
    for (const finding of isQualifiedName(key)) errors.push(invalidValue(path, key, finding))
    for (const finding of isValidLabelValue(value)) errors.push(invalidValue(path, value, finding))
  }
  return errors
}

function requirementMatches({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case '=':
    case '==':
    case 'in':
      return value !== undefined && values.includes(value)
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value)
    case 'exists':
      return value !== undefined
    case '!':
      return value === undefined
    case 'gt':
    case 'lt': {
      const actual = value === undefined ? undefined : parseInt64(value)
      const bound = parseInt64(values[0] ?? '')
      if (actual === undefined || bound === undefined) return false
      return operator === 'gt' ? actual > bound : actual < bound
    }
  }
}

function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]{1,30}$/.test(text)) return undefined
  const value = text.startsWith('+') ? BigInt(text.slice(1)) : BigInt(text)
  return BigInt.asIntN(64, value) === value ? value : undefined
}

function requirementText({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'exists':
      return key
    case '!':
      return `!${key}`
    case 'in':
    case 'notin':
      return `${key} ${operator} (${[...values].sort(byCodeUnit).join(',')})`
    case 'gt':
      return `${key}>${values[0]}`
    case 'lt':
      return `${key}<${values[0]}`
    default:
      return `${key}${operator}${values[0]}`
  }
}

/** A checked requirement; throws 400 with every finding. */
function requirement(key: string, operator: SelectorOperator, values: readonly string[]): Requirement {
  const errors = requirementErrors(key, operator, values)
  if (errors.length > 0) throw badRequest(fieldErrorsText(errors))
  return { key, operator, values }
}

function requirementErrors(key: string, operator: SelectorOperator, values: readonly string[]): FieldError[] {
  const path = rootPath.child('values')
  const errors: FieldError[] = keyErrors(key, rootPath.child('key'))
  const countFinding = valueCountFinding(operator, values.length)
  if (countFinding !== undefined) errors.push(invalidValue(path, values, countFinding))
  if (operator === 'gt' || operator === 'lt')
    for (const [index, value] of values.entries())
      if (parseInt64(value) === undefined)
        errors.push(invalidValue(path.index(index), value, "for 'Gt', 'Lt' operators, the value must be an integer"))
  for (const [index, value] of values.entries()) {
    const findings = isValidLabelValue(value)
    if (findings.length > 0) errors.push(invalidValue(path.index(index).key(key), value, findings.join('; ')))
  }
  return errors
}

function valueCountFinding(operator: SelectorOperator, count: number): string | undefined {
  switch (operator) {
    case 'in':
    case 'notin':
      return count === 0 ? "for 'in', 'notin' operators, values set can't be empty" : undefined
    case 'exists':
    case '!':
      return count > 0 ? 'values set must be empty for exists and does not exist' : undefined
    case 'gt':
    case 'lt':
      return count === 1 ? undefined : "for 'Gt', 'Lt' operators, exactly one value is required"
    default:
      return count === 1 ? undefined : 'exact-match compatibility requires one single value'
  }
}

function keyErrors(key: string, path: FieldPath): FieldError[] {
  const findings = isQualifiedName(key)
  return findings.length === 0 ? [] : [invalidValue(path, key, findings.join('; '))]
}

type TokenType = 'identifier' | 'end' | '=' | '==' | '!=' | '!' | '(' | ')' | ',' | '>' | '<' | 'in' | 'notin'

interface Token {
  readonly type: TokenType
  readonly text: string
}

const TOKEN = /[ \t\r\n]*(?:(==|!=|[=!(),><])|([^ \t\r\n=!(),><]+))/y
const BINARY_OPERATORS: readonly SelectorOperator[] = ['in', 'notin', '=', '==', '!=', 'gt', 'lt']
const TOKEN_OPERATORS: ReadonlyMap<TokenType, SelectorOperator> = new Map([
  ['in', 'in'],
  ['notin', 'notin'],
  ['=', '='],
  ['==', '=='],
  ['!=', '!='],
  ['>', 'gt'],
  ['<', 'lt'],
])

const isSymbol = (text: string): text is Exclude<TokenType, 'identifier' | 'end'> =>
  /^(?:==|!=|[=!(),><]|in|notin)$/.test(text)

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  const pattern = new RegExp(TOKEN)
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const word = match[1] ?? match[2] ?? ''
    tokens.push({ type: isSymbol(word) ? word : 'identifier', text: word })
  }
  return [...tokens, { type: 'end', text: '' }]
}

/** Path of errors found before a requirement is whole: upstream prints its absent path so. */
const NO_PATH = new FieldPath('<nil>')

class Parser {
  readonly #tokens: readonly Token[]
  #position = 0

  constructor(text: string) {
    this.#tokens = tokenize(text)
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = []
    for (;;) {
      const first = this.#peek()
      if (first.type === 'end') return requirements
      if (first.type !== 'identifier' && first.type !== '!')
        throw badRequest(`found '${first.text}', expected: !, identifier, or 'end of string'`)
      requirements.push(this.#requirement())
      const next = this.#take()
      if (next.type === 'end') return requirements
      if (next.type !== ',') throw badRequest(`found '${next.text}', expected: ',' or 'end of string'`)
      const after = this.#peek()
      if (after.type !== 'identifier' && after.type !== '!')
        throw badRequest(`found '${after.text}', expected: identifier after ','`)
    }
  }

  /** The token at hand; `in` and `notin` are identifiers except where an operator is expected. */
  #peek(operatorExpected = false): Token {
    const token = this.#tokens[this.#position] ?? { type: 'end', text: '' }
    const keyword = token.type === 'in' || token.type === 'notin'
    return keyword && !operatorExpected ? { type: 'identifier', text: token.text } : token
  }

  #take(operatorExpected = false): Token {
    const token = this.#peek(operatorExpected)
    this.#position++
    return token
  }

  #requirement(): Requirement {
    const negated = this.#peek().type === '!'
    if (negated) this.#position++
    const { type, text: key } = this.#take()
    if (type !== 'identifier') throw unparsable(`found '${key}', expected: identifier`)
    const errors = keyErrors(key, NO_PATH)
    if (errors.length > 0) throw unparsable(fieldErrorsText(errors))
    const operator = negated ? '!' : this.#operator()
    const values = this.#values(operator)
    const findings = requirementErrors(key, operator, values)
    if (findings.length > 0) throw unparsable(fieldErrorsText(findings))
    return { key, operator, values }
  }

  #operator(): SelectorOperator {
    const { type, text } = this.#peek(true)
    if (type === 'end' || type === ',') return 'exists'
    this.#position++
    const operator = TOKEN_OPERATORS.get(type)
    if (operator === undefined) throw unparsable(`found '${text}', expected: ${BINARY_OPERATORS.join(', ')}`)
    return operator
  }

  #values(operator: SelectorOperator): readonly string[] {
    if (operator === 'exists' || operator === '!') return []
    if (operator === 'in' || operator === 'notin') return this.#set()
    const { type, text } = this.#peek()
    if (type === 'end' || type === ',') return ['']
    this.#position++
    if (type !== 'identifier') throw unparsable(`found '${text}', expected: identifier`)
    return [text]
  }

  #set(): readonly string[] {
    const open = this.#take()
    if (open.type !== '(') throw unparsable(`found '${open.text}' expected: '('`)
    const { type, text } = this.#peek()
    if (type === ')') {
      this.#position++
      return ['']
    }
    if (type !== 'identifier' && type !== ',') throw unparsable(`found '${text}', expected: ',', ')' or identifier`)
    const values = this.#list()
    this.#position++
    return [...values].sort(byCodeUnit)
  }

  /** Up to, not including, the closing parenthesis. An empty place between commas is the empty value. */
  #list(): Set<string> {
    const values = new Set<string>()
    let expectsValue = true
    for (;;) {
      const { type, text } = this.#peek()
      if (type === ')') {
        if (expectsValue) values.add('')
        return values
      }
      this.#position++
      if (type === ',') {
        if (expectsValue) values.add('')
        expectsValue = true
      } else if (type === 'identifier' && expectsValue) {
        values.add(text)
        expectsValue = false
      } else {
        const expected = expectsValue ? "',', or identifier" : "',' or ')'"
        throw unparsable(`found '${text}', expected: ${expected}`)
      }
    }
  }
}

function unparsable(detail: string): Error {
  return badRequest(`unable to parse requirement: ${detail}`)
}
