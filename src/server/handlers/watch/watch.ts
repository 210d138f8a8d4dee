/**
 * GET of a collection as a watch: frames as they happen, all that one turn of the event loop brought in one chunk, or
 * each as a message of the WebSocket that was asked for. A revision that is no longer kept is answered with an
 * ERROR event, as upstream does, so that clients list again.
 */

import { deadline } from '../../../base/deadline.ts'
import { isExpired, type Status, toStatus } from '../../../machinery/meta/api-error.ts'
import { apiVersionOf } from '../../../machinery/meta/group-version.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { ChunkSink } from '../../../machinery/wire/chunk.ts'
import type { ApiResponse, WatchEvent } from '../../../machinery/wire/message.ts'
import { isWebSocketUpgrade } from '../../../machinery/wire/websocket.ts'
import type { CachedObject } from '../../../watch/cached-object.ts'
import { bookmarkMetadata, type Delivery } from '../../../watch/event.ts'
import { type PushOptions, push } from '../../../watch/push.ts'
import type { Watcher } from '../../../watch/watcher.ts'
import type { Exchange } from '../exchange.ts'
import { isTrue } from '../flags.ts'
import { type Accepted, negotiate } from '../negotiate.ts'
import { integerParameter, selectorsOf } from '../options.ts'
import { messageOf, PROTOBUF_STREAM_TYPE } from '../protobuf-answers.ts'
import { errorFrame, watchFrames } from './watch-frames.ts'
import { eventsOverWebSocket } from './watch-websocket.ts'

/** A watch without a timeout of its own ends after 30 to 60 minutes, so that connections spread anew. In ms. */
const WATCH_MS_MIN = 30 * 60 * 1_000

export async function watch(exchange: Exchange): Promise<ApiResponse> {
  const { request, registry, target, clock, random } = exchange
  const { query } = request
  const protobuf = messageOf(registry.definition) !== undefined
  const accepted = request.wants === 'object' ? undefined : negotiate(request, { yaml: false, protobuf })
  const timeoutSeconds = integerParameter(query, 'timeoutSeconds') ?? 0
  const lifetimeMs = timeoutSeconds > 0 ? timeoutSeconds * 1_000 : WATCH_MS_MIN * (1 + random.next())
  const wish = {
    namespace: target.namespace,
    ...selectorsOf(query, registry.definition, target.name),
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    sendInitialEvents: query.has('sendInitialEvents') ? isTrue(query.get('sendInitialEvents')) : undefined,
    allowBookmarks: isTrue(query.get('allowWatchBookmarks')),
  }
  // From here on whatever fails drops it: a request that was refused does not abort its signal.
  const life = deadline(clock, lifetimeMs, request.signal)
  const started = registry.watch({ ...wish, signal: life.signal })
  const watcher = await started.catch((error: unknown) => {
    life[Symbol.dispose]()
    if (isExpired(error)) return error.status
    throw error
  })
  const deliveries = whileAlive(watcher, life)
  if (!accepted) return { status: 200, headers: {}, body: { type: 'events', events: asEvents(exchange, deliveries) } }
  const encodings = encodingsOf(exchange, accepted)
  const frames = asFrames(deliveries, encodings, accepted)
  if (isWebSocketUpgrade(request)) return eventsOverWebSocket(frames, accepted.format)
  const headers = { 'content-type': accepted.format === 'protobuf' ? PROTOBUF_STREAM_TYPE : 'application/json' }
  const body = { type: 'stream', chunks: asChunks(frames) } as const
  if ('kind' in watcher) return { status: 200, headers, body }
  const failure = (error: Error) => errorFrame(toStatus(error), accepted)
  const onEnd = () => life[Symbol.dispose]()
  const pushTo = (sink: ChunkSink) => void push(watcher, { encodings, failure, onEnd }, sink)
  return { status: 200, headers, body: { ...body, push: pushTo } }
}

type Batch = readonly Delivery[] | Status

/** The watcher's batches, then a Status when it failed. Leaving early ends the watcher. */
async function* whileAlive(watcher: Watcher | Status, life: Disposable): AsyncGenerator<Batch> {
  if ('kind' in watcher) return yield watcher
  try {
    for await (const batch of watcher) yield batch
  } catch (error) {
    yield toStatus(error)
  } finally {
    life[Symbol.dispose]()
  }
}

function encodingsOf(exchange: Exchange, accepted: Accepted): PushOptions['encodings'] {
  return { first: watchFrames(exchange, accepted, true), later: watchFrames(exchange, accepted, false) }
}

/** The frames of each batch. */
async function* asFrames(
  batches: AsyncIterable<Batch>,
  { first, later }: PushOptions['encodings'],
  accepted: Accepted,
): AsyncGenerator<readonly Uint8Array[]> {
  let encoding = first
  for await (const batch of batches) {
    if ('kind' in batch) yield [errorFrame(batch, accepted)]
    else {
      const frames: Uint8Array[] = []
      for (const delivery of batch) {
        frames.push(delivery.frame(encoding))
        encoding = later
      }
      yield frames
    }
  }
}

async function* asChunks(batches: AsyncIterable<readonly Uint8Array[]>): AsyncGenerator<Uint8Array> {
  for await (const frames of batches) yield Buffer.concat(frames)
}

async function* asEvents(
  { registry, request }: Exchange,
  batches: AsyncIterable<Batch>,
): AsyncGenerator<readonly WatchEvent<KubeObject>[]> {
  const { definition } = registry
  const names = { kind: definition.kind, apiVersion: apiVersionOf(definition) }
  const wantsMetadata = request.headers.accept !== undefined && negotiate(request).as === 'metadata'
  for await (const batch of batches) {
    if ('kind' in batch) yield [{ type: 'ERROR', object: batch }]
    else yield batch.map((delivery) => asEvent(delivery, names, wantsMetadata))
  }
}

interface Names {
  readonly kind: string
  readonly apiVersion: string
}

function asEvent(delivery: Delivery, names: Names, wantsMetadata: boolean): WatchEvent<KubeObject> {
  if (delivery.type === 'BOOKMARK') {
    const { revision, initialEventsEnd } = delivery
    return { type: 'BOOKMARK', object: { ...names, metadata: bookmarkMetadata(revision, initialEventsEnd) } }
  }
  const { type, object } = delivery
  // Whole objects are shared by all who have them; one that is gone would be parsed for nobody but who forgets it now.
  return { type, object: type === 'DELETED' && wantsMetadata ? identityOf(object, names) : object.object() }
}

function identityOf({ namespace, name, uid, revision }: CachedObject, names: Names): KubeObject {
  const place = namespace === '' ? { name } : { name, namespace }
  return { ...names, metadata: { ...place, uid, resourceVersion: String(revision) } }
}
