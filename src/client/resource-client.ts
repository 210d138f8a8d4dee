/** `Client` over any transport: builds paths and bodies, unwraps answers, throws `ApiError`. */

import { NEVER } from '../base/deadline.ts'
import { deepFreeze } from '../base/deep-freeze.ts'
import { ApiError, fromStatus, internalError, type Status } from '../machinery/meta/api-error.ts'
import { apiVersionOf } from '../machinery/meta/group-version.ts'
import { type KubeList, type KubeObject, keyOf, type ObjectKey } from '../machinery/meta/object.ts'
import { decodeTrustedJson } from '../machinery/wire/json.ts'
import type { ApiRequest, ApiResponse, Cause, WatchEvent } from '../machinery/wire/message.ts'
import { decodeWatchFrames } from '../machinery/wire/watch-frames.ts'
import type {
  Client,
  DeleteRequest,
  ListRequest,
  Patch,
  RawRequest,
  ResourceAddress,
  ResourceClient,
  WatchRequest,
  WriteRequest,
} from './client.ts'
import type { Transport } from './transport.ts'

const PATCH_TYPES: Readonly<Record<Patch['type'], string>> = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
}

const METADATA_KIND = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
/** Statuses, and single objects of servers in this process, are answered with plainly all the same. */
const METADATA = { accept: `${METADATA_KIND},application/json` }
const METADATA_OF_MANY = { accept: `${METADATA_LIST},application/json` }

interface Call {
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>> | undefined
  readonly contentType?: string | undefined
  readonly headers?: ApiRequest['headers'] | undefined
  readonly object?: unknown
  /** Whether a list is answered. */
  readonly many?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

export function createClient(transport: Transport, cause?: Cause): Client {
  const perform = (call: Call): Promise<ApiResponse> => transport.send(requestOf(call, transport, cause))
  return {
    of: (definition) => resourceClient(definition, perform),
    metadataOf: (resource) =>
      resourceClient(resource, (call) => perform({ ...call, headers: call.many ? METADATA_OF_MANY : METADATA })),
    because: (next) => createClient(transport, next),
    raw: (request: RawRequest) => perform({ ...request, method: request.method ?? 'GET' }),
  }
}

function requestOf(call: Call, transport: Transport, cause: Cause | undefined): ApiRequest {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(call.query ?? {})) if (value !== undefined) query.set(name, value)
  const contentType = call.contentType ?? 'application/json'
  return {
    method: call.method,
    path: call.path,
    query,
    headers: call.object === undefined ? (call.headers ?? {}) : { 'content-type': contentType, ...call.headers },
    body: call.object === undefined ? { type: 'none' } : { type: 'object', object: call.object },
    signal: call.signal ?? NEVER,
    cause,
    wants: transport.wants,
  }
}

function resourceClient<T extends KubeObject>(
  definition: ResourceAddress,
  perform: (call: Call) => Promise<ApiResponse>,
): ResourceClient<T> {
  const typed = (object: object) => ({ apiVersion: apiVersionOf(definition), kind: definition.kind, ...object })
  const ask = async <Out>(call: Call): Promise<Out> => objectOf(await perform(call)) as Out
  const at = (key: ObjectKey, subresource?: string) => itemPath(definition, key, subresource)
  const writing = (key: ObjectKey, request: WriteRequest | undefined): Pick<Call, 'path' | 'query' | 'signal'> => ({
    path: at(key, request?.subresource),
    query: writeQuery(request),
    signal: request?.signal,
  })
  const batches = (request: WatchRequest) =>
    watchBatches<T>(perform, {
      method: 'GET',
      path: collectionPath(definition, request.namespace),
      query: watchQuery(request),
      signal: request.signal,
    })
  return {
    get: (key, signal) => ask({ method: 'GET', path: at(key), signal }),
    async list(request = {}) {
      const path = collectionPath(definition, request.namespace)
      const { signal } = request
      const list = await ask<KubeList<T>>({ method: 'GET', path, query: listQuery(request), many: true, signal })
      // Aggregated servers say null where nothing is in a list of metadata.
      return named(list.items === null ? { ...list, items: [] } : list, typed)
    },
    create: (object, request) =>
      ask({
        method: 'POST',
        path: collectionPath(definition, object.metadata.namespace),
        query: writeQuery(request),
        object: typed(object),
        signal: request?.signal,
      }),
    update: (object, request) => ask({ method: 'PUT', ...writing(keyOf(object), request), object: typed(object) }),
    patch: (key, patch, request) =>
      ask({ method: 'PATCH', ...writing(key, request), contentType: PATCH_TYPES[patch.type], object: patch.body }),
    apply: (object, request) => {
      const target = writing(keyOf(object), request)
      const query = { ...target.query, force: request.force ? 'true' : undefined }
      return ask({
        method: 'PATCH',
        ...target,
        query,
        contentType: 'application/apply-patch+yaml',
        object: typed(object),
      })
    },
    delete: (key, request = {}) =>
      ask({ method: 'DELETE', path: at(key), object: deleteOptions(request), signal: request.signal }),
    async deleteCollection(selection, request = {}) {
      const query = { labelSelector: selection.labelSelector, fieldSelector: selection.fieldSelector }
      const path = collectionPath(definition, selection.namespace)
      const { signal } = request
      // What was deleted is answered as a list, which nobody looks at.
      throwFailure(await perform({ method: 'DELETE', path, query, object: deleteOptions(request), many: true, signal }))
    },
    watch: (request) => oneByOne(batches(request)),
    watchBatches: batches,
    call: (method, key, subresource, body) => ask({ method, path: at(key, subresource), object: body }),
  }
}

