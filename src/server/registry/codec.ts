/**
 * Between objects and bytes. An object is stored in its final form, but for the resourceVersion, which is the
 * revision of the write and therefore spliced in when it is read:
 *
 *   stored   1⏎{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web",…},"spec":…}
 *   answered {"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"42","name":"web",…},"spec":…}
 *   in lists {"metadata":{"resourceVersion":"42","name":"web",…},"spec":…}
 *
 * The first line is the stamp of the version and schema it was written under. What was written under another one, or
 * is served in another version than it is stored in, is decoded, converted and encoded anew.
 */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { assert } from '../../base/assert.ts'
import { deepFreeze } from '../../base/deep-freeze.ts'
import { isRecord } from '../../base/is-record.ts'
import { joinKept, TextBlocks } from '../../base/kept-bytes.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import type { KubeObject, ObjectKey, ObjectMeta } from '../../machinery/meta/object.ts'
import { sharedFact } from '../../machinery/schema/shared.ts'
import type { Entry } from '../../storage/storage.ts'
import {
  type CachedObject,
  cachedObjectFactory,
  type ObjectCodec,
  type ObjectFacts,
  RestampedObject,
} from '../../watch/cached-object.ts'
import { storageKey } from './object-key.ts'

/** An object of the API with its bytes, typed. */
export interface Stored<T extends KubeObject = KubeObject> extends CachedObject {
  object(): T
  parsed?(): T | undefined
}

export function keyOfStored({ namespace, name }: Stored): ObjectKey {
  return namespace === '' ? { name } : { namespace, name }
}

export interface RegistryCodec<T extends KubeObject> extends ObjectCodec {
  decode(entry: Entry): Stored<T>
  /** What is put into the storage. */
  encode(object: T): Uint8Array
  /** The object as it would be, without going through storage: a dry run, a last state. 0: it has no revision. */
  stored(object: T, revision: number): Stored<T>
  /** The object once `value`, which `encode` made of it, has been written at `revision`. */
  written(object: T, value: Uint8Array, revision: number): Stored<T>
  /** What an object that is stored was read from. Absent: its stored form is another one. */
  readonly valueOf?: ((live: Stored<T>) => () => Uint8Array) | undefined
  restamped(object: CachedObject, revision: number): Stored<T>
  /** An object that this codec has made, by its type. */
  typed(object: CachedObject): Stored<T>
}

/** The stamp of definitions that carry none. */
const BUILT_IN_STAMP = '1'
/** The stamp of what was converted before it was stored: nobody's, so that its reader looks at it anew. */
const CONVERTED_STAMP = '0'
const NEWLINE = 0x0a
const NO_BYTES = new Uint8Array()

/** Of all resources together: the storage lets what was written go in the order in which it came. */
const values = new TextBlocks()

