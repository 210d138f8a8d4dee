/**
 * Who is at the other end of a TLS connection: CN, O and fingerprint of a client certificate. Read once per connection;
 * the certificate's end is looked at on every request, because connections outlive certificates.
 */

import type { IncomingMessage } from 'node:http'
import { Http2ServerRequest } from 'node:http2'
import { type PeerCertificate, TLSSocket } from 'node:tls'
import type { Clock } from '../base/clock.ts'
import type { UserInfo } from '../machinery/wire/message.ts'

/** Neither: the connection presented no certificate. */
export interface Peer {
  readonly user?: UserInfo | undefined
  readonly failure?: string | undefined
}

const NOBODY: Peer = {}

export interface Peers {
  of(request: IncomingMessage | Http2ServerRequest): Peer
}

export function createPeers(clock: Clock): Peers {
  const known = new WeakMap<object, { readonly peer: Peer; readonly validUntilMs: number }>()
  return {
    of(request) {
      const connection = request instanceof Http2ServerRequest ? request.stream.session : request.socket
      if (!connection) return NOBODY
      let entry = known.get(connection)
      if (!entry) {
        const socket = request instanceof Http2ServerRequest ? request.stream.session?.socket : request.socket
        entry = isTls(socket) ? read(socket) : { peer: NOBODY, validUntilMs: Number.POSITIVE_INFINITY }
        known.set(connection, entry)
      }
      if (clock.now() <= entry.validUntilMs) return entry.peer
      return { failure: 'x509: certificate has expired or is not yet valid' }
    },
  }
}

/** A session's socket is a proxy around the real one, so `instanceof` alone does not tell. */
function isTls(socket: unknown): socket is TLSSocket {
  return (
    socket instanceof TLSSocket || (typeof socket === 'object' && socket !== null && 'getPeerCertificate' in socket)
  )
}

function read(socket: TLSSocket) {
  const certificate = socket.getPeerCertificate()
  if (!certificate?.subject) return { peer: NOBODY, validUntilMs: Number.POSITIVE_INFINITY }
  if (!socket.authorized) {
    const failure = `x509: ${socket.authorizationError?.message ?? String(socket.authorizationError ?? 'not verified')}`
    return { peer: { failure }, validUntilMs: Number.POSITIVE_INFINITY }
  }
  return { peer: peerOf(certificate), validUntilMs: Date.parse(certificate.valid_to) }
}

/** Attributes that repeat come as an array; upstream takes the last CN and every O. */
function peerOf({ subject, fingerprint256 }: PeerCertificate): Peer {
  const name = listOf(subject.CN).at(-1)
  if (!name) return { failure: 'x509: the certificate has no common name' }
  const id = `X509SHA256=${fingerprint256.replaceAll(':', '').toLowerCase()}`
  return { user: { name, groups: listOf(subject.O), extra: { 'authentication.kubernetes.io/credential-id': [id] } } }
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : value
}
