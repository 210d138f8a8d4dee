/**
 * Answers. Stored bytes go out as they are; only protobuf, tables, metadata, YAML and readable JSON are made from
 * parsed objects. Callers in this process get the frozen objects and no bytes at all.
 */

import { once } from 'node:events'
import { constants, createGzip } from 'node:zlib'
import { PROTOBUF_TYPE } from '../../apis/protobuf-forms.ts'
import { deepFreeze } from '../../base/deep-freeze.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { encodeJson } from '../../machinery/wire/json.ts'
import type { ApiRequest, ApiResponse } from '../../machinery/wire/message.ts'
import { encodeYaml } from '../../machinery/wire/yaml.ts'
import type { Exchange } from './exchange.ts'
import type { EncodedBody } from './lists/list-body.ts'
import { type Accepted, negotiate, type Offer } from './negotiate.ts'
import { expectOne, partialMetadata } from './partial-metadata.ts'
import { messageOf, protobufObject, protobufValue } from './protobuf-answers.ts'
import { includeObject, type TableOptions, tableOf } from './table.ts'
import type { Shown } from './view.ts'

/** Bytes. Smaller bodies cost more to compress than to send; upstream's threshold. */
const GZIP_BYTES_MIN = 128 * 1024

/** Bytes that are compressed before the thread that does it reports: of a list, a few reports. */
const GZIP_CHUNK_BYTES = 64 * 1024

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
    return bytesResponse(request, status, protobufObject(view.kind, shown), PROTOBUF_TYPE)
  if (accepted.format === 'yaml' || accepted.pretty) return encodedResponse(request, status, shown.object(), accepted)
  return bytesResponse(request, status, shown.bytes, 'application/json')
}

export function tableOptions<T extends KubeObject>({ request, clock }: Exchange<T>, accepted: Accepted): TableOptions {
  return { include: includeObject(request.query), metaVersion: accepted.metaVersion, nowMs: clock.now() }
}

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

export function encodedResponse(
  request: ApiRequest,
  status: number,
  value: object,
  { format, pretty }: Accepted,
): Promise<ApiResponse> | ApiResponse {
  request.audit?.answers(() => value)
  if (format === 'protobuf') return bytesResponse(request, status, protobufValue(value), PROTOBUF_TYPE)
  if (format === 'yaml') return bytesResponse(request, status, encodeYaml(value), 'application/yaml')
  const bytes = pretty ? Buffer.from(JSON.stringify(value, undefined, 2)) : encodeJson(value)
  return bytesResponse(request, status, bytes, 'application/json')
}

function inProcess(request: ApiRequest, status: number, object: object): ApiResponse {
  request.audit?.answers(() => object)
  return { status, headers: {}, body: { type: 'object', object } }
}

/** As `inProcess`, for what is made when the caller looks at it: not everyone does. */
export function inProcessLater(request: ApiRequest, status: number, make: () => object): ApiResponse {
  request.audit?.answers(make)
  let made: object | undefined
  const body = {
    type: 'object',
    get object(): object {
      made ??= make()
      return made
    },
  } as const
  return { status, headers: {}, body }
}

function bytesResponse(
  request: ApiRequest,
  status: number,
  bytes: Uint8Array,
  contentType: string,
): Promise<ApiResponse> | ApiResponse {
  return bodyResponse(request, status, { type: 'bytes', bytes }, contentType)
}

export function bodyResponse(
  request: ApiRequest,
  status: number,
  body: EncodedBody,
  contentType: string,
): Promise<ApiResponse> | ApiResponse {
  const headers = { 'content-type': contentType }
  const { length } = body.type === 'bytes' ? body.bytes : body
  const compressible =
    length > GZIP_BYTES_MIN && /(?:^|[,\s])gzip(?:$|[,;\s])/.test(request.headers['accept-encoding'] ?? '')
  if (!compressible) return { status, headers, body }
  return compressed(status, headers, body.type === 'bytes' ? [body.bytes] : body.pieces)
}

async function compressed(
  status: number,
  headers: Readonly<Record<string, string>>,
  pieces: Iterable<Uint8Array>,
): Promise<ApiResponse> {
  const stream = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: GZIP_CHUNK_BYTES })
  const bytes: Uint8Array[] = []
  stream.on('data', (chunk: Uint8Array) => bytes.push(chunk))
  for (const piece of pieces) await new Promise((resolve) => stream.write(piece, resolve))
  await once(stream.end(), 'end')
  const encoded = { ...headers, 'content-encoding': 'gzip', vary: 'Accept-Encoding' }
  return { status, headers: encoded, body: { type: 'bytes', bytes } }
}
