/** Requests as function calls: no socket, no serialisation, objects shared and frozen. */

import type { Handler, UserInfo } from '../machinery/wire/message.ts'
import type { Transport } from './transport.ts'

/** `user` is whom the server sees; authorization applies as it does to everybody. */
export function createLoopbackTransport(handle: Handler, user: UserInfo): Transport {
  return { wants: 'object', send: (request) => handle({ ...request, peer: user }) }
}
