/** A failure Status as a response: as bytes over the wire, as an object to callers in this process. */

import type { Status } from '../../machinery/meta/api-error.ts'
import { encodeJson } from '../../machinery/wire/json.ts'
import type { ApiRequest, ApiResponse } from '../../machinery/wire/message.ts'

export function failureResponse(status: Status, wants: ApiRequest['wants'] = 'bytes'): ApiResponse {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  const retryAfter = status.details?.retryAfterSeconds
  if (retryAfter) headers['retry-after'] = String(retryAfter)
  if (status.code === 413) headers.connection = 'close'
  const code = status.code ?? 500
  if (wants === 'object') return { status: code, headers, body: { type: 'object', object: status } }
  return { status: code, headers, body: { type: 'bytes', bytes: encodeJson(status) } }
}
