/** Objects as their metadata alone: what metadata clients and table rows get. */

import { ApiError } from '../../machinery/meta/api-error.ts'
import type { KubeObject, ListMeta } from '../../machinery/meta/object.ts'
import type { Accepted } from './negotiate.ts'
import type { ViewKind } from './view.ts'

export function partialMetadata({ metadata }: KubeObject, metaVersion: string): KubeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${metaVersion}`, metadata }
}

export function partialMetadataList(objects: readonly KubeObject[], metadata: ListMeta, metaVersion: string): object {
  return {
    kind: 'PartialObjectMetadataList',
    apiVersion: `meta.k8s.io/${metaVersion}`,
    metadata,
    items: objects.map((object) => partialMetadata(object, metaVersion)),
  }
}

/** Throws 406 when the metadata of many is asked of one object. */
export function expectOne({ as }: Pick<Accepted, 'as'>, kind: ViewKind): void {
  if (as !== 'metadataList') return
  throw misfit('PartialObjectMetadataList', `is not a list (${typeText(kind, kind.kind)})`)
}

/** Throws 406 when the metadata of one is asked of a list. */
export function expectList({ as }: Pick<Accepted, 'as'>, kind: ViewKind & { readonly listKind: string }): void {
  if (as === 'metadata') throw misfit('PartialObjectMetadata', `is a list (${typeText(kind, kind.listKind)})`)
}

function misfit(asked: string, what: string): ApiError {
  return new ApiError(406, 'NotAcceptable', `you requested ${asked}, but the requested object ${what}`)
}

/** A type as upstream prints it: of its package for the group. */
function typeText({ group, schema }: ViewKind, kind: string): string {
  if (schema.definition === undefined) return `*unstructured.Unstructured${kind.endsWith('List') ? 'List' : ''}`
  return `*${group === '' ? 'core' : group.split('.', 1)[0]}.${kind}`
}
