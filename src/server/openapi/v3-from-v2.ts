/**
 * The OpenAPI v3 document of an aggregated server that has only OpenAPI v2: the same structure, as far as v2 tells it.
 * Recursion is bounded by the depth that documents are read with.
 */

import { GIT_VERSION } from '../discovery/version.ts'
import type { PartV2 } from './merge-v2.ts'
import { isJson, type Json, withoutAbsent } from './schemas.ts'
import { BEARER_TOKEN, TITLE } from './served.ts'
import type { DocumentV3 } from './v3.ts'

export function v3FromV2(part: PartV2): DocumentV3 {
  return {
    openapi: '3.0.0',
    info: { title: TITLE, version: GIT_VERSION },
    paths: mapped(part.paths, (path) => pathOf(path, part)),
    components: { schemas: mapped(part.definitions, schemaOf), securitySchemes: { BearerToken: BEARER_TOKEN } },
  }
}

const METHODS: ReadonlySet<string> = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch'])

function pathOf(path: Json, part: PartV2): Json {
  const kept = Object.entries(path).flatMap(([key, value]): readonly (readonly [string, unknown])[] => {
    if (METHODS.has(key) && isJson(value)) return [[key, operationOf(value, part)]]
    if (key === 'parameters') return [[key, parametersIn(path, part).map(parameterOf)]]
    return key.startsWith('x-') ? [[key, value]] : []
  })
  return Object.fromEntries(kept)
}

function operationOf(operation: Json, part: PartV2): Json {
  const { consumes, produces, parameters: _, responses, schemes: _schemes, security: _security, ...others } = operation
  const all = parametersIn(operation, part)
  const body = all.find(isBody)
  const plain = all.filter((parameter) => !isBody(parameter)).map(parameterOf)
  return withoutAbsent({
    ...others,
    parameters: plain.length > 0 ? plain : undefined,
    requestBody: body && withoutAbsent({ content: contentOf(consumes, body.schema), required: body.required }),
    responses: isJson(responses) ? mapped(responses, (response) => responseOf(response, produces)) : undefined,
  })
}

/** Those that are referred to stand in the place of their references: v3 has no part of the document for them here. */
function parametersIn({ parameters }: Json, part: PartV2): readonly Json[] {
  const list = Array.isArray(parameters) ? parameters.filter(isJson) : []
  return list.flatMap((parameter) => {
    const name = typeof parameter.$ref === 'string' ? parameter.$ref.replace(/^#\/parameters\//, '') : undefined
    if (name === undefined) return [parameter]
    const shared = Object.hasOwn(part.parameters, name) ? part.parameters[name] : undefined
    return shared ? [shared] : []
  })
}

function isBody({ in: place }: Json): boolean {
  return place === 'body'
}

/** What says which values there may be is v3's schema. */
const SCHEMA_KEYWORDS: ReadonlySet<string> = new Set(['type', 'format', 'uniqueItems', 'items', 'enum', 'default'])

function parameterOf(parameter: Json): Json {
  const entries = Object.entries(parameter)
  const schema = Object.fromEntries(entries.filter(([key]) => SCHEMA_KEYWORDS.has(key)))
  return { ...Object.fromEntries(entries.filter(([key]) => !SCHEMA_KEYWORDS.has(key))), schema: schemaOf(schema) }
}

function responseOf(response: unknown, produces: unknown): Json {
  const { description, schema } = isJson(response) ? response : {}
  return withoutAbsent({ description, content: isJson(schema) ? contentOf(produces, schema) : undefined })
}

function contentOf(types: unknown, schema: unknown): Json {
  const names = Array.isArray(types) ? types.filter((type) => typeof type === 'string') : []
  const converted = schemaOf(isJson(schema) ? schema : {})
  return Object.fromEntries(names.map((name) => [name, { schema: converted }]))
}

/** A reference stands alone in v3: what is said besides goes around it. */
function schemaOf(schema: Json): Json {
  const { $ref: reference, ...others } = schema
  if (typeof reference !== 'string') return mapped(schema, nodeOf)
  const pointer = { $ref: reference.replace(/^#\/definitions\//, '#/components/schemas/') }
  return Object.keys(others).length === 0 ? pointer : { ...mapped(others, nodeOf), allOf: [pointer] }
}

function nodeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(nodeOf)
  return isJson(value) ? schemaOf(value) : value
}

/** `fromEntries` makes own properties of all names. */
function mapped<From, To>(
  object: Readonly<Record<string, From>>,
  change: (value: From) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]))
}
