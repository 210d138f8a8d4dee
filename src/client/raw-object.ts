/** Objects at paths that no definition describes: scales of any resource, metrics of other servers. */

import { ApiError, fromStatus, internalError, type Status } from '../machinery/meta/api-error.ts'
import { decodeTrustedJson } from '../machinery/wire/json.ts'
import type { ApiResponse } from '../machinery/wire/message.ts'
import type { Client, RawRequest } from './client.ts'

/** Throws `ApiError` for an answer that is a failure. The caller knows what stands at the path. */
export async function rawObject<T extends object>(client: Client, request: RawRequest): Promise<T> {
  const answer = await client.raw({ headers: { accept: 'application/json' }, ...request })
  const object = objectOf(answer)
  if (answer.status < 400 && typeof object === 'object' && object !== null) return object as T
  if (isStatus(object)) throw fromStatus(object)
  if (answer.status < 400) throw internalError('the server answered with something that is no object')
  throw new ApiError(answer.status, '', `the server answered with status ${answer.status} and no Status object`)
}

function objectOf({ body }: ApiResponse): unknown {
  if (body.type === 'object') return body.object
  if (body.type !== 'bytes') return undefined
  const bytes = body.bytes instanceof Uint8Array ? body.bytes : Buffer.concat(body.bytes)
  try {
    return decodeTrustedJson(bytes)
  } catch {
    // Not JSON: whatever answered is no API server.
    return undefined
  }
}

function isStatus(object: unknown): object is Status {
  return typeof object === 'object' && object !== null && 'kind' in object && object.kind === 'Status'
}
