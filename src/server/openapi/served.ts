/** What the documents are about: the paths of the served definitions, and the schemas those need. */

import { definitionNames } from '../../apis/builtin-schema.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import type { GroupVersionKind } from '../../machinery/meta/group-version.ts'
import { servedGroups } from '../discovery/groups.ts'
import { customSchemas, type Form } from './custom-schemas.ts'
import { commonPaths, groupPath, type PathOperations, resourcePaths, versionPath } from './operations.ts'
import { type Descriptions, definitionOfKind, definitionSchema, fullName, isJson, type Json, toV2 } from './schemas.ts'

export const TITLE = 'Kubernetes'

export const BEARER_TOKEN: Json = {
  description: 'Bearer Token authentication',
  type: 'apiKey',
  name: 'authorization',
  in: 'header',
}

/** Texts of responses, as HTTP names them. */
export const RESPONSE_TEXTS: Readonly<Record<string, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' }
export const UNAUTHORIZED = 'Unauthorized'

export function servedPaths(definitions: readonly ResourceDefinition[]): readonly PathOperations[] {
  // Groups of custom resources have no documents about themselves in there.
  const groups = servedGroups(definitions.filter(({ schemaStamp }) => schemaStamp === undefined))
  return [
    ...commonPaths(),
    ...groups.filter(({ name }) => name !== '').map(({ name }) => groupPath(name)),
    ...groups.flatMap(({ name, versions }) => versions.map((version) => versionPath({ group: name, version }))),
    ...definitions.flatMap(resourcePaths),
  ]
}

/** Definitions whose texts of kind, version and metadata hold for custom objects and their lists, too. */
const ANY_OBJECT = 'core.v1.ConfigMap'
const ANY_LIST = 'core.v1.PodList'

/** Finds the schema of a full definition name. */
export type SchemaSource = (name: string) => Json | undefined

export interface SourceOptions {
  readonly form: Form
  /** Narrows the kinds of options that every group has. */
  readonly about?: (kind: GroupVersionKind) => boolean
}

export function schemaSource(
  definitions: readonly ResourceDefinition[],
  descriptions: Descriptions,
  { form, about }: SourceOptions,
): SchemaSource {
  const builtIn = new Map(definitionNames().map((name) => [fullName(name), name]))
  const custom = new Map<string, Json>()
  const texts = { object: descriptions[ANY_OBJECT] ?? {}, list: descriptions[ANY_LIST] ?? {} }
  for (const definition of definitions) {
    if (definitionOfKind(definition) !== undefined) continue
    for (const [name, schema] of customSchemas(definition, form, texts)) custom.set(name, schema)
  }
  return (name) => {
    const short = builtIn.get(name)
    if (short === undefined) return custom.get(name)
    const schema = definitionSchema(short, descriptions[short], about)
    return form === 'v2' ? toV2(schema) : schema
  }
}

/** The schemas that `roots` refer to, directly or through others, by name in order. */
export function closure(roots: Iterable<string>, source: SchemaSource): Readonly<Record<string, Json>> {
  const found = new Map<string, Json>()
  const waiting = [...roots]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const schema = found.has(name) ? undefined : source(name)
    if (schema === undefined) continue
    found.set(name, schema)
    collectReferences(schema, waiting)
  }
  return Object.fromEntries([...found].sort(([left], [right]) => (left < right ? -1 : 1)))
}

function collectReferences(node: unknown, names: string[]): void {
  if (Array.isArray(node)) for (const item of node) collectReferences(item, names)
  if (!isJson(node)) return
  for (const [key, value] of Object.entries(node)) {
    if (key === '$ref' && typeof value === 'string') names.push(value.slice(value.lastIndexOf('/') + 1))
    else collectReferences(value, names)
  }
}

/** Full names of the definitions that paths take or return. */
export function definitionsOf(paths: readonly PathOperations[]): ReadonlySet<string> {
  const names = new Set<string>()
  for (const { methods } of paths) {
    for (const operation of Object.values(methods)) {
      if (operation.body !== undefined) names.add(operation.body.definition)
      for (const response of Object.values(operation.responses)) if (response !== 'string') names.add(response)
    }
  }
  return names
}
