/**
 * The only way any component reaches the API: typed by the definition value, over any transport.
 *
 *   const pod = await client.of(pods).get({ namespace: 'default', name: 'web-0' })
 *
 * Every method throws `ApiError` for an answer that is a failure Status. Objects that come back are frozen.
 */

import type { ResourceDefinition } from '../apis/definition.ts'
import type { Status } from '../machinery/meta/api-error.ts'
import type { KubeList, KubeObject, ObjectKey } from '../machinery/meta/object.ts'
import type { ApiRequest, ApiResponse, Cause, WatchEvent } from '../machinery/wire/message.ts'

export interface Client {
  of<T extends KubeObject>(definition: ResourceDefinition<T>): ResourceClient<T>
  /**
   * For resources that are known only by their names: asks for no more than kind and metadata. Watches of servers in this
   * process tell of what is gone only which object it was: its names, uid and resourceVersion.
   */
  metadataOf(resource: ResourceAddress): ResourceClient<KubeObject>
  /** The same client, whose writes carry this cause. */
  because(cause: Cause): Client
  /** For paths that are no resources: /version, /readyz, discovery. Answers of every status are returned, not thrown. */
  raw(request: RawRequest): Promise<ApiResponse>
}

/** What it takes to reach the objects of a resource. */
export type ResourceAddress = Pick<ResourceDefinition, 'group' | 'version' | 'resource' | 'kind' | 'scope'>

export interface RawRequest {
  readonly method?: string | undefined
  readonly path: string
  readonly query?: Readonly<Record<string, string>> | undefined
  readonly headers?: ApiRequest['headers'] | undefined
  readonly object?: unknown
  readonly signal?: AbortSignal | undefined
}

/** An object to create: apiVersion and kind are filled in from the definition. */
export type New<T extends KubeObject> = Omit<T, 'apiVersion' | 'kind'>

export interface Selection {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
}

export interface ListRequest extends Selection {
  readonly resourceVersion?: string | undefined
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined
  readonly limit?: number | undefined
  readonly continueToken?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface WatchRequest extends Selection {
  /** Events after this one; absent or '0': from the current state. */
  readonly resourceVersion?: string | undefined
  readonly allowBookmarks?: boolean | undefined
  readonly sendInitialEvents?: boolean | undefined
  readonly timeoutSeconds?: number | undefined
  readonly signal: AbortSignal
}

export interface WriteRequest {
  readonly fieldManager?: string | undefined
  readonly dryRun?: boolean | undefined
  /** `status`, `scale`, …: write this subresource instead. */
  readonly subresource?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export type Patch =
  | { readonly type: 'merge'; readonly body: object }
  | { readonly type: 'strategic'; readonly body: object }
  | { readonly type: 'json'; readonly body: readonly object[] }

export interface DeleteRequest {
  readonly uid?: string | undefined
  readonly resourceVersion?: string | undefined
  readonly gracePeriodSeconds?: number | undefined
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined
  readonly dryRun?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

export interface ResourceClient<T extends KubeObject> {
  get(key: ObjectKey, signal?: AbortSignal): Promise<T>
  list(request?: ListRequest): Promise<KubeList<T>>
  create(object: New<T>, request?: WriteRequest): Promise<T>
  /** With `metadata.resourceVersion`, only if that is still current. */
  update(object: T, request?: WriteRequest): Promise<T>
  patch(key: ObjectKey, patch: Patch, request?: WriteRequest): Promise<T>
  /** Server-side apply. */
  apply(
    object: New<T>,
    request: WriteRequest & { readonly fieldManager: string; readonly force?: boolean | undefined },
  ): Promise<T>
  delete(key: ObjectKey, request?: DeleteRequest): Promise<T | Status>
  deleteCollection(selection: Selection, request?: DeleteRequest): Promise<void>
  /** Ends with the signal, or when the server closes it. An ERROR event is thrown as `ApiError`. */
  watch(request: WatchRequest): AsyncIterable<WatchEvent<T>>
  /** The same; those that came together at once. */
  watchBatches(request: WatchRequest): AsyncIterable<readonly WatchEvent<T>[]>
  /** A subresource with a body of its own: binding, eviction, token, scale. */
  call<Out extends object>(
    method: 'GET' | 'POST' | 'PUT',
    key: ObjectKey,
    subresource: string,
    body?: object,
  ): Promise<Out>
}
