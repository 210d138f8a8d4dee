/**
 * One object of the watch cache: its final bytes and the few facts that lists, watches and indexes ask for. The
 * parsed object is made on demand and shared, frozen; only the most recently used ones are kept, because 100,000
 * parsed objects cost a second of garbage collection and 100,000 byte arrays next to nothing.
 */

import { deepFreeze } from '../base/deep-freeze.ts'
import { LruMap } from '../base/lru.ts'
import type { KubeObject } from '../machinery/meta/object.ts'
import type { Entry } from '../storage/storage.ts'

/** Parsed objects that a codec keeps. About 10 MB of heap for ordinary pods. */
const PARSED_OBJECTS_MAX = 500

export interface ObjectFacts {
  /** Where the object is stored. */
  readonly key: string
  /** Empty for cluster-scoped objects. */
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** The object's resourceVersion. */
  readonly revision: number
  readonly labels: Readonly<Record<string, string>>
  /** What field selectors may ask, by label; `metadata.name` and `metadata.namespace` included. */
  readonly fields: Readonly<Record<string, string>>
  readonly ownerUids?: readonly string[] | undefined
  /** Canonical JSON, resourceVersion included: what GET answers. */
  readonly bytes: Uint8Array
}

export interface CachedObject extends ObjectFacts {
  /** Frozen all the way down and shared: never change it. */
  object(): KubeObject
}

/** Between stored entries and cached objects; the registry has one per resource. */
export interface ObjectCodec {
  /** `entry.modified` becomes the resourceVersion. */
  decode(entry: Entry): CachedObject
  /** The same state under another revision: what `decode` would answer for its bytes. Absent: they are decoded. */
  restamped?(object: CachedObject, revision: number): CachedObject
}

/** `object`: what the bytes parse to, frozen, where somebody has it already. */
export type CachedObjectFactory = (facts: ObjectFacts, object?: KubeObject) => CachedObject

/** Makes cached objects that share one set of recently parsed objects. */
export function cachedObjectFactory(parsedMax = PARSED_OBJECTS_MAX): CachedObjectFactory {
  const parsed = new LruMap<Uint8Array, KubeObject>(parsedMax)
  return (facts, object) => {
    if (object) parsed.set(facts.bytes, object)
    return { ...facts, object: () => parsedOnce(parsed, facts.bytes) }
  }
}

function parsedOnce(parsed: LruMap<Uint8Array, KubeObject>, bytes: Uint8Array): KubeObject {
  const known = parsed.get(bytes)
  if (known) return known
  // The bytes were written by the codec from an object of this shape.
  const object = deepFreeze(
    JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) as KubeObject,
  )
  parsed.set(bytes, object)
  return object
}
