/**
 * Who is at the other end of a TLS connection: CN, O and fingerprint of a client certificate, or the name of a front
 * proxy. Read once for all connections with the same certificate; its end is looked at on every request, because
 * connections outlive certificates. The authority of the one kind never vouches for the other.
 */

import { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { type PeerCertificate, TLSSocket } from 'node:tls'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import { LruMap } from '../base/lru.ts'
import { formatTime } from '../machinery/meta/time.ts'
import type { UserInfo } from '../machinery/wire/message.ts'

/** None of it: the connection presented no certificate. */
export interface Peer {
  readonly user?: UserInfo | undefined
  /** The common name of a front proxy: not a user, but who may say who asks. */
  readonly frontProxy?: string | undefined
  readonly failure?: string | undefined
}

/** PEM, one or more. */
export interface PeerAuthorities {
  readonly clientCa: string
  readonly frontProxyCa?: string | undefined
}

const NOBODY: Peer = {}

export interface Peers {
  of(request: IncomingMessage | Http2ServerRequest): Peer
}

interface Known {
  readonly peer: Peer
  readonly validFromMs: number
  readonly validUntilMs: number
  /** Whether it was said that the time is over, which is once for a connection. */
  isReported: boolean
}

export interface PeerParts {
  readonly clock: Clock
  readonly log: Logger
  /** Told with each request how long the client's certificate is still good. */
  readonly onCertificate?: ((leftMs: number) => void) | undefined
}

/** `authorities`: those of the connections that begin now. */
export function createPeers({ clock, log, onCertificate }: PeerParts, authorities: () => PeerAuthorities): Peers {
  const connections = new WeakMap<object, Known>()
  const read = rememberingReader(authorities)
  return {
    of(request) {
      // Only HTTP/2 has streams, and only who speaks it loads its classes.
      const connection = 'stream' in request ? request.stream.session : request.socket
      if (!connection) return NOBODY
      let entry = connections.get(connection)
      if (!entry) {
        const socket = 'stream' in request ? request.stream.session?.socket : request.socket
        entry = isTls(socket) ? read(socket) : lasting(NOBODY)
        connections.set(connection, entry)
      }
      const nowMs = clock.now()
      if (onCertificate && Number.isFinite(entry.validUntilMs)) onCertificate(entry.validUntilMs - nowMs)
      if (nowMs >= entry.validFromMs && nowMs <= entry.validUntilMs) return entry.peer
      const { user, frontProxy } = entry.peer
      if (!entry.isReported)
        log.warn('a client certificate is refused: it has expired or is not yet valid', {
          user: user?.name ?? frontProxy,
          until: formatTime(entry.validUntilMs),
        })
      entry.isReported = true
      return { failure: 'x509: certificate has expired or is not yet valid' }
    },
  }
}

/** Certificates of which is kept what they prove, about 1 KB each: a program opens its connections with the same one. */
const CERTIFICATES_MAX = 1_000

/**
 * That a connection's certificate is its caller's and leads to an authority, the handshake has found out each time.
 * What such a certificate says, and to which of the authorities it leads, is read once, as long as those are the same.
 */
function rememberingReader(authorities: () => PeerAuthorities): (socket: TLSSocket) => Known {
  let proven = new LruMap<string, Known>(CERTIFICATES_MAX)
  let provenTo = authorities()
  return (socket) => {
    const current = authorities()
    const fingerprint = socket.authorized ? socket.getPeerX509Certificate()?.fingerprint256 : undefined
    if (fingerprint === undefined) return read(socket, current)
    if (current !== provenTo) proven = new LruMap(CERTIFICATES_MAX)
    provenTo = current
    const before = proven.get(fingerprint)
    if (before !== undefined) return { ...before, isReported: false }
    const found = read(socket, current)
    proven.set(fingerprint, found)
    return found
  }
}

function lasting(peer: Peer): Known {
  return known(peer, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
}

function known(peer: Peer, validFromMs: number, validUntilMs: number): Known {
  return { peer, validFromMs, validUntilMs, isReported: false }
}

/** A session's socket is a proxy around the real one, so `instanceof` alone does not tell. */
function isTls(socket: unknown): socket is TLSSocket {
  return (
    socket instanceof TLSSocket || (typeof socket === 'object' && socket !== null && 'getPeerCertificate' in socket)
  )
}

function read(socket: TLSSocket, authorities: PeerAuthorities): Known {
  const certificate = socket.getPeerCertificate()
  if (!certificate?.subject) return lasting(NOBODY)
  if (!socket.authorized) {
    const reason = socket.authorizationError?.message ?? String(socket.authorizationError ?? 'not verified')
    if (!TIME_FAILURES.has(reason) || !isVouchedFor(socket, authorities)) return lasting({ failure: `x509: ${reason}` })
  }
  const peer = peerOf(certificate, authorities, socket)
  return known(peer, Date.parse(certificate.valid_from), Date.parse(certificate.valid_to))
}

/** The TLS library has only the machine's time; what is late is the clock's to say. */
const TIME_FAILURES: ReadonlySet<string> = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])
const CLIENT_USAGE = '1.3.6.1.5.5.7.3.2'

/** The time may have hidden another failure of the library's, so the rest is looked at again. */
function isVouchedFor(socket: TLSSocket, { clientCa, frontProxyCa = '' }: PeerAuthorities): boolean {
  const certificate = socket.getPeerX509Certificate()
  if (!certificate?.keyUsage?.includes(CLIENT_USAGE)) return false
  return authoritiesIn(`${clientCa}\n${frontProxyCa}`).some((authority) => isSignedBy(certificate, authority))
}

/** The handshake has found a way to one of the authorities; with a front proxy's among them, to which? */
function peerOf(certificate: PeerCertificate, { clientCa, frontProxyCa }: PeerAuthorities, socket: TLSSocket): Peer {
  if (frontProxyCa === undefined) return userOf(certificate)
  const chain = socket.getPeerX509Certificate()
  if (!chain) return { failure: 'x509: the certificate cannot be read' }
  if (leadsTo(chain, clientCa)) return userOf(certificate)
  const failure = 'x509: certificate signed by unknown authority'
  if (!leadsTo(chain, frontProxyCa)) return { failure }
  return { frontProxy: listOf(certificate.subject.CN).at(-1) ?? '', failure }
}

/** Intermediate authorities between a certificate and a trusted one. */
const INTERMEDIATES_MAX = 5
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

function leadsTo(leaf: X509Certificate, bundle: string): boolean {
  const authorities = authoritiesIn(bundle)
  let certificate: X509Certificate | undefined = leaf
  for (let passed = 0; certificate !== undefined && passed <= INTERMEDIATES_MAX; passed++) {
    const current: X509Certificate = certificate
    if (authorities.some((authority) => isSignedBy(current, authority))) return true
    const { issuerCertificate } = current
    certificate = issuerCertificate && isSignedBy(current, issuerCertificate) ? issuerCertificate : undefined
  }
  return false
}

function authoritiesIn(bundle: string): readonly X509Certificate[] {
  return (bundle.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem))
}

function isSignedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
}

/** Attributes that repeat come as an array; upstream takes the last CN and every O. */
function userOf({ subject, fingerprint256 }: PeerCertificate): Peer {
  const name = listOf(subject.CN).at(-1)
  if (!name) return { failure: 'x509: the certificate has no common name' }
  const id = `X509SHA256=${fingerprint256.replaceAll(':', '').toLowerCase()}`
  return { user: { name, groups: listOf(subject.O), extra: { 'authentication.kubernetes.io/credential-id': [id] } } }
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : value
}
