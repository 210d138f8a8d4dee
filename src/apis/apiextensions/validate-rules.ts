/** `x-kubernetes-validations`: the form of rules, their expressions, and what evaluating them may cost. */

import { escapeFieldName } from '../../machinery/cel/field-names.ts'
import {
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { parseFieldPath } from '../../machinery/schema/field-path.ts'
import { type CompiledRule, compileRules } from '../../machinery/schema/rules.ts'
import { structuralSchema } from './structural-schema.ts'
import type { JSONSchemaProps, ValidationRule } from './types.gen.ts'

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']

/** What can be said about rules without reading their expressions. */
export function ruleFormErrors(schema: JSONSchemaProps, path: FieldPath): readonly FieldError[] {
  return (schema['x-kubernetes-validations'] ?? []).flatMap((rule, index) =>
    formErrors(rule, schema, path.child('x-kubernetes-validations').index(index)),
  )
}

const hasNewline = (text: string): boolean => /[\n\r]/.test(text)

function formErrors(rule: ValidationRule, schema: JSONSchemaProps, path: FieldPath): readonly FieldError[] {
  const { rule: expression = '', message = '', messageExpression = '', reason, fieldPath = '' } = rule
  const errors: FieldError[] = [...textErrors(expression, message, path)]
  if (messageExpression !== '' && messageExpression.trim() === '')
    errors.push(required(path.child('messageExpression'), 'messageExpression must be non-empty if specified'))
  if (reason !== undefined && !REASONS.includes(reason))
    errors.push(notSupported(path.child('reason'), reason, REASONS))
  const fieldPathPath = path.child('fieldPath')
  if (fieldPath !== '' && fieldPath.trim() === '')
    errors.push(invalidValue(fieldPathPath, fieldPath, 'must be non-empty if specified'))
  if (hasNewline(fieldPath)) errors.push(invalidValue(fieldPathPath, fieldPath, 'must not contain line breaks'))
  if (fieldPath !== '' && typeof parseFieldPath(fieldPath, schema) === 'string')
    errors.push(invalidValue(fieldPathPath, fieldPath, 'must be a valid path'))
  return errors
}

function textErrors(expression: string, message: string, path: FieldPath): readonly FieldError[] {
  const messagePath = path.child('message')
  const trimmed = message.trim()
  if (expression.trim() === '') return [required(path.child('rule'), 'rule is not specified')]
  if (message !== '' && trimmed === '') return [invalidValue(messagePath, message, 'must be non-empty if specified')]
  if (hasNewline(trimmed)) return [invalidValue(messagePath, message, 'must not contain line breaks')]
  if (hasNewline(expression.trim()) && trimmed === '')
    return [required(messagePath, 'message must be specified if rule contains line breaks')]
  return []
}

/** Units of cost that one expression may cost at most, for all its values in a request; upstream's limits. */
const EXPRESSION_COST_MAX = 10_000_000
const SCHEMA_COST_MAX = 100_000_000
/** Expressions that are named when all together cost too much. */
const EXPENSIVE_NAMED_MAX = 4
/** Costs are told apart up to here. */
const COST_MAX = 2 ** 64

/** The rules of one schema on the way from its root to where they stand. */
export interface RuleWalk {
  property(schema: JSONSchemaProps, name: string): RuleWalk
  items(schema: JSONSchemaProps): RuleWalk
  values(schema: JSONSchemaProps): RuleWalk
  /** What is wrong with the expressions of this schema. `uncorrelated`: the ancestor that has no old self. */
  errors(path: FieldPath, uncorrelated: FieldPath | undefined): readonly FieldError[]
}

export interface RuleStart extends RuleWalk {
  /** What all rules together may not cost. */
  totalErrors(path: FieldPath): readonly FieldError[]
}

interface Bill {
  total: number
  readonly expensive: { readonly path: FieldPath; readonly cost: number }[]
}

interface Step {
  readonly schema: JSONSchemaProps
  readonly name: string
  readonly isResource: boolean
  /** How many values of the schema an object can have; undefined: as many as fit into a request. */
  readonly cardinality: number | undefined
}

/** Without `compiles` no expression is read: a schema that is wrong would be blamed on them. */
export function startRules(
  schema: JSONSchemaProps,
  options: { readonly compiles: boolean; readonly priceIsChecked: boolean },
): RuleStart {
  const bill: Bill = { total: 0, expensive: [] }
  const walk = (step: Step): RuleWalk => ({
    property: (child, name) => walk(inside(step, child, escapeFieldName(name) ?? name)),
    items: (child) => walk(inside(step, child, '@idx')),
    values: (child) => walk(inside(step, child, '@elem')),
    errors: (path, uncorrelated) => (options.compiles ? stepErrors(step, path, uncorrelated, bill, options) : []),
  })
  return {
    ...walk({ schema, name: 'object', isResource: true, cardinality: 1 }),
    totalErrors: (path) => totalErrors(bill, path),
  }
}

function inside({ schema, name, cardinality }: Step, child: JSONSchemaProps, step: string): Step {
  const most = elementsMax(schema)
  return {
    schema: child,
    name: `${name}.${step}`,
    isResource: child['x-kubernetes-embedded-resource'] === true,
    cardinality: cardinality === undefined || most === undefined ? undefined : Math.min(cardinality * most, COST_MAX),
  }
}

/** How many values a level multiplies; undefined when the schema sets no limit. */
function elementsMax({ type, additionalProperties, maxProperties, maxItems }: JSONSchemaProps): number | undefined {
  const limited = (limit: number | undefined): number | undefined => limit && Math.max(0, limit)
  if (type === 'array') return maxItems === 0 ? 0 : limited(maxItems)
  if (type !== 'object' || additionalProperties === undefined) return 1
  return maxProperties === 0 ? 0 : limited(maxProperties)
}

function stepErrors(
  { schema, name, isResource, cardinality }: Step,
  path: FieldPath,
  uncorrelated: FieldPath | undefined,
  bill: Bill,
  { priceIsChecked }: { readonly priceIsChecked: boolean },
): readonly FieldError[] {
  const compiled = compileRules(structuralSchema(schema), { name, isResource })
  if (compiled === undefined) return []
  return compiled.rules.flatMap((rule, index) => {
    const place = path.child('x-kubernetes-validations').index(index)
    const times = cardinality ?? compiled.cardinalityMax
    const prices = [
      ...priced(rule.cost * times, 'estimated rule cost', place.child('rule'), bill),
      ...(rule.message === undefined
        ? []
        : priced(rule.messageCost, 'estimated messageExpression cost', place.child('messageExpression'), bill)),
    ]
    return [
      ...(priceIsChecked ? prices.filter((error) => error.path === place.child('rule').text) : []),
      ...expressionErrors(rule, place),
      ...(priceIsChecked ? prices.filter((error) => error.path !== place.child('rule').text) : []),
      ...oldSelfErrors(rule, place, uncorrelated),
    ]
  })
}

function priced(cost: number, name: string, path: FieldPath, bill: Bill): readonly FieldError[] {
  const known = Math.min(cost, COST_MAX)
  bill.total = Math.min(bill.total + known, COST_MAX)
  if (known >= SCHEMA_COST_MAX / 100) bill.expensive.push({ path, cost: known })
  return known > EXPRESSION_COST_MAX ? [forbidden(path, costText(name, known, EXPRESSION_COST_MAX))] : []
}

function expressionErrors({ rule, error, messageError }: CompiledRule, path: FieldPath): readonly FieldError[] {
  return [
    ...(error === undefined ? [] : [invalidValue(path.child('rule'), internalForm(rule), error)]),
    ...(messageError === undefined
      ? []
      : [invalidValue(path.child('messageExpression'), internalForm(rule), messageError)]),
  ]
}

/** How upstream prints a rule. */
function internalForm({ rule, message = '', messageExpression = '', ...others }: CompiledRule['rule']) {
  const { reason = null, fieldPath = '', optionalOldSelf = null } = others
  return {
    Rule: rule,
    Message: message,
    MessageExpression: messageExpression,
    Reason: reason,
    FieldPath: fieldPath,
    OptionalOldSelf: optionalOldSelf,
  }
}

function oldSelfErrors(
  { rule, usesOldSelf }: CompiledRule,
  path: FieldPath,
  uncorrelated: FieldPath | undefined,
): readonly FieldError[] {
  if (usesOldSelf && uncorrelated !== undefined) {
    const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`
    return [invalidValue(path.child('rule'), rule.rule, detail)]
  }
  if (usesOldSelf || rule.optionalOldSelf === undefined) return []
  const detail = 'may not be set if oldSelf is not used in rule'
  return [invalidValue(path.child('optionalOldSelf'), rule.optionalOldSelf, detail)]
}

function totalErrors({ total, expensive }: Bill, path: FieldPath): readonly FieldError[] {
  if (total <= SCHEMA_COST_MAX) return []
  const named = expensive.toSorted((left, right) => right.cost - left.cost).slice(0, EXPENSIVE_NAMED_MAX)
  const contributed = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'
  const name = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema'
  return [
    ...named.map((expression) => forbidden(expression.path, contributed)),
    forbidden(path, costText(name, total, SCHEMA_COST_MAX)),
  ]
}

function costText(name: string, cost: number, limit: number): string {
  const factor = cost / limit
  const shown = factor > 100 ? 'more than 100x' : `${factor < 1.5 ? factor.toFixed(6) : factor.toFixed(1)}x`
  const advice =
    'try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, ' +
    'and strings are declared'
  return `${name} exceeds budget by factor of ${shown} (${advice})`
}
