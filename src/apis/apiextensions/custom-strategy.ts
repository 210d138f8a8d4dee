/** How custom objects are written: the same for all of them, but for their schema and subresources. */

import { deepEqual } from '../../base/deep-equal.ts'
import { type FieldError, FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import type { Schema } from '../../machinery/schema/schema.ts'
import { validateValue } from '../../machinery/schema/validate.ts'
import { hasRules, validateRules } from '../../machinery/schema/validate-rules.ts'
import type { ResourceDefinition } from '../definition.ts'
import { fieldOf, nextGeneration, startGeneration, withField, withoutStatus } from '../strategy-parts.ts'
import { valueAt } from './custom-scale.ts'
import { finalizerWarnings } from './finalizer-warnings.ts'
import type { CustomResourceDefinitionVersion, CustomResourceSubresourceScale } from './types.gen.ts'

export interface CustomParts {
  readonly version: CustomResourceDefinitionVersion
  readonly apiVersion: string
  readonly kind: string
  /** As the user wrote it. */
  readonly schema: Schema
}

type CustomStrategy = Pick<
  ResourceDefinition,
  'prepareForCreate' | 'prepareForUpdate' | 'validate' | 'validateUpdate' | 'warnings' | 'status' | 'resetFields'
>

export function customStrategy(parts: CustomParts): CustomStrategy {
  const hasStatus = parts.version.subresources?.status !== undefined
  const scale = parts.version.subresources?.scale
  // Found while an object is validated, told when it turns out to be valid.
  const passed: PassedFindings = new WeakMap()
  const all = { ...parts, scale, passed }
  return {
    prepareForCreate: (object) => startGeneration(hasStatus ? withoutStatus(object) : object),
    prepareForUpdate: (object, previous) => {
      const kept = hasStatus ? withField(object, 'status', fieldOf(previous, 'status')) : object
      return isSameBesidesMetadata(kept, previous) ? kept : nextGeneration(kept, previous)
    },
    validate: (object) => wholeErrors(all, object, undefined),
    validateUpdate: (object, previous) => wholeErrors(all, object, previous),
    warnings: (object, previous) => [
      ...finalizerWarnings(object, previous),
      ...(passed.get(object) ?? []).map(({ path, message }) => `${path}: ${message}`),
    ],
    status: hasStatus
      ? {
          prepareForUpdate: withStatusOf,
          validateUpdate: (object, previous) => statusErrors(all, object, previous),
        }
      : undefined,
    resetFields: { ...(hasStatus ? { '': [['status']] } : {}), status: [['metadata'], ['spec']] },
  }
}

function isSameBesidesMetadata(object: KubeObject, previous: KubeObject): boolean {
  const { metadata: _new, ...own } = object
  const { metadata: _old, ...before } = previous
  return deepEqual(own, before)
}

/** A status update changes the status and, as a record of it, the managed fields. */
function withStatusOf(object: KubeObject, previous: KubeObject): KubeObject {
  const { managedFields } = object.metadata
  const metadata = { ...previous.metadata, managedFields }
  return withField({ ...previous, metadata }, 'status', fieldOf(object, 'status'))
}

type PassedFindings = WeakMap<KubeObject, readonly FieldError[]>

interface Validation extends CustomParts {
  readonly scale: CustomResourceSubresourceScale | undefined
  readonly passed: PassedFindings
}

function typeErrors({ apiVersion, kind }: CustomParts, object: KubeObject): readonly FieldError[] {
  const must = (name: 'kind' | 'apiVersion', wanted: string): readonly FieldError[] =>
    object[name] === wanted ? [] : [invalidValue(new FieldPath(name), object[name] ?? '', `must be ${wanted}`)]
  return [...must('kind', kind), ...must('apiVersion', apiVersion)]
}

function wholeErrors(parts: Validation, object: KubeObject, previous: KubeObject | undefined): readonly FieldError[] {
  const { scale } = parts
  const ofType = typeErrors(parts, object)
  if (ofType.length > 0) return ofType
  const errors = [
    ...validateValue(object, parts.schema, '', previous),
    ...(scale === undefined
      ? []
      : [...replicasErrors(object, scale.specReplicasPath), ...scaleStatusErrors(object, scale)]),
  ]
  return [...errors, ...ruleErrors(parts, object, previous, errors)]
}

/** What keeps rules from being asked: they are about objects of the right form. */
const BLOCKING: ReadonlySet<FieldError['type']> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])
const NOT_CHECKED =
  'some validation rules were not checked because the object was invalid; ' +
  'correct the existing errors to complete validation'

function ruleErrors(
  { schema, passed }: Validation,
  object: KubeObject,
  previous: KubeObject | undefined,
  errors: readonly FieldError[],
): readonly FieldError[] {
  if (!errors.some(({ type }) => BLOCKING.has(type))) {
    const findings = validateRules(object, schema, { previous })
    if (findings.passed.length > 0) passed.set(object, findings.passed)
    return findings.errors
  }
  return hasRules(schema) ? [invalidValue(new FieldPath('<nil>'), null, NOT_CHECKED)] : []
}

function statusErrors(parts: Validation, object: KubeObject, previous: KubeObject): readonly FieldError[] {
  const { scale } = parts
  const ofType = typeErrors(parts, object)
  if (ofType.length > 0) return ofType
  const schema = parts.schema.properties?.status
  const status = fieldOf(object, 'status')
  const errors = [
    ...(schema === undefined || status === undefined
      ? []
      : validateValue(status, schema, 'status', fieldOf(previous, 'status'))),
    ...(scale === undefined ? [] : scaleStatusErrors(object, scale)),
  ]
  return [...errors, ...ruleErrors(parts, object, previous, errors)]
}

const REPLICAS_MAX = 2 ** 31 - 1

function replicasErrors(object: KubeObject, path: string): readonly FieldError[] {
  const value = valueAt(object, path.replace(/^\./, '').split('.'))
  if (value === undefined) return []
  const fail = (detail: string): readonly FieldError[] => [invalidValue(new FieldPath(path), value, detail)]
  if (typeof value !== 'number' || !Number.isInteger(value))
    return [
      invalidValue(
        new FieldPath(path),
        0,
        `${path} accessor error: ${String(value)} is of the type ${typeof value}, expected int64`,
      ),
    ]
  if (value < 0) return fail('should be a non-negative integer')
  return value > REPLICAS_MAX ? fail(`should be less than or equal to ${REPLICAS_MAX}`) : []
}

function scaleStatusErrors(object: KubeObject, scale: CustomResourceSubresourceScale): readonly FieldError[] {
  const { statusReplicasPath, labelSelectorPath = '' } = scale
  const selector =
    labelSelectorPath === '' ? undefined : valueAt(object, labelSelectorPath.replace(/^\./, '').split('.'))
  if (selector === undefined || typeof selector === 'string') return replicasErrors(object, statusReplicasPath)
  const shown = JSON.stringify(selector)
  const detail = `${labelSelectorPath} accessor error: ${shown} is of the type ${typeof selector}, expected string`
  return [...replicasErrors(object, statusReplicasPath), invalidValue(new FieldPath(labelSelectorPath), '', detail)]
}
