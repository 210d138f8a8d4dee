/**
 * Answers. Stored bytes go out as they are; only protobuf, tables, metadata, YAML and readable JSON are made from
 * parsed objects. Callers in this process get the frozen objects and no bytes at all.
 */

import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import { PROTOBUF_TYPE } from '../../apis/protobuf-forms.ts'
import { deepFreeze } from '../../base/deep-freeze.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { encodeJson } from '../../machinery/wire/json.ts'
import type { ApiRequest, ApiResponse } from '../../machinery/wire/message.ts'
import { encodeYaml } from '../../machinery/wire/yaml.ts'
import { itemOffset } from '../registry/codec.ts'
import type { Listed } from '../registry/list.ts'
import type { Exchange } from './exchange.ts'
import { type Accepted, negotiate, type Offer } from './negotiate.ts'
import { expectList, expectOne, partialMetadata, partialMetadataList } from './partial-metadata.ts'
import { messageOf, protobufList, protobufObject, protobufValue } from './protobuf-answers.ts'
import { includeObject, type TableOptions, tableOf } from './table.ts'
import type { Shown } from './view.ts'

/** Bytes. Smaller bodies cost more to compress than to send; upstream's threshold. */
const GZIP_BYTES_MIN = 128 * 1024

/** Bytes that list items are gathered into per write. */
const LIST_CHUNK_BYTES = 256 * 1024

/** A single object, transformed as the caller wants it. */
export function objectResponse(exchange: Exchange, shown: Shown, status = 200): Promise<ApiResponse> | ApiResponse {
  const { request, registry, view } = exchange
  if (request.wants === 'object') return inProcess(request, status, shown.object())
  const accepted = negotiate(request, { protobuf: messageOf(view.kind) !== undefined })
  expectOne(accepted, view.kind)
  if (accepted.as === 'table') {
    const object = shown.object()
    const metadata = { resourceVersion: object.metadata.resourceVersion }
    const printed = view.columns ? { columns: view.columns } : registry.definition
    const table = tableOf(printed, [object], metadata, tableOptions(exchange, accepted))
    return encodedResponse(request, status, table, accepted)
  }
  if (accepted.as === 'metadata')
    return encodedResponse(request, status, partialMetadata(shown.object(), accepted.metaVersion), accepted)
  request.audit?.answers(() => shown.object())
  if (accepted.format === 'protobuf')
    return bytesResponse(request, status, [protobufObject(view.kind, shown)], PROTOBUF_TYPE)
  if (accepted.format === 'yaml' || accepted.pretty) return encodedResponse(request, status, shown.object(), accepted)
  return bytesResponse(request, status, [shown.bytes], 'application/json')
}

export function listResponse<T extends KubeObject>(
  exchange: Exchange<T>,
  { metadata, items }: Listed<T>,
): Promise<ApiResponse> | ApiResponse {
  const { request, registry } = exchange
  const { definition } = registry
  const names = { kind: definition.listKind, apiVersion: apiVersionOf(definition) }
  const objects = () => items.map((item) => item.object())
  if (request.wants === 'object') return inProcess(request, 200, deepFreeze({ ...names, metadata, items: objects() }))
  const accepted = negotiate(request, { protobuf: messageOf(definition) !== undefined })
  expectList(accepted, definition)
  const encoded = (object: object) => encodedResponse(request, 200, object, accepted)
  if (accepted.as === 'table')
    return encoded(tableOf(definition, objects(), metadata, tableOptions(exchange, accepted)))
  if (accepted.as === 'metadataList') return encoded(partialMetadataList(objects(), metadata, accepted.metaVersion))
  const whole = () => ({ ...names, metadata, items: objects().map(nameless) })
  request.audit?.answers(whole)
  if (accepted.format === 'protobuf')
    return bytesResponse(request, 200, [protobufList(definition, metadata, items)], PROTOBUF_TYPE)
  if (accepted.format === 'yaml' || accepted.pretty) return encoded(whole())
  const head = JSON.stringify({ ...names, metadata }).slice(0, -1)
  return bytesResponse(request, 200, listChunks(`${head},"items":[`, items, itemOffset(definition)), 'application/json')
}

export function tableOptions<T extends KubeObject>({ request, clock }: Exchange<T>, accepted: Accepted): TableOptions {
  return { include: includeObject(request.query), metaVersion: accepted.metaVersion, nowMs: clock.now() }
}

/** An item of a list, which says for all of them what they are. */
function nameless({ kind: _kind, apiVersion: _apiVersion, ...item }: KubeObject): object {
  return item
}

/** Items without kind and apiVersion, between their list's head and its end. */
function listChunks(head: string, items: readonly Shown[], offset: number): readonly Uint8Array[] {
  const chunks: Uint8Array[] = []
  let pieces: Uint8Array[] = [Buffer.from(head)]
  let bytes = 0
  for (const [index, item] of items.entries()) {
    const rest = item.bytes.subarray(offset)
    pieces.push(index === 0 ? OPEN : NEXT, rest)
    bytes += rest.length
    if (bytes < LIST_CHUNK_BYTES) continue
    chunks.push(Buffer.concat(pieces))
    pieces = []
    bytes = 0
  }
  pieces.push(END)
  chunks.push(Buffer.concat(pieces))
  return chunks
}

const OPEN = Buffer.from('{')
const NEXT = Buffer.from(',{')
const END = Buffer.from(']}')

/** An object without stored bytes, which has no table: the answer to a review, a TokenRequest. */
export function valueResponse(
  request: ApiRequest,
  status: number,
  value: object,
  offer: Offer = { transformations: false },
): Promise<ApiResponse> | ApiResponse {
  if (request.wants === 'object') return inProcess(request, status, deepFreeze(value))
  return encodedResponse(request, status, value, negotiate(request, offer))
}

function encodedResponse(
  request: ApiRequest,
  status: number,
  value: object,
  { format, pretty }: Accepted,
): Promise<ApiResponse> | ApiResponse {
  request.audit?.answers(() => value)
  if (format === 'protobuf') return bytesResponse(request, status, [protobufValue(value)], PROTOBUF_TYPE)
  if (format === 'yaml') return bytesResponse(request, status, [encodeYaml(value)], 'application/yaml')
  const bytes = pretty ? Buffer.from(JSON.stringify(value, undefined, 2)) : encodeJson(value)
  return bytesResponse(request, status, [bytes], 'application/json')
}

function inProcess(request: ApiRequest, status: number, object: object): ApiResponse {
  request.audit?.answers(() => object)
  return { status, headers: {}, body: { type: 'object', object } }
}

const compress = promisify(gzip)

function bytesResponse(
  request: ApiRequest,
  status: number,
  chunks: readonly Uint8Array[],
  contentType: string,
): Promise<ApiResponse> | ApiResponse {
  const headers = { 'content-type': contentType }
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  const compressible =
    length > GZIP_BYTES_MIN && /(?:^|[,\s])gzip(?:$|[,;\s])/.test(request.headers['accept-encoding'] ?? '')
  if (!compressible) return { status, headers, body: { type: 'bytes', bytes: chunks } }
  return compressed(status, headers, chunks)
}

async function compressed(
  status: number,
  headers: Readonly<Record<string, string>>,
  chunks: readonly Uint8Array[],
): Promise<ApiResponse> {
  const bytes = await compress(Buffer.concat(chunks), { level: constants.Z_BEST_SPEED })
  const encoded = { ...headers, 'content-encoding': 'gzip', vary: 'Accept-Encoding' }
  return { status, headers: encoded, body: { type: 'bytes', bytes } }
}
