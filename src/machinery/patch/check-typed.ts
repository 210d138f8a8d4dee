/**
 * Whether an applied configuration has the shape of its schema: fields exist, lists have their keys and no
 * key twice, scalars are of their type. All findings go into one message, as upstream's do; it is a 400 here, not a 500.
 */

import { isRecord } from '../../base/is-record.ts'
import { badRequest } from '../meta/api-error.ts'
import { apiVersionOf, parseApiVersion } from '../meta/group-version.ts'
import type { KubeObject } from '../meta/object.ts'
import type { Schema } from '../schema/schema.ts'
import { pathText } from './field-set.ts'
import { goText } from './strategic-lists.ts'
import { itemElement, type JsonMap, memberSchema, shapeOf } from './typed-value.ts'

/** Findings that are reported at most: a hostile document could have millions. */
const FINDINGS_MAX = 100

/** Throws one error for all findings. */
export function checkTyped(applied: KubeObject, schema: Schema): void {
  const findings: string[] = []
  check(applied, schema, '', findings)
  if (findings.length === 0) return
  const text =
    findings.length === 1 ? findings[0] : ['errors:', ...findings.map((finding) => `  ${finding}`)].join('\n')
  throw badRequest(`failed to create typed patch object (${identityOf(applied)}): ${text}`)
}

/** `namespace/name; group/version, Kind=Kind`. */
function identityOf({ apiVersion = '', kind = '', metadata }: KubeObject): string {
  const { group, version } = parseApiVersion(apiVersion) ?? { group: '', version: apiVersion }
  const groupVersion = group === '' ? `/${version}` : apiVersionOf({ group, version })
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}; ${groupVersion}, Kind=${kind}`
}

function check(value: unknown, schema: Schema | undefined, path: string, findings: string[]): void {
  if (schema === undefined || value === null || value === undefined || findings.length >= FINDINGS_MAX) return
  if (schema['x-kubernetes-int-or-string'] === true) return
  if (schema.type === 'array') {
    if (Array.isArray(value)) checkItems(value, schema, path, findings)
    else findings.push(`${path}: expected list, got ${shown(value)}`)
  } else if (schema.type === 'object') {
    if (isRecord(value)) checkMembers(value, schema, path, findings)
    else findings.push(`${path}: expected map, got ${shown(value)}`)
  } else {
    const finding = scalarFinding(value, schema)
    if (finding !== undefined) findings.push(`${path}: ${finding}`)
  }
}

function checkMembers(map: JsonMap, schema: Schema, path: string, findings: string[]): void {
  const isOpen = schema.properties === undefined && typeof schema.additionalProperties !== 'object'
  if (isOpen) return
  for (const [key, value] of Object.entries(map)) {
    const here = `${path}.${key}`
    const member = memberSchema(schema, key)
    if (member === undefined) findings.push(`${here}: field not declared in schema`)
    else check(value, member, here, findings)
  }
}

function checkItems(list: readonly unknown[], schema: Schema, path: string, findings: string[]): void {
  const isDivided = shapeOf(schema) === 'list'
  const seen = new Set<string>()
  for (const [index, item] of list.entries()) {
    if (!isDivided) {
      check(item, schema.items, `${path}[${index}]`, findings)
      continue
    }
    const element = itemElement(schema, item)
    if (element === undefined) findings.push(`${path}: element ${index}: ${keysFinding(item, schema)}`)
    else if (seen.has(element)) findings.push(`${path}: duplicate entries for key ${pathText([element])}`)
    else check(item, schema.items, `${path}${pathText([element])}`, findings)
    if (element !== undefined) seen.add(element)
  }
}

function keysFinding(item: unknown, schema: Schema): string {
  if (!isRecord(item)) return 'associative list with keys may not have non-map elements'
  const keys = (schema['x-kubernetes-list-map-keys'] ?? []).map((key) => JSON.stringify(key)).join(' ')
  const omission = `associative list with keys has an element that omits all key fields [${keys}]`
  return `${omission} (and doesn't have default values for any key fields)`
}

function scalarFinding(value: unknown, schema: Schema): string | undefined {
  switch (schema.type) {
    case 'string':
      return typeof value === 'string'
        ? undefined
        : `expected string, got &value.valueUnstructured{Value:${JSON.stringify(value)}}`
    case 'integer':
    case 'number':
      return typeof value === 'number' ? undefined : `expected numeric (int or float), got ${goType(value)}`
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected boolean, got ${shown(value)}`
    default:
      return undefined
  }
}

function goType(value: unknown): string {
  if (typeof value === 'boolean') return 'bool'
  if (Array.isArray(value)) return '[]interface {}'
  return isRecord(value) ? 'map[string]interface {}' : typeof value
}

/** A value as Go shows it inside its wrapper. */
function shown(value: unknown): string {
  return `&{${goText(value)}}`
}
