/** Requests as function calls: no socket, no serialisation, objects shared and frozen. */

import { orAborted } from '../base/deadline.ts'
import type { Handler, UserInfo } from '../machinery/wire/message.ts'
import type { Transport } from './transport.ts'

/** `user` is whom the server sees; authorization applies as it does to everybody. */
export function createLoopbackTransport(handle: Handler, user: UserInfo): Transport {
  return {
    wants: 'object',
    async send(request) {
      request.signal.throwIfAborted()
      return orAborted(handle({ ...request, peer: user }), request.signal)
    },
  }
}
