/** The rules of `x-kubernetes-list-type`, `x-kubernetes-list-map-keys` and `x-kubernetes-map-type`. */

import {
  type FieldError,
  FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { isList, itemSchema } from './schema-walk.ts'
import type { JSONSchemaProps } from './types.gen.ts'

const LIST_TYPES = ['atomic', 'set', 'map']
const MAP_TYPES = ['atomic', 'granular']

export function listTypeErrors(
  schema: JSONSchemaProps,
  path: FieldPath,
  { granularSets, looseKeys }: { readonly granularSets: boolean; readonly looseKeys: boolean },
): readonly FieldError[] {
  return [
    ...mapTypeErrors(schema, path),
    ...typeErrors(schema, path, granularSets),
    ...keyErrors(schema, path),
    ...mapErrors(schema, path),
    ...(looseKeys ? [] : keyedListErrors(schema, path)),
  ]
}

function mapTypeErrors(
  { type = '', 'x-kubernetes-map-type': mapType }: JSONSchemaProps,
  path: FieldPath,
): readonly FieldError[] {
  if (mapType === undefined) return []
  return [
    ...typeMustBe(type, 'object', 'x-kubernetes-map-type', path),
    ...(MAP_TYPES.includes(mapType) ? [] : [notSupported(path.child('x-kubernetes-map-type'), mapType, MAP_TYPES)]),
  ]
}

function typeMustBe(type: string, wanted: string, keyword: string, path: FieldPath): readonly FieldError[] {
  if (type === wanted) return []
  const detail = `must be ${wanted} if ${keyword} is specified`
  return [type === '' ? required(path.child('type'), detail) : invalidValue(path.child('type'), type, detail)]
}

function typeErrors(schema: JSONSchemaProps, path: FieldPath, granularSets: boolean): readonly FieldError[] {
  const { type = '', 'x-kubernetes-list-type': listType } = schema
  if (listType === undefined) return []
  const mismatch = typeMustBe(type, 'array', 'x-kubernetes-list-type', path)
  return [
    ...mismatch,
    ...(mismatch.length > 0 || granularSets || listType !== 'set' ? [] : setItemErrors(itemSchema(schema), path)),
    ...(LIST_TYPES.includes(listType)
      ? []
      : [notSupported(path.child('x-kubernetes-list-type'), listType, LIST_TYPES)]),
  ]
}

/** Items of a set are compared as a whole, and so are owned as a whole. */
function setItemErrors(items: JSONSchemaProps | undefined, path: FieldPath): readonly FieldError[] {
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  const listType = items?.['x-kubernetes-list-type']
  if (items?.type === 'array' && (listType ?? 'atomic') !== 'atomic')
    return [invalidValue(path.child('items', 'x-kubernetes-list-type'), listType, detail)]
  if (items?.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic')
    return [invalidValue(path.child('items', 'x-kubernetes-map-type'), listType, detail)]
  return []
}

function keyErrors(schema: JSONSchemaProps, path: FieldPath): readonly FieldError[] {
  const { 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': keys = [] } = schema
  if (keys.length === 0 || listType === 'map') return []
  const place = path.child('x-kubernetes-list-type')
  const detail = 'must be map if x-kubernetes-list-map-keys is non-empty'
  return [listType === undefined ? required(place, detail) : invalidValue(place, listType, detail)]
}

function mapErrors(schema: JSONSchemaProps, path: FieldPath): readonly FieldError[] {
  const { 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': keys = [], items } = schema
  if (listType !== 'map') return []
  const keysPath = path.child('x-kubernetes-list-map-keys')
  const itemsPath = path.child('items')
  const errors: FieldError[] =
    keys.length === 0 ? [required(keysPath, 'must not be empty if x-kubernetes-list-type is map')] : []
  if (items === undefined)
    return [...errors, required(itemsPath, 'must have a schema if x-kubernetes-list-type is map')]
  if (isList(items))
    return [
      ...errors,
      invalidValue(itemsPath, items, 'must only have a single schema if x-kubernetes-list-type is map'),
    ]
  if (items.type !== 'object') {
    const detail = "must be object if parent array's x-kubernetes-list-type is map"
    return [...errors, invalidValue(itemsPath.child('type'), items.type ?? '', detail)]
  }
  keys.forEach((key, index) => {
    const property = Object.hasOwn(items.properties ?? {}, key) ? items.properties?.[key] : undefined
    if (property === undefined)
      errors.push(invalidValue(keysPath, keys, 'entries must all be names of item properties'))
    else if (property.type === 'array' || property.type === 'object') {
      const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map"
      errors.push(invalidValue(itemsPath.child('properties').key(key).child('type'), items.type, detail))
    }
    if (keys.indexOf(key) < index) errors.push(invalidValue(keysPath, keys, 'must not contain duplicate entries'))
  })
  return errors
}

/** Items of sets and maps are there, and every item of a map has its keys. */
export function keyedListErrors(schema: JSONSchemaProps, path = new FieldPath('')): readonly FieldError[] {
  const { 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': keys = [] } = schema
  const items = itemSchema(schema)
  if (items === undefined || (listType !== 'set' && listType !== 'map')) return []
  const errors: FieldError[] = []
  if (items.nullable)
    errors.push(
      forbidden(path.child('items', 'nullable'), `cannot be nullable when x-kubernetes-list-type is ${listType}`),
    )
  if (listType === 'set') return errors
  for (const key of keys) {
    const property = Object.hasOwn(items.properties ?? {}, key) ? items.properties?.[key] : undefined
    if (property === undefined) continue
    const place = path.child('items', 'properties').key(key)
    const isKey = 'this property is in x-kubernetes-list-map-keys'
    if (!items.required?.includes(key) && property.default === undefined)
      errors.push(required(place.child('default'), `${isKey}, so it must have a default or be a required property`))
    if (property.nullable) errors.push(forbidden(place.child('nullable'), `${isKey}, so it cannot be nullable`))
  }
  return errors
}