/** Items of a list carry no kind on the wire; in hand they do, as everywhere else. */
function named<T extends KubeObject>(list: KubeList<T>, typed: (item: T) => object): KubeList<T> {
  if (list.items.every(({ kind }) => kind !== undefined)) return list
  return Object.freeze({ ...list, items: Object.freeze(list.items.map((item) => Object.freeze(typed(item)) as T)) })
}

async function* watchBatches<T extends KubeObject>(
  perform: (call: Call) => Promise<ApiResponse>,
  call: Call,
): AsyncGenerator<readonly WatchEvent<T>[]> {
  const { status, body } = await perform(call)
  if (status >= 400 || (body.type !== 'events' && body.type !== 'stream')) throw asError({ status, headers: {}, body })
  const batches = body.type === 'events' ? body.events : decodeWatchFrames(body.chunks)
  for await (const batch of batches) {
    const errorAt = batch.findIndex(({ type }) => type === 'ERROR')
    const events = errorAt < 0 ? batch : batch.slice(0, errorAt)
    for (const { object } of events) deepFreeze(object)
    // What a watch tells of are objects of the resource.
    if (events.length > 0) yield events as readonly WatchEvent<T>[]
    const error = batch[errorAt]
    if (error) throw fromStatus(error.object as unknown as Status)
  }
}

async function* oneByOne<T>(batches: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const batch of batches) yield* batch
}

function objectOf(response: ApiResponse): unknown {
  throwFailure(response)
  return parsed(response)
}

function throwFailure(response: ApiResponse): void {
  if (response.status >= 400) throw asError(response)
}

function parsed({ body }: ApiResponse): unknown {
  if (body.type === 'object') return body.object
  if (body.type !== 'bytes') return undefined
  return deepFreeze(decodeTrustedJson(body.bytes instanceof Uint8Array ? body.bytes : Buffer.concat(body.bytes)))
}

function asError(response: ApiResponse): ApiError {
  try {
    const status = parsed(response)
    if (typeof status === 'object' && status !== null && 'kind' in status && status.kind === 'Status')
      return fromStatus(status as Status)
  } catch {
    // Not JSON: whatever answered is no API server; its status code is all there is.
  }
  return response.status >= 400
    ? new ApiError(response.status, '', `the server answered with status ${response.status} and no Status object`)
    : internalError('the server answered a watch with something else')
}

function collectionPath({ group, version, scope, resource }: ResourceAddress, namespace: string | undefined): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  return scope === 'Namespaced' && namespace !== undefined
    ? `${root}/namespaces/${encodeURIComponent(namespace)}/${resource}`
    : `${root}/${resource}`
}

function itemPath(
  definition: ResourceAddress,
  { namespace, name }: ObjectKey,
  subresource: string | undefined,
): string {
  const item = `${collectionPath(definition, namespace)}/${encodeURIComponent(name)}`
  return subresource === undefined ? item : `${item}/${subresource}`
}

function listQuery(request: ListRequest): Call['query'] {
  return {
    labelSelector: request.labelSelector,
    fieldSelector: request.fieldSelector,
    resourceVersion: request.resourceVersion,
    resourceVersionMatch: request.resourceVersionMatch,
    limit: request.limit?.toString(),
    continue: request.continueToken,
  }
}

function watchQuery(request: WatchRequest): Call['query'] {
  return {
    watch: 'true',
    labelSelector: request.labelSelector,
    fieldSelector: request.fieldSelector,
    resourceVersion: request.resourceVersion,
    timeoutSeconds: request.timeoutSeconds?.toString(),
    allowWatchBookmarks: request.allowBookmarks ? 'true' : undefined,
    sendInitialEvents: request.sendInitialEvents ? 'true' : undefined,
    resourceVersionMatch: request.sendInitialEvents ? 'NotOlderThan' : undefined,
  }
}

function writeQuery(request: WriteRequest | undefined): Call['query'] {
  return { fieldManager: request?.fieldManager, dryRun: request?.dryRun ? 'All' : undefined }
}

function deleteOptions(request: DeleteRequest): object {
  const preconditions =
    request.uid === undefined && request.resourceVersion === undefined
      ? undefined
      : { uid: request.uid, resourceVersion: request.resourceVersion }
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions,
    gracePeriodSeconds: request.gracePeriodSeconds,
    propagationPolicy: request.propagationPolicy,
    dryRun: request.dryRun ? ['All'] : undefined,
  }
}
