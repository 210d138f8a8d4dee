/**
 * Aggregated discovery (`apidiscovery.k8s.io/v2`): everything about all groups in one document each for
 * `/api` and `/apis`. Clients ask for it by media type, keep it by ETag, and fall back to the documents of
 * `groups.ts` and `resources.ts`.
 */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { encodeProtobuf, PROTOBUF_TYPE } from '../../apis/protobuf-forms.ts'
import { assert } from '../../base/assert.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import { sha512HexUpper } from '../../base/hash.ts'
import { mediaTypeCovers, parseAccept } from '../../machinery/wire/content-type.ts'
import type { APIGroupDiscoveryList, APIResourceDiscovery, APIVersionDiscovery } from './discovery-list.ts'
import { servedGroups } from './groups.ts'
import type { Registration } from './registration.ts'
import { servedSubresources, servedVerbs } from './resources.ts'

/** What follows JSON's or protobuf's media type where the aggregated form is meant. */
export const AGGREGATED_PARAMETERS = ';g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

/** `api` is the core group, `apis` all others. Here groups of equal priority stand in the order of their names. */
export function aggregatedDiscovery(
  definitions: readonly ResourceDefinition[],
  root: 'api' | 'apis',
  registrations: readonly Registration[] = [],
): APIGroupDiscoveryList {
  const items = servedGroups(definitions, registrations)
    .filter(({ name }) => (name === '') === (root === 'api'))
    .toSorted((left, right) => right.priority - left.priority || byCodeUnit(left.name, right.name))
    .map(({ name, versions }) => ({
      metadata: name === '' ? {} : { name },
      versions: versions.map((version) => {
        const remote = registrations.find((one) => one.group === name && one.version === version)?.remote
        return remote ?? describeVersion(definitions, name, version)
      }),
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
