/**
 * What an aggregated server is told: the caller's headers without those that are between the caller and this server,
 * and who the caller is. It believes what comes with the front proxy's certificate, so nothing of the caller's may
 * look like this server's word: neither a header of that name nor one that some server takes for it.
 */

import { forbiddenPath } from '../../machinery/meta/api-error.ts'
import type { ApiRequest, UserInfo } from '../../machinery/wire/message.ts'

/** Several values: the header is sent once for each. */
export type BackendHeaders = Record<string, string | readonly string[]>

/** Headers of one connection, credentials, and those that are set here. */
const DROPPED: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['http2-settings', 'expect', 'authorization', 'proxy-authorization', 'host'],
])
const DROPPED_PREFIXES = ['x-remote-', 'impersonate-']
const BEARER_PROTOCOL = 'base64url.bearer.authorization.k8s.io.'

export interface Forwarding {
  /** `host:port` of the server that is called. */
  readonly authority: string
  /** Where the request is read and sent on as it comes, its length is right there. */
  readonly keepsLength: boolean
}

/** What is read of a request. */
export type Forwarded = Pick<ApiRequest, 'headers' | 'path' | 'remoteAddress'>

/** Throws `ApiError` when the caller has a name that no header can carry unchanged. */
export function backendHeaders(request: Forwarded, user: UserInfo, forwarding: Forwarding): BackendHeaders {
  return {
    ...callerHeaders(request.headers, forwarding.keepsLength),
    ...forwardedHeaders(request, forwarding.authority),
    ...identityHeaders(user, request.path),
  }
}

function callerHeaders(headers: ApiRequest['headers'], keepsLength: boolean): BackendHeaders {
  const ofConnection = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()))
  const kept: BackendHeaders = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || DROPPED.has(name) || ofConnection.has(name)) continue
    if (name === 'content-length' && !keepsLength) continue
    // Servers behind gateways of the CGI kind see no difference between `_` and `-`.
    const read = name.replaceAll('_', '-')
    if (DROPPED_PREFIXES.some((prefix) => read.startsWith(prefix))) continue
    kept[name] = name === 'sec-websocket-protocol' ? withoutToken(value) : value
  }
  return kept
}

/** A browser's token is among its WebSocket protocols. */
function withoutToken(protocols: string): string {
  const names = protocols.split(',').map((name) => name.trim())
  return names.filter((name) => !name.startsWith(BEARER_PROTOCOL)).join(', ')
}

function forwardedHeaders({ headers, path, remoteAddress }: Forwarded, authority: string): BackendHeaders {
  const route = [headers['x-forwarded-for'], remoteAddress].filter((hop) => hop !== undefined && hop !== '')
  return {
    host: authority,
    'x-forwarded-uri': path,
    'x-forwarded-host': authority,
    'x-forwarded-proto': 'https',
    ...(route.length > 0 && { 'x-forwarded-for': route.join(', ') }),
  }
}

function identityHeaders({ name, uid = '', groups, extra = {} }: UserInfo, path: string): BackendHeaders {
  const value = (text: string): string => headerValue(text, path)
  // Names of headers have no case: keys that differ in nothing else are one.
  const extras = new Map<string, string[]>()
  for (const [key, texts] of Object.entries(extra)) {
    const header = extraHeader(key)
    if (texts.length > 0) extras.set(header, [...(extras.get(header) ?? []), ...texts.map(value)])
  }
  return {
    'x-remote-user': value(name),
    ...(uid !== '' && { 'x-remote-uid': value(uid) }),
    ...(groups.length > 0 && { 'x-remote-group': groups.map(value) }),
    ...Object.fromEntries(extras),
  }
}

const TOKEN_BYTE = /[!#$&'*+\-.^_`|~0-9a-z]/

/** Bytes that no header name has, and the percent sign of the escapes, stand as escapes. */
function extraHeader(key: string): string {
  const bytes = [...Buffer.from(key.toLowerCase(), 'utf8')].map((byte) => {
    const character = String.fromCharCode(byte)
    return TOKEN_BYTE.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  })
  return `x-remote-extra-${bytes.join('')}`
}

/** The bytes of UTF-8, one character each. What HTTP would change on its way would be somebody else's name. */
function headerValue(text: string, path: string): string {
  if (text.trim() !== text || hasControlCharacter(text))
    throw forbiddenPath(path, 'the name of the user or of a group cannot be passed on')
  return Buffer.from(text, 'utf8').toString('latin1')
}

function hasControlCharacter(text: string): boolean {
  for (let position = 0; position < text.length; position++) {
    const code = text.charCodeAt(position)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}
