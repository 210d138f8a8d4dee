/**
 * Evaluating the rules of a schema at every level of an object, within a budget for all of them together. On updates,
 * what a rule without `oldSelf` finds in a value that did not change is let pass.
 */

import { deepEqual } from '../../base/deep-equal.ts'
import { isRecord } from '../../base/is-record.ts'
import { escapeFieldName } from '../cel/field-names.ts'
import { valueFromJson } from '../cel/json-values.ts'
import { CelError, type CelValue, NONE, OptionalValue } from '../cel/values.ts'
import { duplicate, type FieldError, FieldPath, forbidden, invalidValue, required } from '../meta/field-error.ts'
import { keysText } from './list-keys.ts'
import { type CompiledRule, type CompiledRules, compileRules } from './rules.ts'
import type { Schema, ValidationRule } from './schema.ts'

/** Units of cost that one evaluation may take: about a tenth of a second of upstream's. */
const CALL_COST_MAX = 1_000_000
/** Units of cost for all rules of one object. */
const OBJECT_COST_MAX = 10_000_000
/** Bytes of a message that an expression makes. */
const MESSAGE_BYTES_MAX = 5 * 1024

/** A schema with rules in it, and the ways to them. */
interface Level {
  readonly schema: Schema
  readonly rules: CompiledRules | undefined
  readonly properties: ReadonlyMap<string, Level>
  readonly values: Level | undefined
  readonly items: Level | undefined
}

interface Visit {
  readonly value: unknown
  /** The value before the update; undefined when there was none, or none can be told to be the same. */
  readonly previous: unknown
  /** Whether the nearest value above that has a counterpart is as it was. */
  readonly unchangedAbove: () => boolean
  readonly path: FieldPath
}

export interface RuleFindings {
  readonly errors: readonly FieldError[]
  /** Findings about values that an update left as they were: they are let pass, and told. */
  readonly passed: readonly FieldError[]
}

/** What is left of the budget; nothing more is evaluated below zero. */
interface Purse {
  left: number
  readonly errors: FieldError[]
  readonly passed: FieldError[]
}

export interface RuleSubject {
  readonly previous?: unknown
  /** Where the value stands; absent: it is a whole object. */
  readonly path?: FieldPath | undefined
}

export function hasRules(schema: Schema): boolean {
  return levelOf(schema, 'object', true) !== undefined
}

/** `previous` is undefined where nothing was before. */
export function validateRules(value: unknown, schema: Schema, { previous, path }: RuleSubject = {}): RuleFindings {
  const level = levelOf(schema, 'object', path === undefined)
  if (level === undefined) return NOTHING
  const purse: Purse = { left: OBJECT_COST_MAX, errors: [], passed: [] }
  const unchangedAbove = (): boolean => false
  visit(level, { value, previous: previous ?? undefined, unchangedAbove, path: path ?? new FieldPath('') }, purse)
  return purse
}

const NOTHING: RuleFindings = { errors: [], passed: [] }

const levels = new WeakMap<Schema, Level | 'none'>()

/** Undefined when there is no rule in it. */
function levelOf(schema: Schema, name: string, isResource: boolean): Level | undefined {
  const known = levels.get(schema)
  if (known !== undefined) return known === 'none' ? undefined : known
  const made = makeLevel(schema, name, isResource)
  levels.set(schema, made ?? 'none')
  return made
}

function makeLevel(schema: Schema, name: string, isResource: boolean): Level | undefined {
  const { items, additionalProperties: additional } = schema
  const child = (of: Schema, step: string): Level | undefined =>
    levelOf(of, `${name}.${step}`, of['x-kubernetes-embedded-resource'] === true)
  const properties = new Map<string, Level>()
  for (const [property, field] of Object.entries(schema.properties ?? {})) {
    const level = child(field, escapeFieldName(property) ?? property)
    if (level !== undefined) properties.set(property, level)
  }
  const values = typeof additional === 'object' ? child(additional, '@elem') : undefined
  const ofItems = items && child(items, '@idx')
  const rules = compileRules(schema, { name, isResource })
  if (rules === undefined && properties.size === 0 && values === undefined && ofItems === undefined) return undefined
  return { schema, rules, properties, values, items: ofItems }
}

