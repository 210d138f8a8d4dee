/** Stored objects in protobuf: encoded once per object, and remembered as long as the object is. */

import { encodeProtobuf, PROTOBUF_TYPE, protobufEncoder } from '../../apis/protobuf-forms.ts'
import { assert } from '../../base/assert.ts'
import { LruMap } from '../../base/lru.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import type { KubeObject, ListMeta } from '../../machinery/meta/object.ts'
import type { WatchEventType } from '../../machinery/wire/message.ts'
import {
  ENVELOPE_TAIL,
  listItemLength,
  writeEnvelope,
  writeEnvelopeHead,
  writeListItem,
} from '../../machinery/wire/protobuf-encode.ts'
import { encodeProtobufFrame } from '../../machinery/wire/watch-frames.ts'
import { bookmarkMetadata, type FrameEncoding } from '../../watch/event.ts'
import { glance } from './lists/glance.ts'
import { KeptForms } from './lists/kept-forms.ts'
import { type EncodedBody, listBody } from './lists/list-body.ts'
import type { Shown, ViewKind } from './view.ts'

/** Bytes of all messages that are kept together: of some forty thousand ordinary pods. */
const MESSAGES_BYTES_MAX = 64 * 1024 * 1024

/** Heads of some 40 bytes that a watch keeps while it is told what is there. */
const HEADS_MAX = 100

const messages = new KeptForms<Uint8Array>(MESSAGES_BYTES_MAX)

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
): EncodedBody {
  const message = messageNamed(kind)
  const messages = items.map((item) => encodedAtAGlance(message, item))
  const bytes = messages.reduce((sum, { length }) => sum + listItemLength(length), 0)
  return listBody(messages, {
    head: protobufEncoder.listHead(apiVersionOf(kind), kind.listKind, metadata, bytes),
    separator: Buffer.alloc(0),
    tail: ENVELOPE_TAIL,
    lengthOf: ({ length }) => listItemLength(length),
    write: writeListItem,
  })
}

/** Any object that says its kind: a Status, the metadata of an object. */
export function protobufValue(value: object): Uint8Array {
  const bytes = encodeProtobuf(value)
  assert(bytes, 'what is answered in protobuf has such a form')
  return bytes
}

export const PROTOBUF_STREAM_TYPE = `${PROTOBUF_TYPE};stream=watch`

export function protobufFrames(kind: ViewKind): FrameEncoding {
  const message = messageNamed(kind)
  const apiVersion = apiVersionOf(kind)
  const frame = (type: WatchEventType, bytes: Uint8Array) =>
    encodeProtobufFrame(type, (writer) => writeEnvelope(writer, apiVersion, kind.kind, bytes))
  const initialHeads = headsByLength((length) =>
    encodeProtobufFrame(
      'ADDED',
      (writer) => writeEnvelopeHead(writer, apiVersion, kind.kind, length),
      length + ENVELOPE_TAIL.length,
    ),
  )
  return {
    name: `protobuf ${message}`,
    event: (type, object) => frame(type, encoded(kind, object)),
    initial(object) {
      const bytes = encodedAtAGlance(message, object)
      return [initialHeads(bytes.length), bytes, ENVELOPE_TAIL]
    },
    bookmark: (revision, initialEventsEnd) => {
      const metadata = bookmarkMetadata(revision, initialEventsEnd)
      return frame('BOOKMARK', protobufEncoder.encode(message, { metadata }))
    },
  }
}

/** Each object as another that is made of it. */
export function transformedProtobufFrames(name: string, transform: (object: KubeObject) => object): FrameEncoding {
  const frame = (type: WatchEventType, value: object) =>
    encodeProtobufFrame(type, (writer) => writer.raw(protobufValue(value)))
  return {
    name: `protobuf ${name}`,
    event: (type, object) => frame(type, transform(object.object())),
    bookmark: (revision, initialEventsEnd) => {
      const metadata = bookmarkMetadata(revision, initialEventsEnd)
      return frame('BOOKMARK', transform({ metadata }))
    },
  }
}

function encoded(kind: ViewKind, shown: Shown): Uint8Array {
  return remembered(shown.bytes, () => protobufEncoder.encode(messageNamed(kind), shown.object()))
}

/** Heads that differ by the length of what follows: of many objects there are few. */
function headsByLength(make: (length: number) => Uint8Array): (length: number) => Uint8Array {
  const heads = new LruMap<number, Uint8Array>(HEADS_MAX)
  return (length) => {
    const known = heads.get(length)
    if (known) return known
    const head = make(length)
    heads.set(length, head)
    return head
  }
}

/** Of one among many: parsed for nobody else. */
function encodedAtAGlance(message: string, shown: Shown): Uint8Array {
  return remembered(shown.bytes, () => protobufEncoder.encode(message, shown.parsed?.() ?? glance(shown.bytes)))
}

function remembered(object: Uint8Array, encode: () => Uint8Array): Uint8Array {
  const known = messages.get(object)
  if (known) return known
  const bytes = encode()
  messages.keep(object, bytes, bytes.length)
  return bytes
}

function messageNamed(kind: ViewKind): string {
  const message = messageOf(kind)
  assert(message, 'only built-in kinds are answered in protobuf')
  return message
}
