/** The upgrade from HTTP/1.1 to SPDY/3.1, with the stream protocol that both sides know. */

import type { ApiError } from '../meta/api-error.ts'
import { encodeJson } from './json.ts'
import type { UpgradedSocket } from './message.ts'
import { createSpdySession, type SpdySession } from './spdy.ts'

const PROTOCOL_HEADER = 'x-stream-protocol-version'

/** The first of `supported` that the client offers; `unnamed` when it offers none; undefined when none is known. */
export function spdyProtocol(
  { rawHeaders }: Pick<UpgradedSocket['request'], 'rawHeaders'>,
  supported: readonly string[],
  unnamed: string,
): string | undefined {
  const offered: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2)
    if (rawHeaders[index]?.toLowerCase() === PROTOCOL_HEADER)
      offered.push(...(rawHeaders[index + 1] ?? '').split(',').map((name) => name.trim()))
  if (offered.length === 0) return unnamed
  return supported.find((name) => offered.includes(name))
}

export function acceptSpdy({ request, socket, head }: UpgradedSocket, protocol: string): SpdySession {
  const offersOne = request.headers[PROTOCOL_HEADER] !== undefined
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: SPDY/3.1']
  if (offersOne) lines.push(`X-Stream-Protocol-Version: ${protocol}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  return createSpdySession(socket, 'server', head)
}

/** Answers an upgrade with a plain failure and closes; gives the error back for throwing. */
export function refuseUpgrade(
  { socket }: UpgradedSocket,
  error: ApiError,
  supported: readonly string[] = [],
): ApiError {
  const body = encodeJson(error.status)
  const lines = [
    `HTTP/1.1 ${error.code} ${error.reason}`,
    ...supported.map((name) => `X-Accepted-Stream-Protocol-Versions: ${name}`),
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ]
  socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]))
  return error
}
