/** The OpenAPI v2 document (`/openapi/v2`): one for everything that is served. */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { GIT_VERSION } from '../discovery/version.ts'
import { bodyParameters } from './facts.gen.ts'
import { DELETE_OPTIONS, type Operation, PATCH, type PathOperations, WATCH_EVENT } from './operations.ts'
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

export interface DocumentV2 {
  readonly swagger: '2.0'
  readonly info: { readonly title: string; readonly version: string }
  readonly paths: Readonly<Record<string, Json>>
  readonly definitions: Readonly<Record<string, Json>>
  readonly parameters: Readonly<Record<string, Json>>
  readonly securityDefinitions: Readonly<Record<string, Json>>
  readonly security: readonly Json[]
}

export function documentV2(definitions: readonly ResourceDefinition[], descriptions: Descriptions): DocumentV2 {
  const paths = servedPaths(definitions)
  const roots = [...definitionsOf(paths), WATCH_EVENT, DELETE_OPTIONS, PATCH]
  const schemas = closure(roots, schemaSource(definitions, descriptions, { form: 'v2' }))
  return {
    swagger: '2.0',
    info: { title: TITLE, version: GIT_VERSION },
    paths: sortedByKey(paths.map((path) => [path.path, printPath(path)])),
    definitions: schemas,
    parameters: sharedParameters(paths),
    securityDefinitions: { BearerToken: BEARER_TOKEN },
    security: [{ BearerToken: [] }],
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
  const { body, kind } = operation
  const parameters = [
    ...query.map((parameter) => ({ name: parameter.name, printed: printParameter(parameter) })),
    ...(body === undefined ? [] : [{ name: 'body', printed: printBody(body.definition) }]),
  ].sort((left, right) => (left.name < right.name ? -1 : 1))
  return withoutAbsent({
    consumes: operation.consumes,
    operationId: operation.id,
    parameters: parameters.length === 0 ? undefined : parameters.map(({ printed }) => printed),
    produces: operation.produces,
    responses: printResponses(operation),
    schemes: ['https'],
    tags: [operation.tag],
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': kind,
  })
}

function printResponses({ responses }: Operation): Json {
  const printed = Object.entries(responses).map(([code, definition]) => [
    code,
    {
      description: RESPONSE_TEXTS[code] ?? '',
      schema: definition === 'string' ? { type: 'string' } : reference(definition),
    },
  ])
  return { ...Object.fromEntries(printed), 401: { description: UNAUTHORIZED } }
}

function printParameter(parameter: Parameter): Json {
  if (parameter.key !== undefined) return { $ref: `#/parameters/${parameter.key}` }
  return plainParameter(parameter)
}

function plainParameter({ name, in: place, type, required }: Parameter): Json {
  return { in: place, name, type, uniqueItems: true, ...(required ? { required } : {}) }
}

function printBody(definition: string): Json {
  if (definition === DELETE_OPTIONS) return { $ref: `#/parameters/${bodyParameters.delete}` }
  if (definition === PATCH) return { $ref: `#/parameters/${bodyParameters.patch}` }
  return { in: 'body', name: 'body', required: true, schema: reference(definition) }
}

function sharedParameters(paths: readonly PathOperations[]): Readonly<Record<string, Json>> {
  const shared = new Map<string, Json>([
    [bodyParameters.delete, { in: 'body', name: 'body', schema: reference(DELETE_OPTIONS) }],
    [bodyParameters.patch, { in: 'body', name: 'body', required: true, schema: reference(PATCH) }],
  ])
  for (const path of paths) {
    const parameters = parametersOf(path)
    for (const parameter of [...parameters.path, ...[...parameters.methods.values()].flat()]) {
      if (parameter.key !== undefined) shared.set(parameter.key, plainParameter(parameter))
    }
  }
  return sortedByKey([...shared])
}

function reference(definition: string): Json {
  return { $ref: `#/definitions/${definition}` }
}

function sortedByKey(entries: readonly (readonly [string, Json])[]): Readonly<Record<string, Json>> {
  return Object.fromEntries(entries.toSorted(([left], [right]) => (left < right ? -1 : 1)))
}
