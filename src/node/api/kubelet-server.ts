/**
 * The node's own HTTPS API, above all for the API server: logs, exec, attach, port-forward, pods, stats. Paths as
 * upstream's kubelet. Whoever may not call it is refused before anything is looked at.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { ApiError, badRequest, toStatus } from '../../machinery/meta/api-error.ts'
import type { UpgradedSocket } from '../../machinery/wire/message.ts'
import type { KubeletRequest, KubeletServerOptions } from './kubelet-request.ts'
import { writeLogs } from './logs.ts'
import { statsSummary } from './stats-summary.ts'
import { attachTo, execIn, forwardPorts } from './streams.ts'

export interface KubeletServer extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** New connections are shown this certificate; open ones go on. */
  renew(pair: { readonly certificate: string; readonly key: string }): void
}

type Route = (request: KubeletRequest, response: ServerResponse) => Promise<void>
type UpgradeRoute = (request: KubeletRequest, upgraded: UpgradedSocket) => Promise<void>

const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['containerLogs', writeLogs],
  ['healthz', async (_, response) => void response.end('ok')],
  ['metrics', writeMetrics],
  [
    'pods',
    async ({ options }, response) =>
      writeJson(response, 200, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: options.pods() }),
  ],
  ['stats', async ({ options }, response) => writeJson(response, 200, await statsSummary(options))],
])

const UPGRADES: ReadonlyMap<string, UpgradeRoute> = new Map<string, UpgradeRoute>([
  ['exec', execIn],
  ['attach', attachTo],
  ['portForward', forwardPorts],
])

export async function startKubeletServer(options: KubeletServerOptions): Promise<KubeletServer> {
  const { host, port, certificate, key, clientCa, metrics } = options
  metrics.shows(certificate)
  // A caller may come with a token in place of a certificate.
  const server = createServer({ cert: certificate, key, ca: clientCa, requestCert: true, rejectUnauthorized: false })
  const sockets = new Set<Duplex>()
  server.on('secureConnection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('request', (request, response) => void answer(options, request, response))
  server.on('upgrade', (request, socket, head) => void upgrade(options, { request, socket, head }))
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address() as AddressInfo
  return {
    host: address.address,
    port: address.port,
    renew(pair) {
      server.setSecureContext({ cert: pair.certificate, key: pair.key, ca: clientCa })
      metrics.shows(pair.certificate)
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function answer(
  options: KubeletServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const stop = new AbortController()
  response.on('close', () => stop.abort())
  response.on('error', () => stop.abort())
  try {
    const { verb, parts, query } = partsOf(request)
    await options.access(request, verb)
    const route = ROUTES.get(verb)
    if (!route) throw new ApiError(404, 'NotFound', '404 page not found')
    await route({ options, parts, query, signal: stop.signal }, response)
  } catch (error) {
    fail(options, response, error)
  }
}

async function upgrade(options: KubeletServerOptions, upgraded: UpgradedSocket): Promise<void> {
  const stop = new AbortController()
  upgraded.socket.on('close', () => stop.abort())
  upgraded.socket.on('error', () => stop.abort())
  try {
    const { verb, parts, query } = partsOf(upgraded.request)
    await options.access(upgraded.request, verb)
    const route = UPGRADES.get(verb)
    if (!route) throw new ApiError(404, 'NotFound', '404 page not found')
    await route({ options, parts, query, signal: stop.signal }, upgraded)
  } catch (error) {
    refuse(options, upgraded.socket, error)
  }
}

function partsOf({ url = '/' }: IncomingMessage): {
  readonly verb: string
  readonly parts: readonly string[]
  readonly query: URLSearchParams
} {
  const [path = '', search = ''] = url.split('?', 2)
  try {
    const [verb = '', ...parts] = path.split('/').slice(1).map(decodeURIComponent)
    return { verb, parts, query: new URLSearchParams(search) }
  } catch {
    throw badRequest('the path is not properly encoded')
  }
}

/** Failures are plain text, as upstream's: the API server makes Statuses of them. */
function fail({ log }: KubeletServerOptions, response: ServerResponse, error: unknown): void {
  if (!(error instanceof ApiError)) log.warn('a request to the node failed', { error: String(error) })
  if (response.headersSent) {
    response.destroy()
    return
  }
  const { code, message } = toStatus(error)
  response.writeHead(code ?? 500, { 'Content-Type': 'text/plain; charset=utf-8' })
  response.end(message)
}

/** An upgrade that is not granted is answered as plain HTTP, unless its protocol has begun. */
function refuse({ log }: KubeletServerOptions, socket: Duplex, error: unknown): void {
  if (!(error instanceof ApiError)) log.warn('a stream of the node failed', { error: String(error) })
  if (socket.destroyed) return
  const { code, reason, message = '' } = toStatus(error)
  const head = [
    `HTTP/1.1 ${code} ${reason}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(message)}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${message}`)
}

async function writeMetrics({ options }: KubeletRequest, response: ServerResponse): Promise<void> {
  const { text, contentType } = await options.metrics.exposition()
  response.writeHead(200, { 'Content-Type': contentType })
  response.end(text)
}

function writeJson(response: ServerResponse, code: number, value: unknown): void {
  response.writeHead(code, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify(value))
}