function visit(level: Level, place: Visit, purse: Purse): void {
  const { value } = place
  if (value === null || value === undefined || purse.left < 0) return
  if (level.rules !== undefined) evaluateAll(level.rules, level.schema, place, purse)
  if (Array.isArray(value)) visitItems(level, value, place, purse)
  else if (isRecord(value)) visitFields(level, value, place, purse)
}

function visitItems(level: Level, list: readonly unknown[], place: Visit, purse: Purse): void {
  const { items, schema } = level
  if (items === undefined) return
  const keyed = schema['x-kubernetes-list-type'] === 'map' && Array.isArray(place.previous)
  const before = new Map(
    keyed ? (place.previous as readonly unknown[]).map((item) => [keysText(item, schema), item]) : [],
  )
  const unchangedAbove = unchangedOf(place)
  for (const [index, value] of list.entries()) {
    if (purse.left < 0) return
    const previous = keyed ? before.get(keysText(value, schema)) : undefined
    visit(items, { value, previous, unchangedAbove, path: place.path.index(index) }, purse)
  }
}

function visitFields(level: Level, object: Readonly<Record<string, unknown>>, place: Visit, purse: Purse): void {
  const { properties, values } = level
  if (values === undefined && properties.size === 0) return
  const unchangedAbove = unchangedOf(place)
  for (const [name, value] of Object.entries(object)) {
    if (purse.left < 0) return
    const next = values ?? properties.get(name)
    if (next === undefined) continue
    const previous = isRecord(place.previous) && Object.hasOwn(place.previous, name) ? place.previous[name] : undefined
    const path = values === undefined ? place.path.child(name) : place.path.key(name)
    visit(next, { value, previous: previous ?? undefined, unchangedAbove, path }, purse)
  }
}

/** Asked at most once, and only when something was found. */
function unchangedOf({ value, previous, unchangedAbove }: Visit): () => boolean {
  let known: boolean | undefined
  return () => {
    known ??= previous === undefined ? unchangedAbove() : deepEqual(value, previous)
    return known
  }
}

function evaluateAll({ rules, type }: CompiledRules, schema: Schema, place: Visit, purse: Purse): void {
  const { value, previous } = place
  const self = valueFromJson(value, type)
  const oldSelf = previous === undefined ? undefined : valueFromJson(previous, type)
  const unchanged = unchangedOf(place)
  for (const compiled of rules) {
    if (purse.left < 0) return
    const finding = evaluate(compiled, { self, oldSelf }, { schema, value, path: place.path }, purse)
    if (finding === undefined) continue
    if (compiled.usesOldSelf || !unchanged()) purse.errors.push(finding)
    else purse.passed.push(finding)
  }
}

interface Bound {
  readonly self: CelValue
  readonly oldSelf: CelValue | undefined
}

interface Subject {
  readonly schema: Schema
  readonly value: unknown
  readonly path: FieldPath
}

function evaluate(compiled: CompiledRule, bound: Bound, subject: Subject, purse: Purse): FieldError | undefined {
  const { rule, program, error } = compiled
  const path = pathOf(subject.path)
  const fail = (detail: string): FieldError => invalidValue(path, subject.schema.type ?? '', detail)
  if (error !== undefined) return fail(`rule compile error: ${error}`)
  if (program === undefined || (compiled.usesOldSelf && bound.oldSelf === undefined && !rule.optionalOldSelf))
    return undefined
  const bindings = bindingsOf(rule, bound)
  const { value, cost, overBudget } = program.evaluate(bindings, { costBudget: Math.min(CALL_COST_MAX, purse.left) })
  const enough = spend(purse, cost)
  if (!enough || (overBudget && purse.left < CALL_COST_MAX)) {
    purse.left = -1
    return fail('validation failed due to running out of cost budget, no further validation rules will be run')
  }
  if (value instanceof CelError) return evaluationError(value, rule, overBudget, { fail, purse })
  return value === true ? undefined : refusal(compiled, bindings, subject, purse)
}

