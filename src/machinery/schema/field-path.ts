/**
 * Paths to a field below a schema, as rules and selectable fields name them: `.spec.names['a.b']`. Only fields and
 * map keys, no indexes. Messages are upstream's.
 */

import { FieldPath } from '../meta/field-error.ts'

/** What a path walks on: the structure of a schema, in whatever form it is at hand. */
interface Structure {
  readonly type?: string | undefined
  readonly properties?: Readonly<Record<string, Structure>> | undefined
  readonly additionalProperties?: Structure | boolean | undefined
}

export interface ParsedFieldPath {
  /** As messages print it: `spec.names[a.b]`. */
  readonly path: string
  /** The schema that the path leads to. */
  readonly schema: Structure
}

const NO_FIELD = 'does not refer to a valid field'
const UNEXPECTED_END = 'unexpected end of JSON path'

/** The message of what is wrong, where the path names no field of the schema. */
export function parseFieldPath(
  text: string,
  schema: Structure,
  { brackets = true }: { readonly brackets?: boolean } = {},
): ParsedFieldPath | string {
  const tokens = text.match(/\.|\[|\]|'(?:\\.|[^'\\])*'|[^.[\]]+/g) ?? []
  let place: ParsedFieldPath = { path: '', schema }
  for (let index = 0; index < tokens.length; ) {
    const token = tokens[index]
    if (token !== '.' && token !== '[') return `expected [ or . but got: ${token}`
    if (token === '[' && !brackets) return 'array notation is not allowed'
    const name = tokens[index + 1]
    if (name === undefined) return UNEXPECTED_END
    const quoted = /^'(.*)'$/s.exec(name)?.[1]
    if (token === '[' && quoted === undefined) return `expected single quoted string but got ${name}`
    const closing = tokens[index + 2]
    if (token === '[' && closing !== ']')
      return closing === undefined ? UNEXPECTED_END : `expected ] but got ${closing}`
    const next = stepInto(place, token === '[' ? unescaped(quoted ?? '') : name)
    if (next === undefined) return NO_FIELD
    place = next
    index += token === '[' ? 3 : 2
  }
  return place
}

function stepInto({ path, schema }: ParsedFieldPath, name: string): ParsedFieldPath | undefined {
  const { properties, additionalProperties } = schema
  const parent = new FieldPath(path)
  if (properties !== undefined) {
    const field = Object.hasOwn(properties, name) ? properties[name] : undefined
    return field && { path: parent.child(name).text, schema: field }
  }
  if (typeof additionalProperties !== 'object') return undefined
  return { path: parent.key(name).text, schema: additionalProperties }
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, '$1')
}