export function createCodec<T extends KubeObject>(definition: ResourceDefinition<T>): RegistryCodec<T> {
  const { conversion, schemaStamp } = definition
  const stamp = Buffer.from(`${schemaStamp ?? BUILT_IN_STAMP}\n`)
  /** A custom resource that is stored in another version: what is lost on the way there and back is lost at once. */
  const roundTrips = schemaStamp !== undefined && conversion?.toStored !== undefined
  const written = roundTrips ? `${CONVERTED_STAMP}\n` : stamp.toString()
  const names = { kind: definition.kind, apiVersion: apiVersionOf(definition) }
  const headText = headOf(names)
  const head = Buffer.from(headText)
  const cached = cachedObjectFactory()
  const restamping = {
    bytes: (object: CachedObject, revision: number) => respliced(object, head, revision),
    object: (object: CachedObject, revision: number) => versioned(names, object.object(), revision),
  }
  const drafts = new Drafts<T>()

  // This codec and no other fills the cache that such an object comes from.
  const typed = (object: CachedObject): Stored<T> => object as Stored<T>
  const toStored = (object: T): KubeObject => conversion?.toStored?.(object) ?? object
  /** What the stored bytes say today, in the current schema and version. Without a conversion they are of this type. */
  const current = (object: KubeObject): T => (conversion ? conversion.fromStored(object) : (object as T))
  const encodeWire = (object: T, revision: number) => spliced(Buffer.from(jsonOf(headText, object)), head, revision)
  const afresh = (json: Uint8Array, object: T, revision: number, key: string | undefined): Stored<T> => {
    // It bears the names of the definition, whose type it is.
    const frozen = versioned(names, object, revision) as T
    return typed(cached(factsOf(definition, frozen, revision, spliced(json, head, revision), key), frozen))
  }
  const drafted = (value: Uint8Array, json: Uint8Array, revision: number, key?: string): Stored<T> | undefined =>
    drafts.take(value, revision, (object) => afresh(json, object, revision, key))
  const stored = (incoming: T, revision: number): Stored<T> => {
    const object = roundTrips ? current(toStored(incoming)) : incoming
    const { resourceVersion: _, ...metadata } = object.metadata
    const version = revision === 0 ? {} : { resourceVersion: String(revision) }
    const frozen = deepFreeze({ ...object, ...names, metadata: { ...metadata, ...version } })
    const facts = factsOf(definition, frozen, revision, NO_BYTES)
    return withBytes({ ...facts, object: () => frozen }, () => encodeWire(object, revision))
  }
  return {
    decode({ key, value, modified }) {
      const end = value.indexOf(NEWLINE)
      assert(end >= 0, 'a stored object has no stamp')
      const json = value.subarray(end + 1)
      const known = drafted(value, json, modified, key)
      if (known) return known
      const stale = !stamp.equals(value.subarray(0, end + 1))
      const asStored = !stale && (schemaStamp !== undefined || !conversion)
      const object = asStored ? (parse(json) as T) : current(parse(json))
      const bytes = asStored ? spliced(json, head, modified) : encodeWire(object, modified)
      return typed(cached(factsOf(definition, object, modified, bytes, key)))
    },
    restamped: (object, revision) => typed(new RestampedObject(object, revision, restamping)),
    encode(object) {
      const own = toStored(object)
      const value = values.bytesOf(`${written}${jsonOf(conversion?.toStored ? headOf(own) : headText, own)}`)
      if (!conversion) drafts.keep(value, object)
      return value
    },
    stored,
    written: (object, value, revision) =>
      drafted(value, value.subarray(stamp.length), revision) ?? stored(object, revision),
    valueOf: conversion ? undefined : (live) => () => joinKept([stamp, ...unspliced(live, head)]),
    typed,
  }
}

/** The last state of what is deleted is seldom answered: its bytes are made when they are asked for. */
function withBytes<T extends KubeObject>(stored: Stored<T>, make: () => Uint8Array): Stored<T> {
  let bytes: Uint8Array | undefined
  return {
    ...stored,
    get bytes() {
      bytes ??= make()
      return bytes
    },
  }
}

/** The object that was encoded, and what it has become once somebody has asked. */
interface Draft<T extends KubeObject> {
  readonly object: T
  stored?: Stored<T>
}

/** What has just been encoded and is about to be asked for, by its bytes: by who wrote it, and by the watch cache. */
class Drafts<T extends KubeObject> {
  readonly #drafts = new WeakMap<Uint8Array, Draft<T>>()

  keep(value: Uint8Array, object: T): void {
    this.#drafts.set(value, { object })
  }

  /** Undefined: these bytes are no draft, or have been asked for twice, or at another revision. */
  take(value: Uint8Array, revision: number, make: (object: T) => Stored<T>): Stored<T> | undefined {
    const draft = this.#drafts.get(value)
    if (draft === undefined) return undefined
    if (draft.stored) this.#drafts.delete(value)
    draft.stored ??= make(draft.object)
    const { stored } = draft
    return stored.revision === revision ? stored : undefined
  }
}

