/** The OpenAPI v3 documents (`/openapi/v3/…`): one for each group version and for each root. */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { parseApiVersion } from '../../machinery/meta/group-version.ts'
import { GIT_VERSION } from '../discovery/version.ts'
import type { Operation, PathOperations } from './operations.ts'
import { entriesOf, type Parameter, parametersOf } from './parameters.ts'
import { type Descriptions, type Json, withoutAbsent } from './schemas.ts'
import {
  BEARER_TOKEN,
  closure,
  definitionsOf,
  RESPONSE_TEXTS,
  schemaSource,
  servedPaths,
  TITLE,
  UNAUTHORIZED,
} from './served.ts'

export interface DocumentV3 {
  readonly openapi: '3.0.0'
  readonly info: { readonly title: string; readonly version: string }
  readonly paths: Readonly<Record<string, Json>>
  readonly components: Json
}

/** Paths by the name of the document they belong to: `api/v1`, `apis/apps/v1`, `apis/apps`, `version`, … */
export function pathsByDocument(
  definitions: readonly ResourceDefinition[],
): ReadonlyMap<string, readonly PathOperations[]> {
  const documents = new Map<string, PathOperations[]>()
  for (const path of servedPaths(definitions)) {
    const name = documentOf(path.path)
    documents.set(name, [...(documents.get(name) ?? []), path])
  }
  return documents
}

function documentOf(path: string): string {
  const parts = path.split('/').filter((part) => part !== '')
  const length = parts[0] === 'api' ? 2 : parts[0] === 'apis' ? 3 : parts.length
  return parts.slice(0, length).join('/')
}

export function documentV3(
  name: string,
  paths: readonly PathOperations[],
  definitions: readonly ResourceDefinition[],
  descriptions: Descriptions,
): DocumentV3 {
  const own = parseApiVersion(name.replace(/^apis?\//, ''))
  const source = schemaSource(definitions, descriptions, {
    form: 'v3',
    about: ({ group, version }) =>
      (group === '' && version === 'v1') || (group === own?.group && version === own.version),
  })
  return {
    openapi: '3.0.0',
    info: { title: TITLE, version: GIT_VERSION },
    paths: Object.fromEntries(
      paths.toSorted((left, right) => (left.path < right.path ? -1 : 1)).map((path) => [path.path, printPath(path)]),
    ),
    components: {
      schemas: closure(definitionsOf(paths), source),
      securitySchemes: { BearerToken: BEARER_TOKEN },
    },
  }
}

function printPath(path: PathOperations): Json {
  const parameters = parametersOf(path)
  const methods = entriesOf(path.methods).map(([method, operation]) => [
    method,
    printOperation(operation, parameters.methods.get(method) ?? []),
  ])
  return {
    ...Object.fromEntries(methods),
    ...(parameters.path.length === 0 ? {} : { parameters: parameters.path.map(printParameter) }),
  }
}

function printOperation(operation: Operation, query: readonly Parameter[]): Json {
  return withoutAbsent({
    tags: [operation.tag],
    operationId: operation.id,
    parameters: query.length === 0 ? undefined : query.map(printParameter),
    requestBody: printBody(operation),
    responses: printResponses(operation),
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': operation.kind,
  })
}

function printBody({ body, consumes = [] }: Operation): Json | undefined {
  if (body === undefined) return undefined
  return { content: contentOf(consumes, body.definition), ...(body.required ? { required: true } : {}) }
}

function printResponses({ responses, produces = [] }: Operation): Json {
  const printed = Object.entries(responses).map(([code, definition]) => [
    code,
    { description: RESPONSE_TEXTS[code] ?? '', content: contentOf(produces, definition) },
  ])
  return { ...Object.fromEntries(printed), 401: { description: UNAUTHORIZED } }
}

function contentOf(types: readonly string[], definition: string): Json {
  const schema = definition === 'string' ? { type: 'string' } : { $ref: `#/components/schemas/${definition}` }
  return Object.fromEntries(types.map((type) => [type, { schema }]))
}

function printParameter({ name, in: place, type, required }: Parameter): Json {
  return { name, in: place, ...(required ? { required } : {}), schema: { type, uniqueItems: true } }
}
