/**
 * Documents that people write about a cluster, read strictly: a field that nobody knows, or one that is there twice, is
 * a mistake to be told and not to be passed over. What each may say stands in `schemas.ts`, from which the checks in
 * `checks.gen.ts` are generated: a library for JSON schema takes longer to load than a cluster takes to answer.
 */

import type { ErrorObject } from 'ajv'
import { nearest } from '../../base/nearest.ts'
import { DecodeError } from '../../machinery/wire/json.ts'
import { decodeYaml } from '../../machinery/wire/yaml.ts'

/** Whether a document is what its schema says; `errors` are those of the last one that was not. */
export interface Check {
  (document: unknown): boolean
  errors?: readonly ErrorObject[] | null
}

/** The value of a YAML or JSON text. Throws `DecodeError`, for keys that are there twice as well. */
export function decodeStrictly(bytes: Uint8Array): unknown {
  const duplicates: string[] = []
  const value = decodeYaml(bytes, duplicates)
  if (duplicates.length > 0) throw new DecodeError(duplicates.join(', '))
  return value
}

/**
 * Where the document is not what the check wants, a sentence each; none for one that is.
 *
 *   spec.nodes[0]: unknown field "cout". Did you mean "count"?
 */
export function findingsIn(document: unknown, check: Check): readonly string[] {
  return check(document) ? [] : (check.errors ?? []).map(sentence)
}

function sentence(error: ErrorObject): string {
  const path = error.instancePath.slice(1).replace(/\/(\d+)/g, '[$1]')
  return `${path.replaceAll('/', '.') || 'the document'}: ${finding(error)}`
}

function finding({ keyword, params, message, parentSchema }: ErrorObject): string {
  if (keyword === 'enum') return `must be ${params.allowedValues.join(' or ')}`
  if (keyword === 'const') return `must be ${params.allowedValue}`
  if (keyword !== 'additionalProperties') return `${message}`
  const meant = nearest(params.additionalProperty, Object.keys(parentSchema?.properties ?? {}))
  return `unknown field "${params.additionalProperty}"${meant ? `. Did you mean "${meant}"?` : ''}`
}