/** One for all objects that have none. */
const UNLABELLED: Readonly<Record<string, string>> = Object.freeze({})

/** `key`: the storage's own text of it, where there is one: nobody needs it twice. */
function factsOf<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  object: T,
  revision: number,
  bytes: Uint8Array,
  key?: string,
): ObjectFacts {
  const { metadata } = object
  const namespace = metadata.namespace ?? ''
  const name = metadata.name ?? ''
  const own = namespace === '' ? { 'metadata.name': name } : { 'metadata.name': name, 'metadata.namespace': namespace }
  return {
    key: key ?? storageKey(definition, { namespace, name }),
    namespace,
    name,
    uid: metadata.uid ?? '',
    revision,
    labels: metadata.labels ?? UNLABELLED,
    fields: { ...own, ...definition.fields(object) },
    ownerUids: metadata.ownerReferences?.map(({ uid }) => uid),
    finalizers: metadata.finalizers,
    bytes,
  }
}

type Names = Pick<KubeObject, 'kind' | 'apiVersion'>

/** Up to and with the brace that opens the metadata. */
function headOf({ kind = '', apiVersion = '' }: Names): string {
  return `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":{`
}

/** Written piece by piece, because a top-level key that looks like a number would come first in an object. */
function jsonOf(head: string, object: KubeObject): string {
  const { metadata } = object
  const text = JSON.stringify(metadata.resourceVersion === undefined ? metadata : withoutVersion(metadata))
  return `${head}${text.slice(1)}${tailOf(object)}`
}

function withoutVersion({ resourceVersion: _, ...kept }: ObjectMeta): ObjectMeta {
  return kept
}

/** What follows the metadata. The texts of shared values are put in as they are known. */
function tailOf<T extends KubeObject>(object: T): string {
  let text = ''
  for (const key in object) {
    if (HEAD_MEMBERS.has(key)) continue
    const value: unknown = object[key]
    const written: string | undefined = isRecord(value) ? textOf(value) : JSON.stringify(value)
    if (written !== undefined) text += `,${JSON.stringify(key)}:${written}`
  }
  return `${text}}`
}

const HEAD_MEMBERS: ReadonlySet<string> = new Set(['kind', 'apiVersion', 'metadata'])

const textOf = sharedFact((value: object): string => JSON.stringify(value))

/** The object as it is answered at a revision. */
function versioned(names: Names, object: KubeObject, revision: number): KubeObject {
  const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = object
  const own = { ...metadata, resourceVersion: String(revision) }
  return deepFreeze({ ...names, metadata: own, ...rest })
}

/** The bytes of an object with another resourceVersion in place of its own. */
function respliced(object: CachedObject, head: Buffer, revision: number): Uint8Array {
  const [first, rest] = unspliced(object, head)
  return joinKept([first, versionMember(revision), rest])
}

/** The two parts of an object's bytes between which its resourceVersion stands. */
function unspliced({ bytes, revision }: CachedObject, head: Buffer): readonly [Uint8Array, Uint8Array] {
  return [head, bytes.subarray(head.length + versionMember(revision).length)]
}

/** The metadata always goes on after the splice: every object has a name. Revision 0: there is none to splice in. */
function spliced(json: Uint8Array, head: Buffer, revision: number): Uint8Array {
  if (revision === 0) return json
  return joinKept([head, versionMember(revision), json.subarray(head.length)])
}

function versionMember(revision: number): Buffer {
  return Buffer.from(`"resourceVersion":"${revision}",`)
}

/** How many bytes of an answered object stand before `"metadata"`: an item of a list is `{` and what follows them. */
export function itemOffset<T extends KubeObject>(definition: ResourceDefinition<T>): number {
  return (
    Buffer.byteLength(headOf({ kind: definition.kind, apiVersion: apiVersionOf(definition) })) - '"metadata":{'.length
  )
}

function parse(json: Uint8Array): KubeObject {
  // What is stored was written by `encode`.
  return JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.length).toString()) as KubeObject
}
