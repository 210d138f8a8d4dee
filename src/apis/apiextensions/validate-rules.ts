/** `x-kubernetes-validations`: the form of rules, their expressions, and what evaluating them may cost. */

import {
  type FieldError,
  type FieldPath,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { parseFieldPath } from '../../machinery/schema/field-path.ts'
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

export function startRules(
  _schema: JSONSchemaProps,
  _options: { readonly compiles: boolean; readonly priceIsChecked: boolean },
): RuleStart {
  const walk: RuleStart = {
    property: () => walk,
    items: () => walk,
    values: () => walk,
    errors: () => [],
    totalErrors: () => [],
  }
  return walk
}
