/** Objects as their metadata alone: what metadata clients and table rows get. */

import type { KubeObject, ListMeta } from '../../machinery/meta/object.ts'

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
