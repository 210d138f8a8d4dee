/**
 * Definitions as OpenAPI v3 schemas, from the same facts as `apis/builtin-schema.ts`; the v2 form is derived
 * from them. Custom resources bring their schema with their definition: `custom-schemas.ts`.
 */

import { definitionFacts, definitionNames } from '../../apis/builtin-schema.ts'
import {
  type AttributeFacts,
  type DefinitionFacts,
  parseProperty,
  type TypeFacts,
} from '../../apis/definition-facts.ts'
import type { GroupVersionKind } from '../../machinery/meta/group-version.ts'

/** A node of an OpenAPI document: plain JSON. */
export type Json = Readonly<Record<string, unknown>>

/** Texts by short definition name and field; the type's own text has the empty name. */
export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>

const PREFIXES: readonly (readonly [short: string, full: string])[] = [
  ['meta.', 'io.k8s.apimachinery.pkg.apis.meta.'],
  ['apiextensions.', 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.'],
  ['apiregistration.', 'io.k8s.kube-aggregator.pkg.apis.apiregistration.'],
  ['metrics.', 'io.k8s.metrics.pkg.apis.metrics.'],
  ['resource#.', 'io.k8s.apimachinery.pkg.api.resource.'],
  ['intstr#.', 'io.k8s.apimachinery.pkg.util.intstr.'],
  ['runtime#.', 'io.k8s.apimachinery.pkg.runtime.'],
  ['version#.', 'io.k8s.apimachinery.pkg.version.'],
]

/** Definitions whose list of kinds names every group version; it is cut to what a document is about. */
const KINDS_MAX = 10

/** `core.v1.Pod` → `io.k8s.api.core.v1.Pod`. */
export function fullName(short: string): string {
  const prefix = PREFIXES.find(([start]) => short.startsWith(start))
  return prefix === undefined ? `io.k8s.api.${short}` : `${prefix[1]}${short.slice(prefix[0].length)}`
}

function schemaReference(short: string): Json {
  return { $ref: `#/components/schemas/${fullName(short)}` }
}

let byKind: ReadonlyMap<string, string> | undefined

/** The short name of the built-in definition of a kind. */
export function definitionOfKind({ group, version, kind }: GroupVersionKind): string | undefined {
  byKind ??= indexByKind()
  return byKind.get(`${group}/${version}/${kind}`)
}

function indexByKind(): ReadonlyMap<string, string> {
  const index = new Map<string, string>()
  for (const name of definitionNames()) {
    for (const { group, version, kind } of kindsOf(name, definitionFacts(name))) {
      const key = `${group}/${version}/${kind}`
      if (!index.has(key)) index.set(key, name)
    }
  }
  return index
}

function kindsOf(name: string, { gvk = [] }: DefinitionFacts): readonly GroupVersionKind[] {
  return gvk.map((text) => {
    const parts = text.split('/')
    const given = /^[A-Z]/.test(parts.at(-1) ?? '') ? parts.pop() : undefined
    const version = parts.pop() ?? ''
    return { group: parts[0] ?? '', version, kind: given ?? name.slice(name.lastIndexOf('.') + 1) }
  })
}

/** The v3 schema of a built-in definition. `about` narrows the kinds of options that every group has. */
export function definitionSchema(
  name: string,
  texts: Readonly<Record<string, string>> = {},
  about: (kind: GroupVersionKind) => boolean = () => true,
): Json {
  const facts = definitionFacts(name)
  const kinds = kindsOf(name, facts)
  const named = kinds.length > KINDS_MAX ? kinds.filter(about) : kinds
  const properties = Object.entries(facts.p ?? {})
    .map(([key, text]) => parseProperty(key, text))
    .sort((left, right) => (left.name < right.name ? -1 : 1))
  const required = properties.flatMap((property) => (property.required ? [property.name] : []))
  return withoutAbsent({
    description: texts[''],
    type: facts.type === 'any' ? undefined : (facts.type ?? 'object'),
    format: facts.format,
    oneOf: facts.oneOf?.map((type) => ({ type })),
    required: required.length === 0 ? undefined : (facts.reqOrder ?? required),
    properties:
      facts.p && Object.fromEntries(properties.map(({ name: key, type }) => [key, propertySchema(type, texts[key])])),
    'x-kubernetes-group-version-kind': facts.gvk && named.map(({ group, kind, version }) => ({ group, kind, version })),
    'x-kubernetes-map-type': facts.map,
    'x-kubernetes-unions': facts.unions,
  })
}

function propertySchema(type: TypeFacts, description: string | undefined): Json {
  return referenceWithSiblings({ description, ...attributeKeywords(type.attributes) }, type)
}

/** Elements have their zero value as default, unless the facts say that they have none. */
function elementSchema(type: TypeFacts): Json {
  const zero = type.attributes.noDefault ? undefined : zeroOf(type)
  return referenceWithSiblings({ default: zero, ...attributeKeywords(type.attributes) }, type)
}

/** A reference that stands beside other keywords is wrapped in `allOf`, as v3 tools need it. */
function referenceWithSiblings(keywords: Json, type: TypeFacts): Json {
  const siblings = withoutAbsent(keywords)
  const plain = typeKeywords(type)
  if (type.kind !== 'reference' || Object.keys(siblings).length === 0) return { ...siblings, ...plain }
  return { ...siblings, allOf: [plain] }
}

function typeKeywords(type: TypeFacts): Json {
  switch (type.kind) {
    case 'reference':
      return schemaReference(type.definition)
    case 'list':
      return { type: 'array', items: elementSchema(type.element) }
    case 'map':
      return { type: 'object', additionalProperties: elementSchema(type.element) }
    case 'scalar':
      return scalarKeywords(type.name)
  }
}

function scalarKeywords(name: (TypeFacts & { readonly kind: 'scalar' })['name']): Json {
  switch (name) {
    case 'int32':
    case 'int64':
      return { type: 'integer', format: name }
    case 'double':
      return { type: 'number', format: name }
    case 'byte':
      return { type: 'string', format: 'byte' }
    case 'datetime':
      return { type: 'string', format: 'date-time' }
    case 'any':
      return {}
    default:
      return { type: name }
  }
}

function zeroOf(type: TypeFacts): unknown {
  if (type.kind === 'reference') return {}
  if (type.kind !== 'scalar') return undefined
  switch (type.name) {
    case 'string':
      return ''
    case 'boolean':
      return false
    case 'int32':
    case 'int64':
    case 'double':
      return 0
    default:
      return undefined
  }
}

function attributeKeywords(attributes: AttributeFacts): Json {
  return withoutAbsent({
    default: attributes.default,
    enum: attributes.enum,
    'x-kubernetes-list-type': attributes.listType,
    'x-kubernetes-list-map-keys': attributes.listMapKeys,
    'x-kubernetes-map-type': attributes.mapType,
    'x-kubernetes-patch-strategy': attributes.patchStrategy,
    'x-kubernetes-patch-merge-key': attributes.patchMergeKey,
  })
}

export function withoutAbsent(object: Json): Json {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}

/** The name of a custom kind: its group backwards, version, kind. */
export function customName({ group, version, kind }: GroupVersionKind): string {
  return [...group.split('.').reverse(), version, kind].join('.')
}

/** Keywords whose value is data and not a schema. */
const DATA_KEYWORDS: ReadonlySet<string> = new Set(['enum', 'x-kubernetes-group-version-kind', 'x-kubernetes-unions'])
/** What v2 cannot say. */
const V3_KEYWORDS: ReadonlySet<string> = new Set(['default', 'nullable', 'anyOf', 'not', 'x-kubernetes-validations'])

/** The v2 form of a v3 schema: no defaults, plain references, and `oneOf` is a string. */
export function toV2(schema: Json): Json {
  const result: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(schema)) {
    if (V3_KEYWORDS.has(keyword)) continue
    if (keyword === '$ref') result.$ref = v2Reference(value)
    else if (keyword === 'allOf') Object.assign(result, singleReference(value))
    else if (keyword === 'oneOf') result.type ??= 'string'
    else if (keyword === 'properties' && isJson(value)) {
      result.properties = Object.fromEntries(
        Object.entries(value).map(([name, part]) => [name, isJson(part) ? toV2(part) : part]),
      )
    } else result[keyword] = isJson(value) && !DATA_KEYWORDS.has(keyword) ? toV2(value) : value
  }
  return result
}

function singleReference(value: unknown): Json {
  const [first] = Array.isArray(value) ? value : []
  return isJson(first) && typeof first.$ref === 'string' ? { $ref: v2Reference(first.$ref) } : {}
}

function v2Reference(value: unknown): string {
  return String(value).replace('#/components/schemas/', '#/definitions/')
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
