/**
 * Documents that people write about a cluster, read strictly: a field that nobody knows, or one that is there twice, is
 * a mistake to be told and not to be passed over.
 */

import type { ErrorObject } from 'ajv'
import { nearest } from '../../base/nearest.ts'
import { DecodeError } from '../../machinery/wire/json.ts'
import { decodeYaml } from '../../machinery/wire/yaml.ts'

/** The value of a YAML or JSON text. Throws `DecodeError`, for keys that are there twice as well. */
export function decodeStrictly(bytes: Uint8Array): unknown {
  const duplicates: string[] = []
  const value = decodeYaml(bytes, duplicates)
  if (duplicates.length > 0) throw new DecodeError(duplicates.join(', '))
  return value
}

/** Where the document is not what the JSON schema says, a sentence each; none for one that is. */
export async function findingsIn(document: unknown, schema: object): Promise<readonly string[]> {
  // Through its default: a bundle of this CommonJS package has no other names.
  const { default: library } = await import('ajv')
  const validate = new library.Ajv({ allErrors: true, strict: false, verbose: true }).compile(schema)
  return validate(document) ? [] : (validate.errors ?? []).map(findingOf)
}

/** `spec.nodes[0]: unknown field "cout". Did you mean "count"?` */
function findingOf({ instancePath, message, params, keyword, parentSchema }: ErrorObject): string {
  const place =
    instancePath
      .slice(1)
      .replace(/\/(\d+)/g, '[$1]')
      .replaceAll('/', '.') || 'the document'
  if (keyword === 'enum') return `${place}: must be ${params.allowedValues.join(' or ')}`
  if (keyword === 'const') return `${place}: must be ${params.allowedValue}`
  if (keyword !== 'additionalProperties') return `${place}: ${message}`
  const meant = nearest(params.additionalProperty, Object.keys(parentSchema?.properties ?? {}))
  return `${place}: unknown field "${params.additionalProperty}"${meant ? `. Did you mean "${meant}"?` : ''}`
}
