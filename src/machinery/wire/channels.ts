/**
 * Remote commands (exec, attach) as a server sees them, the same over SPDY/3.1 and every version of the WebSocket
 * protocol: standard streams, terminal sizes, and one result at the end.
 *
 *   SPDY: a stream per channel, its header `streamtype` says which.
 *   WebSocket: the first byte of a message: 0 stdin, 1 stdout, 2 stderr, 3 result, 4 sizes; v5 adds 255 n = "n ends".
 */

import { systemClock } from '../../base/clock.ts'
import type { Status } from '../meta/api-error.ts'
import { badRequest, forbiddenRequest } from '../meta/api-error.ts'
import type { UpgradedSocket } from './message.ts'
import type { RemoteCommandStreams, RemoteCommandWish } from './remote-command.ts'
import { spdyRemoteCommand } from './spdy-remote-command.ts'
import { acceptSpdy, refuseUpgrade, spdyProtocol } from './spdy-upgrade.ts'
import { acceptWebSocket, isWebSocketUpgrade } from './websocket.ts'
import { webSocketRemoteCommand } from './websocket-remote-command.ts'

/** Newest first. */
const SPDY_VERSIONS = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io']
const WEBSOCKET_VERSIONS = [
  ...['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io'],
  ...['channel.k8s.io', 'base64.channel.k8s.io'],
]

/** Completes the upgrade. Throws `ApiError` when the client speaks nothing we know; it has been answered then. */
export async function acceptRemoteCommand(
  upgraded: UpgradedSocket,
  wish: RemoteCommandWish,
): Promise<RemoteCommandStreams> {
  const wanted = { ...wish, stderr: wish.stderr && !wish.tty }
  if (isWebSocketUpgrade(upgraded.request)) {
    const accepted = acceptWebSocket(upgraded, WEBSOCKET_VERSIONS)
    if (!accepted) throw badRequest('the WebSocket handshake was malformed')
    return webSocketRemoteCommand(accepted, wanted)
  }
  const protocol = spdyProtocol(upgraded.request, SPDY_VERSIONS, 'channel.k8s.io')
  if (protocol === undefined)
    throw refuseUpgrade(
      upgraded,
      forbiddenRequest({ group: '', resource: 'pods' }, '', 'no stream protocol in common'),
      SPDY_VERSIONS,
    )
  return spdyRemoteCommand(acceptSpdy(upgraded, protocol), protocol, { ...wanted, clock: wish.clock ?? systemClock })
}

/** What `exit` is given for a command that ran: success, or upstream's failure with its exit code. */
export function exitStatus(exitCode: number): Status {
  const shared = { kind: 'Status', apiVersion: 'v1', metadata: {} } as const
  if (exitCode === 0) return { ...shared, status: 'Success' }
  return {
    ...shared,
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  }
}
