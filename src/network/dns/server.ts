/** The cluster's DNS server: one for all nodes, over UDP and TCP on the same port. Sockets only; see `answer.ts`. */

import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { Informers } from '../../client/informers.ts'
import { type Answerer, createAnswerer } from './answer.ts'
import { clusterNames } from './cluster-names.ts'
import { createForwarder, type Upstream } from './forward.ts'
import { FrameReader, frame } from './tcp-frames.ts'

export interface DnsServerOptions {
  readonly informers: Informers
  /** Where it listens. */
  readonly host: string
  /** `cluster.local`. */
  readonly domain: string
  /** The address under which pods reach it. */
  readonly clusterDns: string
  /** Who is asked about all other names; empty: nobody, and such questions fail at once. */
  readonly upstreams: readonly Upstream[]
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

export interface DnsServer extends AsyncDisposable {
  /** The same for UDP and TCP; chosen by the system. */
  readonly port: number
}

/** Connections at once; a resolver opens one only for what is too large for UDP. */
const CONNECTIONS_MAX = 512
/** A connection without a question for so long is closed, in ms. */
const IDLE_MS = 10_000
/** Questions of one connection that wait for their answer; one more closes it. */
const PIPELINED_MAX = 64
/** A port that is free for TCP may be taken for UDP. */
const PORT_ATTEMPTS = 10

/** Resolves when both sockets listen. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const { informers, host, domain, clusterDns, upstreams, clock, random, log } = options
  const zone = { domain: domain.toLowerCase(), serverAddress: clusterDns, names: clusterNames(informers) }
  const answer = createAnswerer({ zone, forwarder: createForwarder({ upstreams, clock, random }) })
  const { tcp, udp, port } = await openSockets(host)
  const connections = new Set<Socket>()
  udp.on('message', (query, from) => {
    void answer(query, 'udp').then((response) => {
      if (response) udp.send(response, from.port, from.address, () => {})
    })
  })
  udp.on('error', (error) => log.warn('the DNS server’s UDP socket failed', { error: String(error) }))
  tcp.on('error', (error) => log.warn('the DNS server’s TCP socket failed', { error: String(error) }))
  tcp.on('connection', (socket) => {
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
    converse(socket, answer)
  })
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy()
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ])
    },
  }
}

function converse(socket: Socket, answer: Answerer): void {
  const reader = new FrameReader()
  let pending = 0
  socket.setTimeout(IDLE_MS, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('data', (piece: Buffer) => {
    for (const query of reader.push(piece)) {
      if (++pending > PIPELINED_MAX) {
        socket.destroy()
        return
      }
      void answer(query, 'tcp').then((response) => {
        pending--
        if (response && !socket.destroyed) socket.write(frame(response))
      })
    }
  })
}

async function openSockets(host: string): Promise<{ tcp: Server; udp: UdpSocket; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const tcp = await listenTcp(host)
    const address = tcp.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    try {
      return { tcp, udp: await bindUdp(host, port), port }
    } catch (error) {
      tcp.close()
      if (attempt === PORT_ATTEMPTS) throw error
    }
  }
}

function listenTcp(host: string): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<Server>()
  const server = createServer()
  server.maxConnections = CONNECTIONS_MAX
  server.once('error', reject)
  server.listen(0, host, () => {
    server.off('error', reject)
    resolve(server)
  })
  return promise
}

function bindUdp(host: string, port: number): Promise<UdpSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<UdpSocket>()
  const socket = createSocket('udp4')
  socket.once('error', reject)
  socket.bind(port, host, () => {
    socket.off('error', reject)
    resolve(socket)
  })
  return promise
}
