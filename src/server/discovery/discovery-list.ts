/** The shape of aggregated discovery (`apidiscovery.k8s.io/v2`). */

import type { Scope } from '../../apis/definition.ts'
import type { ListMeta } from '../../machinery/meta/object.ts'

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
  /** Absent: none, or nobody knows. */
  readonly resources?: readonly APIResourceDiscovery[] | undefined
  /** Stale: the server that has the version did not answer. */
  readonly freshness: 'Current' | 'Stale'
}

export interface ResponseKind {
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
