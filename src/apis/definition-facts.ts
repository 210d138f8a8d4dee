/**
 * The text form of type facts: one definition is a list of properties, each one line of `openapi/facts`
 * grammar (see `openapi/README.md`), for example `[]@core.v1.Container;list=map(name);patch=merge(name)`.
 * Parsing fails on anything the grammar does not know, so a typing error in the facts never passes.
 */

export type ScalarName =
  | 'string'
  | 'boolean'
  | 'object'
  | 'any'
  | 'int32'
  | 'int64'
  | 'integer'
  | 'double'
  | 'number'
  | 'byte'
  | 'datetime'

const SCALAR_NAMES: ReadonlySet<string> = new Set<ScalarName>([
  'string',
  'boolean',
  'object',
  'any',
  'int32',
  'int64',
  'integer',
  'double',
  'number',
  'byte',
  'datetime',
])

export type TypeFacts = { readonly attributes: AttributeFacts } & (
  | { readonly kind: 'scalar'; readonly name: ScalarName }
  | { readonly kind: 'reference'; readonly definition: string }
  | { readonly kind: 'list'; readonly element: TypeFacts }
  | { readonly kind: 'map'; readonly element: TypeFacts }
)

export interface AttributeFacts {
  readonly default?: unknown
  readonly enum?: readonly string[]
  readonly listType?: 'atomic' | 'set' | 'map'
  readonly listMapKeys?: readonly string[]
  readonly mapType?: 'atomic' | 'granular'
  readonly patchStrategy?: string
  readonly patchMergeKey?: string
  /** The element has no default of its own; without it the zero value is one. */
  readonly noDefault?: boolean
  /** Written in JSON even when it was never set. */
  readonly always?: boolean
  /** Set and unset are different things even for zero values. */
  readonly pointer?: boolean
}

export interface PropertyFacts {
  readonly name: string
  readonly required: boolean
  readonly type: TypeFacts
}

export interface DefinitionFacts {
  /** `group/version` or `group/version/Kind`; the kind is the last part of the name unless given. */
  readonly gvk?: readonly string[]
  readonly map?: 'atomic' | 'granular'
  readonly unions?: readonly unknown[]
  /** Absent: an object. `any`: no type. */
  readonly type?: string
  readonly format?: string
  readonly oneOf?: readonly string[]
  /** The order of `required` where it is not alphabetical. */
  readonly reqOrder?: readonly string[]
  /** Property name, with `!` where it is required, to its type. */
  readonly p?: Readonly<Record<string, string>>
}

export function parseProperty(key: string, text: string): PropertyFacts {
  const required = key.endsWith('!')
  return { name: required ? key.slice(0, -1) : key, required, type: parsePropertyType(text) }
}

function parsePropertyType(text: string): TypeFacts {
  const [type = '', ...attributes] = splitOutsideAngles(text)
  return withAttributes(parseType(type), attributes)
}

function parseType(text: string): TypeFacts {
  if (text.startsWith('[]')) return { kind: 'list', element: parseElement(text.slice(2)), attributes: {} }
  if (text.startsWith('{}')) return { kind: 'map', element: parseElement(text.slice(2)), attributes: {} }
  if (text.startsWith('@')) return { kind: 'reference', definition: text.slice(1), attributes: {} }
  if (isScalarName(text)) return { kind: 'scalar', name: text, attributes: {} }
  throw new Error(`unknown type in the facts: ${JSON.stringify(text)}`)
}

/** `T<attribute;attribute>` inside a list or map; of nested elements the attributes are the outer one's. */
function parseElement(text: string): TypeFacts {
  const open = text.endsWith('>') ? text.indexOf('<') : -1
  if (open < 0) return parseType(text)
  return withAttributes(parseType(text.slice(0, open)), text.slice(open + 1, -1).split(';'))
}

function withAttributes(type: TypeFacts, texts: readonly string[]): TypeFacts {
  if (texts.length === 0) return type
  return { ...type, attributes: Object.assign({}, ...texts.map(parseAttribute)) }
}

function parseAttribute(text: string): AttributeFacts {
  const equals = text.indexOf('=')
  const name = equals < 0 ? text : text.slice(0, equals)
  const value = text.slice(equals + 1)
  const [, head = value, inner] = /^([^(]*)\((.*)\)$/.exec(value) ?? []
  switch (name) {
    case 'default':
      return { default: JSON.parse(value) }
    case 'enum':
      return { enum: value.split('|').map((choice) => (choice === '""' ? '' : choice)) }
    case 'list':
      return { listType: parseListType(head), ...(inner === undefined ? {} : { listMapKeys: inner.split(',') }) }
    case 'map':
      return { mapType: parseMapType(value) }
    case 'patch':
      return { patchStrategy: head, ...(inner === undefined ? {} : { patchMergeKey: inner }) }
    case 'patchkey':
      return { patchMergeKey: value }
    case 'nodefault':
      return { noDefault: true }
    case 'always':
      return { always: true }
    case 'pointer':
      return { pointer: true }
    default:
      throw new Error(`unknown attribute in the facts: ${JSON.stringify(text)}`)
  }
}

function parseListType(text: string): 'atomic' | 'set' | 'map' {
  if (text === 'atomic' || text === 'set' || text === 'map') return text
  throw new Error(`unknown list type in the facts: ${JSON.stringify(text)}`)
}

function parseMapType(text: string): 'atomic' | 'granular' {
  if (text === 'atomic' || text === 'granular') return text
  throw new Error(`unknown map type in the facts: ${JSON.stringify(text)}`)
}

function isScalarName(text: string): text is ScalarName {
  return SCALAR_NAMES.has(text)
}

/** Splits at semicolons, but not inside `<…>`. */
function splitOutsideAngles(text: string): string[] {
  if (!text.includes('<')) return text.split(';')
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (character === '<') depth++
    else if (character === '>') depth--
    else if (character === ';' && depth === 0) {
      parts.push(text.slice(start, index))
      start = index + 1
    }
  }
  return [...parts, text.slice(start)]
}
