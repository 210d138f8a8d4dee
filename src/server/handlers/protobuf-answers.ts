/** Stored objects in protobuf: encoded once per object, and remembered for as long as others ask for them. */

import { encodeProtobuf, PROTOBUF_TYPE, protobufEncoder } from '../../apis/protobuf-forms.ts'
import { assert } from '../../base/assert.ts'
import { LruMap } from '../../base/lru.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import type { KubeObject, ListMeta } from '../../machinery/meta/object.ts'
import { encodeProtobufFrame } from '../../machinery/wire/watch-frames.ts'
import { bookmarkMetadata, type FrameEncoding } from '../../watch/event.ts'
import type { Shown, ViewKind } from './view.ts'

/** Encoded objects that are kept. About 8 MB for ordinary pods. */
const MESSAGES_MAX = 4_000

/** By the bytes of the stored object, which are as unique as its revision. */
const messages = new LruMap<Uint8Array, Uint8Array>(MESSAGES_MAX)

/** The message of a built-in kind. Undefined for custom resources. */
export function messageOf({ schema }: Pick<ViewKind, 'schema'>): string | undefined {
  const { definition = '' } = schema
  return protobufEncoder.knows(definition) ? definition : undefined
}

export function protobufObject(kind: ViewKind, shown: Shown): Uint8Array {
  return protobufEncoder.envelope(apiVersionOf(kind), kind.kind, encoded(kind, shown))
}

export function protobufList(
  kind: ViewKind & { readonly listKind: string },
  metadata: ListMeta,
  items: readonly Shown[],
): Uint8Array {
  const list = protobufEncoder.list(
    metadata,
    items.map((item) => encoded(kind, item)),
  )
  return protobufEncoder.envelope(apiVersionOf(kind), kind.listKind, list)
}

/** Any object that says its kind: a Status, the metadata of an object. */
export function protobufValue(value: object): Uint8Array {
  const bytes = encodeProtobuf(value)
  assert(bytes, 'what is answered in protobuf has such a form')
  return bytes
}

export const PROTOBUF_STREAM_TYPE = `${PROTOBUF_TYPE};stream=watch`

export function protobufFrames(kind: ViewKind): FrameEncoding {
  const message = messageOf(kind)
  assert(message, 'only built-in kinds are watched in protobuf')
  const enveloped = (bytes: Uint8Array) => protobufEncoder.envelope(apiVersionOf(kind), kind.kind, bytes)
  return {
    name: `protobuf ${message}`,
    event: (type, object) => encodeProtobufFrame(type, enveloped(encoded(kind, object))),
    bookmark: (revision, initialEventsEnd) => {
      const metadata = bookmarkMetadata(revision, initialEventsEnd)
      return encodeProtobufFrame('BOOKMARK', enveloped(protobufEncoder.encode(message, { metadata })))
    },
  }
}

/** Each object as another that is made of it. */
export function transformedProtobufFrames(name: string, transform: (object: KubeObject) => object): FrameEncoding {
  return {
    name: `protobuf ${name}`,
    event: (type, object) => encodeProtobufFrame(type, protobufValue(transform(object.object()))),
    bookmark: (revision, initialEventsEnd) => {
      const metadata = bookmarkMetadata(revision, initialEventsEnd)
      return encodeProtobufFrame('BOOKMARK', protobufValue(transform({ metadata })))
    },
  }
}

function encoded(kind: ViewKind, shown: Shown): Uint8Array {
  const known = messages.get(shown.bytes)
  if (known) return known
  const message = messageOf(kind)
  assert(message, 'only built-in kinds are answered in protobuf')
  const bytes = protobufEncoder.encode(message, shown.object())
  messages.set(shown.bytes, bytes)
  return bytes
}
