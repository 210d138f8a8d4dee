/** What is wrong with the parts of admission policies that hold expressions. */

import { APPLY_CONFIGURATION, JSON_PATCH_OPERATION } from '../../machinery/cel/kubernetes/admission.ts'
import { BOOL, listType, NULL, STRING } from '../../machinery/cel/types.ts'
import {
  type FieldError,
  type FieldPath,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { byteLength } from '../../machinery/meta/names.ts'
import { qualifiedNameErrors } from '../field-rules.ts'
import type { ExpressionRule, PolicyExpressions } from './expressions.ts'
import type { AuditAnnotation, Mutation, Validation, Variable } from './types.gen.ts'

/** Less than the limit of the value: expressions that put texts together make longer ones than they are. */
const VALUE_EXPRESSION_BYTES_MAX = 5 * 1024
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']
/** Words of the expression language, and of those it may grow into. */
const RESERVED_WORDS: ReadonlySet<string> = new Set([
  ...['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import'],
  ...['let', 'loop', 'package', 'namespace', 'return', 'var', 'void', 'while'],
])

export function variablesErrors(
  path: FieldPath,
  variables: readonly Variable[] | undefined = [],
  expressions: PolicyExpressions,
): readonly FieldError[] {
  return variables.flatMap(({ name = '', expression = '' }, index) => {
    const place = path.index(index)
    return [
      ...(name.trim() === ''
        ? [required(place.child('name'), 'name is not specified')]
        : isIdentifier(name)
          ? []
          : [invalidValue(place.child('name'), name, 'must be a valid CEL identifier')]),
      ...(expression.trim() === ''
        ? [required(place.child('expression'), 'expression is not specified')]
        : expressions.variable(place.child('expression'), name, expression)),
    ]
  })
}

function isIdentifier(name: string): boolean {
  return /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !RESERVED_WORDS.has(name)
}

export interface ValidationRules {
  readonly expression: ExpressionRule
  /** Messages are put together without asking who may do what. */
  readonly message: ExpressionRule
}

export function validationErrors(
  path: FieldPath,
  validation: Validation,
  rules: ValidationRules,
): readonly FieldError[] {
  const { expression = '', message = '', messageExpression = '', reason } = validation
  const isBlank = (text: string): boolean => text !== '' && text.trim() === ''
  return [
    ...(expression.trim() === ''
      ? [required(path.child('expression'), 'expression is not specified')]
      : rules.expression(path.child('expression'), expression, [BOOL])),
    ...(isBlank(messageExpression)
      ? [invalidValue(path.child('messageExpression'), messageExpression, 'must be non-empty if specified')]
      : messageExpression === ''
        ? []
        : rules.message(path.child('messageExpression'), messageExpression, [STRING])),
    ...(isBlank(message)
      ? [invalidValue(path.child('message'), message, 'must be non-empty if specified')]
      : /[\n\r]/.test(message.trim())
        ? [invalidValue(path.child('message'), message, 'must not contain line breaks')]
        : []),
    ...(reason === undefined || REASONS.includes(reason) ? [] : [notSupported(path.child('reason'), reason, REASONS)]),
  ]
}

/** An annotation's key goes into the audit log behind the name of its policy. */
export function auditAnnotationErrors(
  path: FieldPath,
  policyName: string,
  { key = '', valueExpression = '' }: AuditAnnotation,
  rule: ExpressionRule,
): readonly FieldError[] {
  const valuePath = path.child('valueExpression')
  const expression = valueExpression.trim()
  return [
    ...(policyName === ''
      ? [invalidValue(path.child('key'), key, 'requires metadata.name be non-empty')]
      : qualifiedNameErrors(path.child('key'), `${policyName}/${key}`)),
    ...(expression === ''
      ? [required(valuePath, 'valueExpression is not specified')]
      : byteLength(expression) > VALUE_EXPRESSION_BYTES_MAX
        ? [required(valuePath, `must not exceed ${VALUE_EXPRESSION_BYTES_MAX} bytes in length`)]
        : rule(valuePath, expression, [STRING, NULL], valueExpression)),
  ]
}

const PATCH_TYPES = ['ApplyConfiguration', 'JSONPatch']

/** What each type of patch comes to. */
const PATCHES = {
  JSONPatch: listType(JSON_PATCH_OPERATION),
  ApplyConfiguration: APPLY_CONFIGURATION,
}

export function mutationErrors(path: FieldPath, mutation: Mutation, rule: ExpressionRule): readonly FieldError[] {
  const { patchType, jsonPatch, applyConfiguration } = mutation
  switch (patchType) {
    case 'JSONPatch':
      return [
        ...patchErrors(path.child('jsonPatch'), patchType, jsonPatch, rule),
        ...(applyConfiguration === undefined ? [] : [superfluous(path, 'applyConfiguration', patchType)]),
      ]
    case 'ApplyConfiguration':
      return [
        ...patchErrors(path.child('applyConfiguration'), patchType, applyConfiguration, rule),
        ...(jsonPatch === undefined ? [] : [superfluous(path, 'jsonPatch', patchType)]),
      ]
    default:
      return patchType
        ? [notSupported(path.child('patchType'), patchType, PATCH_TYPES)]
        : [required(path.child('patchType'))]
  }
}

function patchErrors(
  path: FieldPath,
  patchType: 'JSONPatch' | 'ApplyConfiguration',
  patch: { readonly expression?: string | undefined } | undefined,
  rule: ExpressionRule,
): readonly FieldError[] {
  if (patch === undefined) return [required(path, `must be specified when patchType is ${patchType}`)]
  const expression = (patch.expression ?? '').trim()
  const expressionPath = path.child('expression')
  return expression === '' ? [required(expressionPath)] : rule(expressionPath, expression, [PATCHES[patchType]])
}

function superfluous(path: FieldPath, field: string, patchType: string): FieldError {
  return invalidValue(path.child(field), `{${field}}`, `must not be specified when patchType is ${patchType}`)
}
