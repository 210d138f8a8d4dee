/** How the events of a watch are written: stored bytes as they are, in protobuf, or each object as a table or its metadata. */

import type { Status } from '../../../machinery/meta/api-error.ts'
import { apiVersionOf } from '../../../machinery/meta/group-version.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import { encodeJson } from '../../../machinery/wire/json.ts'
import { encodeProtobufFrame, encodeWatchFrame } from '../../../machinery/wire/watch-frames.ts'
import { bookmarkMetadata, type FrameEncoding, jsonFrames } from '../../../watch/event.ts'
import type { Exchange } from '../exchange.ts'
import type { Accepted } from '../negotiate.ts'
import { partialMetadata } from '../partial-metadata.ts'
import { protobufFrames, protobufValue, transformedProtobufFrames } from '../protobuf-answers.ts'
import { tableOptions } from '../respond.ts'
import { tableOf } from '../table.ts'

/** `isFirst`: of the first event of a watch, which says what the columns of its tables are. */
export function watchFrames<T extends KubeObject>(
  exchange: Exchange<T>,
  accepted: Accepted,
  isFirst: boolean,
): FrameEncoding {
  const { definition } = exchange.registry
  const { as, format, metaVersion } = accepted
  const names = { kind: definition.kind, apiVersion: apiVersionOf(definition) }
  if (as === 'none') return format === 'protobuf' ? protobufFrames(definition) : jsonFrames(names)
  if (as === 'metadata' || as === 'metadataList') {
    const frames = format === 'protobuf' ? transformedProtobufFrames : transformedFrames
    return frames(`metadata ${metaVersion}`, (object) => partialMetadata(object, metaVersion))
  }
  const options = { ...tableOptions(exchange, accepted), describesColumns: isFirst }
  const form = `${isFirst ? 'described ' : ''}table ${options.metaVersion} ${options.include}`
  const name = `${form} ${definition.group} ${definition.version}`
  return transformedFrames(name, (object) => {
    const { resourceVersion } = object.metadata
    // The objects of this watch are of the exchange's definition; ages are those of the moment of encoding.
    return tableOf(definition, [object as T], { resourceVersion }, { ...options, nowMs: exchange.clock.now() })
  })
}

/** The frame of a failure: the last of a watch. */
export function errorFrame(status: Status, { format }: Accepted): Uint8Array {
  if (format === 'protobuf') return encodeProtobufFrame('ERROR', (writer) => writer.raw(protobufValue(status)))
  return encodeWatchFrame('ERROR', encodeJson(status))
}

function transformedFrames(name: string, transform: (object: KubeObject) => object): FrameEncoding {
  return {
    name,
    event: (type, object) => encodeWatchFrame(type, encodeJson(transform(object.object()))),
    bookmark: (revision, initialEventsEnd) => {
      const metadata = bookmarkMetadata(revision, initialEventsEnd)
      return encodeWatchFrame('BOOKMARK', encodeJson(transform({ metadata })))
    },
  }
}
