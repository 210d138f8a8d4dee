/**
 * The proxy subresources: plain requests passed to a pod, service or node and answers passed back, with links
 * and redirects led through the proxy again, as upstream does for HTML.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { Readable } from 'node:stream'
import httpProxy from 'http-proxy'
import type { Logger } from '../base/log.ts'
import { ApiError, bodyTooLarge, serviceUnavailable } from '../machinery/meta/api-error.ts'
import { encodeJson } from '../machinery/wire/json.ts'
import type { ApiRequest, ApiResponse, UpgradedSocket } from '../machinery/wire/message.ts'
import { type Backend, forwardedHeaders, requestOptions, tunnel } from './backend.ts'
import { BODY_BYTES_MAX, collect, mustBeRead } from './outbound/framing.ts'

export interface ProxyTarget {
  readonly backend: Backend
  /** The path for the backend, with its query. */
  readonly path: string
  /** The path under which the client sees the backend's root, without a slash at the end. */
  readonly prefix: string
}

/** Bytes of a page that is rewritten; larger ones pass as they are. */
const PAGE_BYTES_MAX = 2 * 1024 * 1024

const HOP_HEADERS: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'te', 'trailer'],
  ...['access-control-allow-origin', 'access-control-allow-credentials'],
])

/** Answers with the backend's answer. The request's body must have been left unread. */
export function proxyRequest(target: ProxyTarget, request: ApiRequest, log: Logger): Promise<ApiResponse> {
  if (request.headers.upgrade !== undefined) return tunnel(target.backend, target.path, request)
  const connect = (taken: UpgradedSocket) => {
    const { response } = taken
    if (response) pass(target, request, taken.request, response, log).catch((error) => refuse(response, error))
    else taken.socket.destroy()
  }
  return Promise.resolve({ status: 200, headers: {}, body: { type: 'upgrade', connect } })
}

async function pass(
  { backend, path, prefix }: ProxyTarget,
  request: ApiRequest,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  log: Logger,
): Promise<void> {
  const { host, port, tls } = backend
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const proxy = httpProxy.createProxyServer({
    target: `${tls ? 'https' : 'http'}://${authority}${path}`,
    ignorePath: true,
    selfHandleResponse: true,
    secure: tls?.ca !== undefined,
    // The proxy's own options know no name that a certificate must be for.
    ...(tls && { agent: new HttpsAgent({ ...requestOptions(backend), keepAlive: false }) }),
  })
  proxy.on('proxyReq', (sent) => {
    outgoing.on('close', () => sent.destroy())
  })
  proxy.on('proxyRes', (response) => {
    request.audit?.answered(response.statusCode ?? 502)
    relayResponse(response, outgoing, prefix).catch((error) => {
      log.debug('a proxied answer broke off', { path: request.path, error })
      outgoing.destroy()
    })
  })
  proxy.on('error', (error) => refuse(outgoing, error))
  // HTTP/2's pseudo-headers are no headers for HTTP/1.1; credentials for this server are nobody else's business.
  const headers = withoutHops({ ...forwardedHeaders(request.headers), host: authority })
  const body = mustBeRead(request.method, headers) ? await collect(incoming, BODY_BYTES_MAX) : 'streamed'
  if (body === undefined) throw bodyTooLarge(BODY_BYTES_MAX)
  if (body !== 'streamed' && body.length > 0) headers['content-length'] = String(body.length)
  Object.defineProperty(incoming, 'headers', { value: headers })
  proxy.web(incoming, outgoing, body === 'streamed' ? {} : { buffer: Readable.from(body.length > 0 ? [body] : []) })
}

/** `accept-encoding` too: pages are read to rewrite their links. */
function withoutHops(headers: Record<string, string>): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => !HOP_HEADERS.has(name) && name !== 'accept-encoding')
  return Object.fromEntries(kept)
}

function refuse(outgoing: ServerResponse, error: Error): void {
  if (outgoing.headersSent || outgoing.destroyed) return void outgoing.destroy()
  const refusal =
    error instanceof ApiError ? error : serviceUnavailable(`error trying to reach service: ${error.message}`)
  const { status } = refusal
  outgoing.writeHead(refusal.code, { 'content-type': 'application/json' })
  outgoing.end(encodeJson(status))
}

async function relayResponse(response: IncomingMessage, outgoing: ServerResponse, prefix: string): Promise<void> {
  const { host, ...headers } = response.headers
  const page = String(headers['content-type'] ?? '').startsWith('text/html') && !headers['content-encoding']
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || HOP_HEADERS.has(name) || (page && name === 'content-length')) continue
    outgoing.setHeader(name, name === 'location' ? rewriteLink(String(value), prefix) : value)
  }
  outgoing.statusCode = response.statusCode ?? 502
  response.on('error', () => outgoing.destroy())
  if (!page) return void response.pipe(outgoing)
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    bytes += chunk.length
    chunks.push(chunk)
    if (bytes > PAGE_BYTES_MAX) for (const kept of chunks.splice(0)) outgoing.write(kept)
  }
  const rest = Buffer.concat(chunks)
  outgoing.end(bytes > PAGE_BYTES_MAX ? rest : rewritePage(rest.toString('utf8'), prefix))
}

const LINK_ATTRIBUTES =
  'action|background|cite|classid|codebase|data|formaction|href|icon|longdesc|manifest|poster|profile|src|usemap'
const LINK = new RegExp(`(<[^<>]*?\\s(?:${LINK_ATTRIBUTES})\\s*=\\s*)("[^"]*"|'[^']*')`, 'gi')

/** Absolute paths in a page's links get the proxy's prefix. */
export function rewritePage(page: string, prefix: string): string {
  return page.replace(LINK, (_whole, before: string, quoted: string) => {
    const quote = quoted.slice(0, 1)
    return `${before}${quote}${rewriteLink(quoted.slice(1, -1), prefix)}${quote}`
  })
}

function rewriteLink(link: string, prefix: string): string {
  const absolute = link.startsWith('/') && !link.startsWith('//') && !link.startsWith(`${prefix}/`)
  return absolute ? `${prefix}${link}` : link
}
