/** A failure Status as a response: in the form that the caller wants, as an object to callers in this process. */

import { encodeProtobuf, PROTOBUF_TYPE } from '../../apis/protobuf-forms.ts'
import { type ApiError, internalError, type Status } from '../../machinery/meta/api-error.ts'
import { preferredType } from '../../machinery/wire/content-type.ts'
import { encodeJson } from '../../machinery/wire/json.ts'
import type { ApiRequest, ApiResponse } from '../../machinery/wire/message.ts'
import { encodeYaml } from '../../machinery/wire/yaml.ts'
import { withoutMarkup } from '../auth/texts.ts'

const JSON_TYPE = 'application/json'
const ENCODINGS: ReadonlyMap<string, (status: Status) => Uint8Array | undefined> = new Map([
  [JSON_TYPE, encodeJson],
  ['application/yaml', encodeYaml],
  [PROTOBUF_TYPE, encodeProtobuf],
])

const ENCODING_TYPES = [...ENCODINGS.keys()]

/** Without a request, for what failed before there was one, the answer is JSON. */
export function failureResponse(
  status: Status,
  request?: Pick<ApiRequest, 'headers' | 'wants' | 'audit'>,
): ApiResponse {
  request?.audit?.answersStatus(status)
  const accepted = preferredType(request?.headers.accept, ENCODING_TYPES) ?? JSON_TYPE
  const encoded = ENCODINGS.get(accepted)?.(status)
  const headers: Record<string, string> = { 'content-type': encoded ? accepted : JSON_TYPE }
  const retryAfter = status.details?.retryAfterSeconds
  if (retryAfter) headers['retry-after'] = String(retryAfter)
  if (status.code === 413) headers.connection = 'close'
  const code = status.code ?? 500
  if (request?.wants === 'object') return { status: code, headers, body: { type: 'object', object: status } }
  return { status: code, headers, body: { type: 'bytes', bytes: encoded ?? encodeJson(status) } }
}

/** What somebody may not: the text has parts of the request in it, so nobody is to take it for anything but text. */
export function refusedResponse(
  { status }: ApiError,
  request: Pick<ApiRequest, 'headers' | 'wants' | 'audit'>,
): ApiResponse {
  const answer = failureResponse(status, request)
  return { ...answer, headers: { ...answer.headers, 'x-content-type-options': 'nosniff' } }
}

/** Of a request whose rights could not be told: plain text, in upstream's words. */
export function undecidedResponse(
  error: string,
  request: Pick<ApiRequest, 'headers' | 'wants' | 'path' | 'query' | 'rawQuery'>,
): ApiResponse {
  const { path, query, rawQuery = query.toString(), wants } = request
  if (wants === 'object') return refusedResponse(internalError(error), request)
  const asked = rawQuery === '' ? path : `${path}?${rawQuery}`
  const text = `Internal Server Error: ${JSON.stringify(asked)}: ${error}\n`
  return {
    status: 500,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
    body: { type: 'bytes', bytes: Buffer.from(withoutMarkup(text)) },
  }
}
