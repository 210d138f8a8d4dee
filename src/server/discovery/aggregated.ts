/**
 * Aggregated discovery (`apidiscovery.k8s.io/v2`): everything about all groups in one document each for
 * `/api` and `/apis`. Clients ask for it by media type, keep it by ETag, and fall back to the documents of
 * `groups.ts` and `resources.ts`.
 */

import type { ResourceDefinition, Scope } from '../../apis/definition.ts'
import { encodeProtobuf, PROTOBUF_TYPE } from '../../apis/protobuf-forms.ts'
import { assert } from '../../base/assert.ts'
import { sha512HexUpper } from '../../base/hash.ts'
import type { ListMeta } from '../../machinery/meta/object.ts'
import { mediaTypeCovers, parseAccept } from '../../machinery/wire/content-type.ts'
import { servedGroups } from './groups.ts'
import { servedSubresources, servedVerbs } from './resources.ts'

/** What follows JSON's or protobuf's media type where the aggregated form is meant. */
export const AGGREGATED_PARAMETERS = ';g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

export interface APIGroupDiscoveryList {
  readonly kind: 'APIGroupDiscoveryList'
  readonly apiVersion: 'apidiscovery.k8s.io/v2'
  readonly metadata: ListMeta
  readonly items: readonly APIGroupDiscovery[]
}

export interface APIGroupDiscovery {
  readonly metadata: { readonly name?: string | undefined }
  readonly versions: readonly APIVersionDiscovery[]
}

export interface APIVersionDiscovery {
  readonly version: string
  readonly resources: readonly APIResourceDiscovery[]
  readonly freshness: 'Current' | 'Stale'
}

interface ResponseKind {
  /** Empty, like the version, where they are those of the resource. */
  readonly group: string
  readonly version: string
  readonly kind: string
}

export interface APIResourceDiscovery {
  readonly resource: string
  readonly responseKind: ResponseKind
  readonly scope: Scope
  readonly singularResource: string
  readonly verbs: readonly string[]
  readonly shortNames?: readonly string[] | undefined
  readonly categories?: readonly string[] | undefined
  readonly subresources?: readonly APISubresourceDiscovery[] | undefined
}

export interface APISubresourceDiscovery {
  readonly subresource: string
  readonly responseKind: ResponseKind
  readonly verbs: readonly string[]
}

/** `api` is the core group, `apis` all others. */
export function aggregatedDiscovery(
  definitions: readonly ResourceDefinition[],
  root: 'api' | 'apis',
): APIGroupDiscoveryList {
  const groups = servedGroups(definitions).filter(({ name }) => (name === '') === (root === 'api'))
  const items = groups.map(({ name, versions }) => ({
    metadata: name === '' ? {} : { name },
    versions: versions.map((version) => describeVersion(definitions, name, version)),
  }))
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items }
}

function describeVersion(
  definitions: readonly ResourceDefinition[],
  group: string,
  version: string,
): APIVersionDiscovery {
  const resources = definitions
    .filter((definition) => definition.group === group && definition.version === version)
    .toSorted((left, right) => (left.resource < right.resource ? -1 : 1))
    .map(describeResource)
  return { version, resources, freshness: 'Current' }
}

function describeResource(definition: ResourceDefinition): APIResourceDiscovery {
  const { resource, kind, scope, singular, shortNames, categories } = definition
  const subresources = servedSubresources(definition).map((served) => ({
    subresource: served.name,
    responseKind: {
      group: served.foreign ? served.group : '',
      version: served.foreign ? served.version : '',
      kind: served.kind,
    },
    verbs: served.verbs,
  }))
  return {
    resource,
    responseKind: { group: '', version: '', kind },
    scope,
    singularResource: singular,
    verbs: servedVerbs(definition),
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  }
}

/** A document with what HTTP says about it. */
export interface DiscoveryAnswer {
  readonly bytes: Uint8Array
  readonly headers: Readonly<Record<string, string>>
  /** As in `If-None-Match`, with its quotes. */
  readonly etag: string
}

export type AggregatedType = 'application/json' | typeof PROTOBUF_TYPE

export function aggregatedAnswer(list: APIGroupDiscoveryList, type: AggregatedType): DiscoveryAnswer {
  const bytes = type === PROTOBUF_TYPE ? encodeProtobuf(list) : Buffer.from(`${JSON.stringify(list)}\n`)
  assert(bytes, 'discovery has a protobuf form')
  const etag = `"${sha512HexUpper(bytes)}"`
  const contentType = `${type}${AGGREGATED_PARAMETERS}`
  return { bytes, etag, headers: { 'content-type': contentType, 'cache-control': 'public', etag, vary: 'Accept' } }
}

/** The encoding in which a request wants the aggregated form. Undefined: it wants the lists, or nothing that there is. */
export function aggregatedType(accept: string | undefined): AggregatedType | undefined {
  for (const { type, parameters } of parseAccept(accept)) {
    const encoding = ENCODINGS.find((candidate) => mediaTypeCovers(type, candidate))
    if (encoding === undefined) continue
    if (!parameters.has('as')) return undefined
    const asked =
      parameters.get('g') === 'apidiscovery.k8s.io' &&
      parameters.get('v') === 'v2' &&
      parameters.get('as') === 'APIGroupDiscoveryList'
    if (asked) return encoding
  }
  return undefined
}

const ENCODINGS: readonly AggregatedType[] = ['application/json', PROTOBUF_TYPE]