/** False when it was more than there is. */
function spend(purse: Purse, cost: number): boolean {
  if (cost > purse.left) return false
  purse.left -= cost
  return true
}

function bindingsOf(rule: ValidationRule, { self, oldSelf }: Bound): ReadonlyMap<string, CelValue> {
  const bindings = new Map<string, CelValue>([['self', self]])
  if (rule.optionalOldSelf) bindings.set('oldSelf', oldSelf === undefined ? NONE : new OptionalValue(oldSelf))
  else if (oldSelf !== undefined) bindings.set('oldSelf', oldSelf)
  return bindings
}

function evaluationError(
  { message }: CelError,
  rule: ValidationRule,
  overBudget: boolean,
  { fail, purse }: { readonly fail: (detail: string) => FieldError; readonly purse: Purse },
): FieldError {
  if (overBudget) {
    purse.left = -1
    const detail = `'${message}': no further validation rules will be run due to call cost exceeds limit for rule: `
    return fail(`${detail}${ruleText(rule)}`)
  }
  if (!message.startsWith('no such overload')) return fail(`${message} evaluating rule: ${ruleText(rule)}`)
  const detail = 'call arguments did not match a supported operator, function or macro signature for rule'
  return fail(`'${message}': ${detail}: ${ruleText(rule)}`)
}

function refusal(
  compiled: CompiledRule,
  bindings: ReadonlyMap<string, CelValue>,
  { schema, value, path }: Subject,
  purse: Purse,
): FieldError {
  const { rule, place } = compiled
  const text = evaluatedMessage(compiled, bindings, purse)
  const at = pathOf(place === '' ? path : path.child(place))
  if (text !== undefined && typeof text !== 'string') return invalidValue(at, schema.type ?? '', text.refused)
  const detail = text ?? (rule.message ? rule.message.trim() : `failed rule: ${ruleText(rule)}`)
  const isScalar = schema.type !== 'object' && schema.type !== 'array'
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return forbidden(at, detail)
    case 'FieldValueRequired':
      return required(at, detail)
    case 'FieldValueDuplicate':
      return isScalar ? duplicate(at, value) : { ...duplicate(at, ''), message: 'Duplicate value' }
    default:
      return isScalar
        ? invalidValue(at, value, detail)
        : { type: 'FieldValueInvalid', path: at.text, message: `Invalid value: ${detail}` }
  }
}

/** Undefined: the expression has no message to offer, and the rule's own is taken. */
function evaluatedMessage(
  { message, rule }: CompiledRule,
  bindings: ReadonlyMap<string, CelValue>,
  purse: Purse,
): string | { readonly refused: string } | undefined {
  if (message === undefined) return undefined
  const { value, cost, overBudget } = message.evaluate(bindings, { costBudget: Math.min(CALL_COST_MAX, purse.left) })
  if (!spend(purse, cost)) {
    purse.left = -1
    const refused =
      'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run'
    return { refused }
  }
  if (overBudget) {
    purse.left = -1
    const cause = 'no further validation rules will be run due to call cost exceeds limit for messageExpression'
    return { refused: `${cause}: ${JSON.stringify(rule.messageExpression)}` }
  }
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' || text.includes('\n') || Buffer.byteLength(text) > MESSAGE_BYTES_MAX ? undefined : text
}

function ruleText({ rule, message }: ValidationRule): string {
  return (message || rule).trim()
}

/** Findings about a whole object have upstream's name for no path. */
function pathOf(path: FieldPath): FieldPath {
  return path.text === '' ? new FieldPath('<nil>') : path
}
