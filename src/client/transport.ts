/** How a client's requests reach a server. The two transports differ in nothing else than cost. */

import type { ApiRequest, ApiResponse } from '../machinery/wire/message.ts'

export interface Transport {
  /** `object` asks the server for parsed, frozen objects: only an in-process server can. */
  readonly wants: ApiRequest['wants']
  send(request: ApiRequest): Promise<ApiResponse>
}
