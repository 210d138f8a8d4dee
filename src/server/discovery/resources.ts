/** `/api/v1` and `/apis/<group>/<version>`: the resources and subresources of one group version. */

import { createHash } from 'node:crypto'
import type { ResourceDefinition, Verb } from '../../apis/definition.ts'
import type { APIResource, APIResourceList } from '../../apis/meta/types.gen.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import { apiVersionOf, type GroupVersionKind, parseApiVersion } from '../../machinery/meta/group-version.ts'
import { storageVersions, subresourceFacts } from './facts.gen.ts'

export interface ServedSubresource extends GroupVersionKind {
  readonly name: string
  /** Whether the kind belongs to another group version than the resource. */
  readonly foreign: boolean
  readonly verbs: readonly string[]
}

const OBJECT_VERBS = 'get,patch,update'
/** The verbs of custom resources, in the order in which upstream lists them. */
const CUSTOM_VERBS: readonly Verb[] = [
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'create',
  'update',
  'watch',
]
const SCALE_KIND = 'autoscaling/v1/Scale'

/** Subresources that a definition declares, by name. */
export function servedSubresources(definition: ResourceDefinition): readonly ServedSubresource[] {
  const facts = subresourceFacts[`${apiVersionOf(definition)}/${definition.resource}`] ?? {}
  const texts = new Map<string, string>()
  if (definition.status !== undefined) texts.set('status', facts.status ?? OBJECT_VERBS)
  if (definition.scale !== undefined) texts.set('scale', facts.scale ?? `${SCALE_KIND} ${OBJECT_VERBS}`)
  for (const name of definition.subresources) texts.set(name, facts[name] ?? OBJECT_VERBS)
  const served = [...texts].map(([name, text]) => parseSubresource(definition, name, text))
  return definition.schemaStamp === undefined ? served.sort(byName) : served
}

/** `[Kind] verbs`, the kind qualified by its group version if that is another one. */
function parseSubresource(definition: ResourceDefinition, name: string, text: string): ServedSubresource {
  const { group, version, kind } = definition
  const [first = '', second] = text.split(' ')
  const verbs = (second ?? first).split(',')
  if (second === undefined) return { name, group, version, kind, foreign: false, verbs }
  const slash = first.lastIndexOf('/')
  const foreign = slash < 0 ? undefined : parseApiVersion(first.slice(0, slash))
  return { name, group, version, ...foreign, kind: first.slice(slash + 1), foreign: foreign !== undefined, verbs }
}

export function resourceList(definitions: readonly ResourceDefinition[], groupVersion: string): APIResourceList {
  const resources = definitions
    .filter((definition) => apiVersionOf(definition) === groupVersion)
    .sort((left, right) => byCodeUnit(left.resource, right.resource))
    .flatMap((definition) => [
      describeResource(definition),
      ...servedSubresources(definition).map(describeIn(definition)),
    ])
  return { kind: 'APIResourceList', ...(groupVersion === 'v1' ? {} : { apiVersion: 'v1' }), groupVersion, resources }
}

function describeResource(definition: ResourceDefinition): APIResource {
  const { resource, singular, scope, kind, shortNames, categories } = definition
  return {
    name: resource,
    singularName: singular,
    namespaced: scope === 'Namespaced',
    kind,
    verbs: servedVerbs(definition),
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(isStored(definition) ? { storageVersionHash: storageVersionHash(definition) } : {}),
  }
}

/** In the order in which they are listed. */
export function servedVerbs({ verbs, schemaStamp }: ResourceDefinition): readonly Verb[] {
  return schemaStamp === undefined ? verbs.toSorted() : CUSTOM_VERBS
}

function describeIn({ resource, scope }: ResourceDefinition): (subresource: ServedSubresource) => APIResource {
  return ({ name, group, version, kind, foreign, verbs }) => ({
    name: `${resource}/${name}`,
    singularName: '',
    namespaced: scope === 'Namespaced',
    ...(foreign && group !== '' ? { group } : {}),
    ...(foreign ? { version } : {}),
    kind,
    verbs,
  })
}

function isStored(definition: ResourceDefinition): boolean {
  return storageVersionOf(definition) !== 'none' && definition.verbs.includes('create')
}

function storageVersionOf(definition: ResourceDefinition): string {
  const { group, version, storageVersion = version } = definition
  const groupVersion = apiVersionOf({ group, version: storageVersion })
  return storageVersions[`${groupVersion}/${definition.resource}`] ?? groupVersion
}

/** The first eight bytes of a digest of the stored group, version and kind, in base64. */
function storageVersionHash(definition: ResourceDefinition): string {
  const stored = storageVersionOf(definition)
  const name = `${stored.includes('/') ? stored : `/${stored}`}/${definition.kind}`
  return createHash('sha256').update(name).digest().subarray(0, 8).toString('base64')
}

function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  return left.name < right.name ? -1 : left.name > right.name ? 1 : 0
}
