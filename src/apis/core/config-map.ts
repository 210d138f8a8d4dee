/** ConfigMaps: text and binary values by key, at most 1 MiB together; `immutable` closes them for good. */

import { deepEqual } from '../../base/deep-equal.ts'
import { type FieldError, FieldPath, forbidden, invalidValue, tooLong } from '../../machinery/meta/field-error.ts'
import { byteLength, isConfigMapKey } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, countKeys, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { findingErrors } from '../field-rules.ts'
import type { ConfigMap } from './types.gen.ts'

/** Bytes of all values together: what fits into one record of the store with room to spare. */
export const DATA_BYTES_MAX = 1024 * 1024

/** The object itself, as upstream names it. */
const WHOLE = new FieldPath('[]')

export const configMaps = defineResource<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  shortNames: ['cm'],
  scope: 'Namespaced',
  schema: builtinSchema('core.v1.ConfigMap'),
  validate: validateConfigMap,
  ratchets: true,
  validateUpdate: (object, previous) => [
    ...immutableDataErrors(object, previous, 'data'),
    ...(previous.immutable ? changed('binaryData', object.binaryData, previous.binaryData) : []),
    ...validateConfigMap(object),
  ],
  columns: [
    nameColumn,
    textColumn('Data', ({ data, binaryData }: ConfigMap) => countKeys(data) + countKeys(binaryData)),
    ageColumn,
  ],
})

function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): readonly FieldError[] {
  const texts = Object.values(data).map(byteLength)
  const bytes = Object.values(binaryData).map(base64Length)
  const errors = [
    ...Object.keys(data).flatMap((key) => keyErrors('data', key, binaryData, 'binaryData')),
    ...Object.keys(binaryData).flatMap((key) => keyErrors('binaryData', key, data, 'data')),
  ]
  if (sum([...texts, ...bytes]) > DATA_BYTES_MAX) errors.push(tooLong(WHOLE, DATA_BYTES_MAX))
  return errors
}

function keyErrors(field: string, key: string, others: object, otherField: string): FieldError[] {
  const path = new FieldPath(field).key(key)
  const errors = findingErrors(path, key, isConfigMapKey(key))
  if (field === 'data' && Object.hasOwn(others, key))
    errors.push(invalidValue(path, key, `duplicate of key present in ${otherField}`))
  return errors
}

/** The rules of `immutable: true`, which Secrets share. */
export function immutableDataErrors<T extends { immutable?: boolean | undefined; data?: unknown }>(
  object: T,
  previous: T,
  field: string,
): readonly FieldError[] {
  if (!previous.immutable) return []
  const reopened = object.immutable ? [] : [forbidden(new FieldPath('immutable'), IMMUTABLE)]
  return [...reopened, ...changed(field, object.data, previous.data)]
}

const IMMUTABLE = 'field is immutable when `immutable` is set'

function changed(field: string, value: unknown, previous: unknown): readonly FieldError[] {
  return deepEqual(value ?? {}, previous ?? {}) ? [] : [forbidden(new FieldPath(field), IMMUTABLE)]
}

/** Bytes that a base64 text stands for. */
export function base64Length(text: string): number {
  return Buffer.byteLength(text, 'base64')
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
