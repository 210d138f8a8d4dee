/**
 * What happened to one object, and what a watcher is told about it. A change is one `CacheEvent`; by the selection
 * of a watcher it becomes one of at most three deliveries, which all watchers share: a frame is encoded once per
 * delivery and encoding, however many watchers there are.
 */

import type { ObjectMeta } from '../machinery/meta/object.ts'
import { encodeWatchFrame, watchFrameParts } from '../machinery/wire/watch-frames.ts'
import type { Change, Entry } from '../storage/storage.ts'
import type { CachedObject, ObjectCodec } from './cached-object.ts'

export type DeliveryType = 'ADDED' | 'MODIFIED' | 'DELETED'

/** How events go over the wire. `name` tells encodings apart: equal names must give equal frames. */
export interface FrameEncoding {
  readonly name: string
  event(type: DeliveryType, object: CachedObject): Uint8Array
  /**
   * The ADDED of an object that is there, as parts that stand one behind the other: of many objects they are copied once,
   * into one chunk.
   */
  initial?(object: CachedObject): readonly Uint8Array[]
  bookmark(revision: number, initialEventsEnd: boolean): Uint8Array
}

export interface ObjectDelivery {
  readonly type: DeliveryType
  readonly revision: number
  readonly object: CachedObject
  /** The encoded event; the same bytes for every watcher. */
  frame(encoding: FrameEncoding): Uint8Array
}

/** Everything up to `revision` has been delivered. */
export interface BookmarkDelivery {
  readonly type: 'BOOKMARK'
  readonly revision: number
  /** The bookmark that closes the initial events. */
  readonly initialEventsEnd: boolean
  frame(encoding: FrameEncoding): Uint8Array
}

export type Delivery = ObjectDelivery | InitialDelivery | BookmarkDelivery

export interface CacheEvent {
  readonly type: DeliveryType
  readonly revision: number
  /** The object after the change; for a deletion its last state with the deletion's resourceVersion. */
  readonly object: CachedObject
  /** The object before the change. */
  readonly previous: CachedObject | undefined
  /** What watchers are told that saw the object before and after. */
  plain(): ObjectDelivery
  /** For watchers whose selection the object entered. */
  entered(): ObjectDelivery
  /** For watchers whose selection it left: the last matching state with this change's resourceVersion. */
  left(): ObjectDelivery
}

/** `before` is the object before the change. Undefined when the change left nothing to tell. */
export function toCacheEvent(
  { revision, key, value, previous, created }: Change,
  before: CachedObject | undefined,
  codec: ObjectCodec,
): CacheEvent | undefined {
  const lastState = previous && (() => lastStateOf(previous, before, revision, codec))
  const object = value === undefined ? lastState?.() : codec.decode({ key, value, created, modified: revision })
  if (!object) return undefined
  const type = value === undefined ? 'DELETED' : (previous ?? before) ? 'MODIFIED' : 'ADDED'
  return new ChangeEvent(type, object, before, value === undefined ? undefined : lastState)
}

/** Makes each of its deliveries when the first watcher is told of it: most changes have one, and many have none. */
class ChangeEvent implements CacheEvent {
  readonly type: DeliveryType
  readonly revision: number
  readonly object: CachedObject
  readonly previous: CachedObject | undefined
  readonly #lastState: (() => CachedObject) | undefined
  #plain: ObjectDelivery | undefined
  #entered: ObjectDelivery | undefined
  #left: ObjectDelivery | undefined

  /** `lastState`: what was there before, under the event's revision. */
  constructor(
    type: DeliveryType,
    object: CachedObject,
    previous: CachedObject | undefined,
    lastState: (() => CachedObject) | undefined,
  ) {
    this.type = type
    this.revision = object.revision
    this.object = object
    this.previous = previous
    this.#lastState = lastState
  }

  plain(): ObjectDelivery {
    this.#plain ??= delivery(this.type, this.object)
    return this.#plain
  }

  entered(): ObjectDelivery {
    if (this.type === 'ADDED') return this.plain()
    this.#entered ??= delivery('ADDED', this.object)
    return this.#entered
  }

  left(): ObjectDelivery {
    if (this.type === 'DELETED') return this.plain()
    this.#left ??= delivery('DELETED', this.#lastState?.() ?? this.object)
    return this.#left
  }
}

/** What was there before a change, under the change's revision. */
function lastStateOf(
  previous: Entry,
  before: CachedObject | undefined,
  revision: number,
  codec: ObjectCodec,
): CachedObject {
  const isKnown = before !== undefined && before.revision === previous.modified
  const known = isKnown ? codec.restamped?.(before, revision) : undefined
  if (known) return known
  const { key, value, created } = previous
  return codec.decode({ key, value, created, modified: revision })
}

export function delivery(type: DeliveryType, object: CachedObject): ObjectDelivery {
  return new EncodedOnce(type, object)
}

class EncodedOnce implements ObjectDelivery {
  readonly type: DeliveryType
  readonly object: CachedObject
  /** By the names of their encodings. Watchers in this process need none. */
  #frames: Map<string, Uint8Array> | undefined

  constructor(type: DeliveryType, object: CachedObject) {
    this.type = type
    this.object = object
  }

  get revision(): number {
    return this.object.revision
  }

  frame(encoding: FrameEncoding): Uint8Array {
    const known = this.#frames?.get(encoding.name)
    if (known) return known
    const bytes = encoding.event(this.type, this.object)
    this.#frames ??= new Map()
    this.#frames.set(encoding.name, bytes)
    return bytes
  }
}

/** Of an object that is there: its frames are not kept, as the state that it is part of is as large as the resource. */
export class InitialDelivery implements ObjectDelivery {
  readonly type = 'ADDED'
  readonly object: CachedObject

  constructor(object: CachedObject) {
    this.object = object
  }

  get revision(): number {
    return this.object.revision
  }

  frame(encoding: FrameEncoding): Uint8Array {
    return Buffer.concat(this.parts(encoding))
  }

  parts(encoding: FrameEncoding): readonly Uint8Array[] {
    return encoding.initial?.(this.object) ?? [encoding.event('ADDED', this.object)]
  }
}

export function bookmark(revision: number, initialEventsEnd = false): BookmarkDelivery {
  const frame = (encoding: FrameEncoding): Uint8Array => encoding.bookmark(revision, initialEventsEnd)
  return { type: 'BOOKMARK', revision, initialEventsEnd, frame }
}

/** The annotation by which a client knows that it has seen everything there was. */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'

/** What the object of a bookmark says. */
export function bookmarkMetadata(revision: number, initialEventsEnd: boolean): ObjectMeta {
  const annotations = initialEventsEnd ? { annotations: { [INITIAL_EVENTS_END]: 'true' } } : {}
  return { resourceVersion: String(revision), ...annotations }
}

/** Plain JSON frames: the object's bytes between a head and a line feed, never parsed. */
export function jsonFrames({
  apiVersion,
  kind,
}: {
  readonly apiVersion: string
  readonly kind: string
}): FrameEncoding {
  return {
    name: `json ${apiVersion} ${kind}`,
    event: (type, object) => encodeWatchFrame(type, object.bytes),
    initial: (object) => watchFrameParts('ADDED', object.bytes),
    bookmark: (revision, initialEventsEnd) => {
      const metadata = bookmarkMetadata(revision, initialEventsEnd)
      return encodeWatchFrame('BOOKMARK', Buffer.from(JSON.stringify({ kind, apiVersion, metadata })))
    },
  }
}
