/** Requests as function calls: no socket, no serialisation, objects shared and frozen. */

import { orAborted } from '../base/deadline.ts'
import type { Handler, UserInfo } from '../machinery/wire/message.ts'
import type { Transport } from './transport.ts'

/** `user` is whom the server sees, and `userAgent` as what program; authorization applies as it does to everybody. */
export function createLoopbackTransport(handle: Handler, user: UserInfo, userAgent?: string): Transport {
  const own = userAgent === undefined ? {} : { 'user-agent': userAgent }
  return {
    wants: 'object',
    async send(request) {
      request.signal.throwIfAborted()
      const headers = { ...own, ...request.headers }
      return orAborted(handle({ ...request, headers, peer: user }), request.signal)
    },
  }
}
