/**
 * What an aggregated server says it serves, as this server's discovery repeats it: from its aggregated discovery or,
 * where it has none, from its list of resources. It is a stranger's word: only what has the right shape is repeated.
 */

import { isRecord } from '../../base/is-record.ts'
import type { GroupVersion } from '../../machinery/meta/group-version.ts'
import type { APIResourceDiscovery, APISubresourceDiscovery, ResponseKind } from '../discovery/discovery-list.ts'

type Resources = readonly APIResourceDiscovery[]
type Fields = Readonly<Record<string, unknown>>

/** Undefined: the document is of another kind. A version that the document leaves out has no resources. */
export function resourcesInGroups(document: unknown, { group, version }: GroupVersion): Resources | undefined {
  if (!isRecord(document) || document.kind !== 'APIGroupDiscoveryList') return undefined
  const ofGroup = records(document.items).find(({ metadata }) => isRecord(metadata) && metadata.name === group)
  const found = records(ofGroup?.versions).find((one) => one.version === version)
  return records(found?.resources).map(resourceOf)
}

function resourceOf(fields: Fields): APIResourceDiscovery {
  const subresources = records(fields.subresources).map(subresourceOf)
  return {
    resource: text(fields.resource),
    responseKind: kindOf(fields.responseKind),
    scope: fields.scope === 'Namespaced' ? 'Namespaced' : 'Cluster',
    singularResource: text(fields.singularResource),
    verbs: texts(fields.verbs),
    ...names(fields),
    ...(subresources.length > 0 && { subresources }),
  }
}

function subresourceOf(fields: Fields): APISubresourceDiscovery {
  return {
    subresource: text(fields.subresource),
    responseKind: kindOf(fields.responseKind),
    verbs: texts(fields.verbs),
  }
}

function kindOf(value: unknown): ResponseKind {
  const fields = isRecord(value) ? value : {}
  return { group: text(fields.group), version: text(fields.version), kind: text(fields.kind) }
}

/** From the list that has resources and, as `resource/subresource`, what is below them. Undefined: it is no such list. */
export function resourcesInList(document: unknown): Resources | undefined {
  if (!isRecord(document) || document.kind !== 'APIResourceList') return undefined
  const listed = records(document.resources).map((fields) => ({ fields, names: text(fields.name).split('/', 2) }))
  const found = new Map<string, APIResourceDiscovery>()
  for (const {
    fields,
    names: [resource = '', subresource],
  } of listed)
    if (subresource === undefined) found.set(resource, listedResource(fields, resource))
  for (const {
    fields,
    names: [resource = '', subresource],
  } of listed) {
    if (subresource === undefined) continue
    const parent = found.get(resource) ?? nameless(fields, resource)
    const below = { subresource, responseKind: listedKind(fields), verbs: texts(fields.verbs) }
    found.set(resource, { ...parent, subresources: [...(parent.subresources ?? []), below] })
  }
  return [...found.values()]
}

function listedResource(fields: Fields, resource: string): APIResourceDiscovery {
  return {
    resource,
    responseKind: listedKind(fields),
    scope: fields.namespaced === true ? 'Namespaced' : 'Cluster',
    singularResource: text(fields.singularName),
    verbs: texts(fields.verbs),
    ...names(fields),
  }
}

/** What has subresources and is no resource itself. */
function nameless(fields: Fields, resource: string): APIResourceDiscovery {
  const responseKind = { group: '', version: '', kind: '' }
  const scope = fields.namespaced === true ? 'Namespaced' : 'Cluster'
  return { resource, responseKind, scope, singularResource: '', verbs: [] }
}

function listedKind({ group, version, kind }: Fields): ResponseKind {
  return { group: text(group), version: text(version), kind: text(kind) }
}

function names({ shortNames, categories }: Fields): Pick<APIResourceDiscovery, 'shortNames' | 'categories'> {
  const [short, wide] = [texts(shortNames), texts(categories)]
  return { ...(short.length > 0 && { shortNames: short }), ...(wide.length > 0 && { categories: wide }) }
}

function records(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isRecord) : []
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
