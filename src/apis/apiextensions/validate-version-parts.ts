/** What stands beside a version's schema: subresources, printer columns, selectable fields. */

import {
  duplicate,
  type FieldError,
  type FieldPath,
  invalidValue,
  required,
  tooMany,
} from '../../machinery/meta/field-error.ts'
import { parseFieldPath } from '../../machinery/schema/field-path.ts'
import type {
  CustomResourceColumnDefinition,
  CustomResourceSubresources,
  JSONSchemaProps,
  SelectableField,
} from './types.gen.ts'

export const SELECTABLE_FIELDS_MAX = 8

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']
const SELECTABLE_TYPES = ['string', 'boolean', 'integer']

export function subresourceErrors(
  subresources: CustomResourceSubresources | undefined,
  path: FieldPath,
): readonly FieldError[] {
  const { scale } = subresources ?? {}
  if (scale === undefined) return []
  const { specReplicasPath, statusReplicasPath, labelSelectorPath = '' } = scale
  return [
    ...replicasPathErrors(specReplicasPath, '.spec.', path.child('scale', 'specReplicasPath')),
    ...replicasPathErrors(statusReplicasPath, '.status.', path.child('scale', 'statusReplicasPath')),
    ...(labelSelectorPath === ''
      ? []
      : scalePathErrors(labelSelectorPath, ['.spec.', '.status.'], path.child('scale', 'labelSelectorPath'))),
  ]
}

function replicasPathErrors(text: string, prefix: string, path: FieldPath): readonly FieldError[] {
  return text === '' ? [required(path)] : scalePathErrors(text, [prefix], path)
}

function scalePathErrors(text: string, prefixes: readonly string[], path: FieldPath): readonly FieldError[] {
  const errors = simplePathErrors(text, path)
  if (errors.length > 0 || prefixes.some((prefix) => text.startsWith(prefix))) return errors
  const names = prefixes.map((prefix) => prefix.slice(0, -1))
  const place = names.length === 1 ? `under ${names[0]}` : `under either ${names.join(' or ')}`
  return [invalidValue(path, text, `should be a json path ${place}`)]
}

function simplePathErrors(text: string, path: FieldPath): readonly FieldError[] {
  return text.startsWith('.') ? [] : [invalidValue(path, text, 'must be a simple json path starting with .')]
}

export function columnErrors(column: CustomResourceColumnDefinition, path: FieldPath): readonly FieldError[] {
  const { name = '', type = '', format = '', jsonPath = '' } = column
  const types = `must be one of ${COLUMN_TYPES.join(',')}`
  const jsonPathPath = path.child('JSONPath')
  return [
    ...(name === '' ? [required(path.child('name'))] : []),
    ...(type === ''
      ? [required(path.child('type'), types)]
      : COLUMN_TYPES.includes(type)
        ? []
        : [invalidValue(path.child('type'), type, types)]),
    ...(format === '' || COLUMN_FORMATS.includes(format)
      ? []
      : [invalidValue(path.child('format'), format, `must be one of ${COLUMN_FORMATS.join(',')}`)]),
    ...(jsonPath === '' ? [required(jsonPathPath)] : simplePathErrors(jsonPath, jsonPathPath)),
  ]
}

/** `limit` is none for definitions that always had more. */
export function selectableFieldErrors(
  fields: readonly SelectableField[],
  schema: JSONSchemaProps | undefined,
  path: FieldPath,
  limit: number,
): readonly FieldError[] {
  if (fields.length === 0) return []
  if (schema === undefined) {
    // What all versions share is judged as of the whole definition.
    const shared = path.text === 'spec.selectableFields'
    const what = shared ? 'validations.schema is included' : '`version.schema.openAPIV3Schema` is not included'
    return [invalidValue(path, '', `may only be set when ${what}`)]
  }
  const seen = new Set<string>()
  const errors = fields.flatMap(({ jsonPath = '' }, index) => {
    const place = path.index(index).child('jsonPath')
    if (jsonPath === '') return [required(place)]
    const parsed = parseFieldPath(jsonPath, schema, { brackets: false })
    if (typeof parsed === 'string') return [invalidValue(place, jsonPath, `is an invalid path: ${parsed}`)]
    const text = parsed.path
    const again = seen.has(text)
    seen.add(text)
    return [
      ...(text === 'metadata' || text.startsWith('metadata.')
        ? [invalidValue(place, jsonPath, 'must not point to fields in metadata')]
        : []),
      ...(SELECTABLE_TYPES.includes(parsed.schema.type ?? '')
        ? []
        : [
            invalidValue(
              place,
              jsonPath,
              'must point to a field of type string, boolean or integer. ' +
                'Enum string fields and strings with formats are allowed.',
            ),
          ]),
      ...(again ? [duplicate(place, jsonPath)] : []),
    ]
  })
  return seen.size > limit ? [...errors, tooMany(path, seen.size, limit)] : errors
}
