/**
 * One object of the watch cache: its final bytes and the few facts that lists, watches and indexes ask for. The
 * parsed object is made on demand and shared, frozen, while anybody has it, such as an informer in this process; only
 * those made last are kept for nobody, because 100,000 parsed objects cost a second of garbage collection and 100,000
 * byte arrays next to nothing.
 */

import { deepFreeze } from '../base/deep-freeze.ts'
import type { KubeObject } from '../machinery/meta/object.ts'
import type { Entry } from '../storage/storage.ts'

/** Parsed objects that a codec keeps, whoever else has them. About 10 MB of heap for ordinary pods. */
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
  readonly finalizers?: readonly string[] | undefined
  /** Canonical JSON, resourceVersion included: what GET answers. */
  readonly bytes: Uint8Array
}

export interface CachedObject extends ObjectFacts {
  /** Frozen all the way down and shared: never change it. */
  object(): KubeObject
  /** The same, where somebody has it already. */
  parsed?(): KubeObject | undefined
}

/** Between stored entries and cached objects; the registry has one per resource. */
export interface ObjectCodec {
  /** `entry.modified` becomes the resourceVersion. */
  decode(entry: Entry): CachedObject
  /** The same state under another revision: what `decode` would answer for its bytes. Absent: they are decoded. */
  restamped?(object: CachedObject, revision: number): CachedObject
}

/** How an object is made for another revision than its own. */
interface Restamping {
  bytes(object: CachedObject, revision: number): Uint8Array
  /** Frozen. */
  object(object: CachedObject, revision: number): KubeObject
}

/** What both kinds of cached objects know without their bytes. */
class KnownFacts {
  readonly key: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly revision: number
  readonly labels: Readonly<Record<string, string>>
  readonly fields: Readonly<Record<string, string>>
  readonly ownerUids: readonly string[] | undefined
  readonly finalizers: readonly string[] | undefined

  constructor(facts: Omit<ObjectFacts, 'bytes' | 'revision'>, revision: number) {
    this.key = facts.key
    this.namespace = facts.namespace
    this.name = facts.name
    this.uid = facts.uid
    this.revision = revision
    this.labels = facts.labels
    this.fields = facts.fields
    this.ownerUids = facts.ownerUids
    this.finalizers = facts.finalizers
  }
}

/**
 * An object under another revision. Its bytes, and what they parse to, are made when somebody asks: of what is gone
 * most want to know no more than that.
 */
export class RestampedObject extends KnownFacts implements CachedObject {
  readonly #before: CachedObject
  readonly #restamping: Restamping
  #bytes: Uint8Array | undefined
  /** Weak, as many of these wait in the windows of watches; making it anew costs little while the one before is there. */
  #object: WeakRef<KubeObject> | undefined

  constructor(before: CachedObject, revision: number, restamping: Restamping) {
    super(before, revision)
    this.#before = before
    this.#restamping = restamping
  }

  get bytes(): Uint8Array {
    this.#bytes ??= this.#restamping.bytes(this.#before, this.revision)
    return this.#bytes
  }

  /** In bytes, give or take a digit of the revision. */
  get size(): number {
    return this.#before.bytes.length
  }

  object(): KubeObject {
    const known = this.#object?.deref()
    if (known) return known
    const made = this.#restamping.object(this.#before, this.revision)
    this.#object = new WeakRef(made)
    return made
  }
}

/** `object`: what the bytes parse to, frozen, where somebody has it already. */
export type CachedObjectFactory = (facts: ObjectFacts, object?: KubeObject) => CachedObject

/** About how many bytes the object has. Always the same; none are made for it. */
export function sizeOf(object: CachedObject): number {
  return object instanceof RestampedObject ? object.size : object.bytes.length
}

/** Makes cached objects that share one ring of the objects that were parsed last. */
export function cachedObjectFactory(parsedMax = PARSED_OBJECTS_MAX): CachedObjectFactory {
  const ring = new ParsedRing(parsedMax)
  return (facts, object) => new OrdinaryObject(facts, ring, object)
}

class ParsedRing {
  readonly #objects: KubeObject[] = []
  readonly #objectsMax: number
  #place = 0

  constructor(objectsMax: number) {
    this.#objectsMax = objectsMax
  }

  keep(object: KubeObject): WeakRef<KubeObject> {
    this.#objects[this.#place] = object
    this.#place = (this.#place + 1) % this.#objectsMax
    return new WeakRef(object)
  }
}

/** A class and no closures: there is one for each object that is stored. */
class OrdinaryObject extends KnownFacts implements CachedObject {
  readonly bytes: Uint8Array
  readonly #ring: ParsedRing
  /** Bytes never change, so there is nothing that could become old. */
  #parsed: WeakRef<KubeObject> | undefined

  constructor(facts: ObjectFacts, ring: ParsedRing, object: KubeObject | undefined) {
    super(facts, facts.revision)
    this.bytes = facts.bytes
    this.#ring = ring
    // Whoever has the object keeps it here too.
    this.#parsed = object && ring.keep(object)
  }

  object(): KubeObject {
    const known = this.#parsed?.deref()
    if (known) return known
    const made = parse(this.bytes)
    this.#parsed = this.#ring.keep(made)
    return made
  }

  parsed(): KubeObject | undefined {
    return this.#parsed?.deref()
  }
}

function parse(bytes: Uint8Array): KubeObject {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
  // The bytes were written by the codec from an object of this shape.
  return deepFreeze(JSON.parse(text) as KubeObject)
}
