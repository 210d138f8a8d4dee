/** One step around the handling of a request. A filter may answer itself, or change the request or the answer. */

import type { Awaitable } from '../../base/awaitable.ts'
import type { ApiRequest, ApiResponse } from '../../machinery/wire/message.ts'
import type { RequestTarget } from '../auth/authorizer.ts'

/** A request on its way, with what it is about read once. */
export interface Call<Target extends RequestTarget = RequestTarget> {
  readonly request: ApiRequest
  readonly target: Target
}

/** Answers at once where nothing has to be waited for. May throw as well as reject. */
export type Step<Target extends RequestTarget = RequestTarget> = (call: Call<Target>) => Awaitable<ApiResponse>

export type Filter = <Target extends RequestTarget>(next: Step<Target>) => Step<Target>

const LASTING_SUBRESOURCES: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward', 'proxy', 'log'])

/** Requests without a deadline, outside the limit on requests in flight: watches and streams to containers. */
export function isLongRunning(target: RequestTarget): boolean {
  if (target.type === 'path') return false
  return target.verb === 'watch' || LASTING_SUBRESOURCES.has(target.subresource)
}

export function withHeaders(answer: ApiResponse, headers: Readonly<Record<string, string>>): ApiResponse {
  return { ...answer, headers: { ...answer.headers, ...headers } }
}
