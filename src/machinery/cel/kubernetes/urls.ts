/** `url('https://example.com:80/path')` and its parts, as Go's parser sees them. */

import type { Library } from '../declarations.ts'
import { costing, declare, member, overload } from '../library/declare.ts'
import { BOOL, listType, mapType, opaqueType, STRING } from '../types.ts'
import { ArrayList, CelError, type CelValue, EntryMap, type MapKey, OpaqueValue, type Result } from '../values.ts'
import { nominal, perCharacter } from './costs.ts'

const URL_TYPE = opaqueType('kubernetes.URL')

interface UrlParts {
  readonly text: string
  readonly scheme: string
  readonly host: string
  readonly path: string
  readonly query: string
}

class UrlValue extends OpaqueValue {
  readonly type = URL_TYPE
  readonly parts: UrlParts
  constructor(parts: UrlParts) {
    super()
    this.parts = parts
  }
  equals(other: OpaqueValue): boolean {
    return other instanceof UrlValue && other.parts.text === this.parts.text
  }
  override toString(): string {
    return this.parts.text
  }
}

/** The parts of an absolute URL or path; else why the text is neither, as Go says it. */
export function parseUrl(text: string): UrlParts | string {
  const failure = (reason: string) => `parse ${JSON.stringify(text)}: ${reason}`
  if (text === '') return failure('empty url')
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0x20 || unit === 0x7f) return failure('net/url: invalid control character in URL')
  }
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1]
  if (scheme === undefined && text.startsWith(':')) return failure('missing protocol scheme')
  const rest = scheme === undefined ? text : text.slice(scheme.length + 1)
  if (scheme === undefined && !rest.startsWith('/')) return failure('invalid URI for request')
  const [beforeFragment = ''] = rest.split('#', 1)
  const mark = beforeFragment.indexOf('?')
  const hierarchy = mark === -1 ? beforeFragment : beforeFragment.slice(0, mark)
  const query = mark === -1 ? '' : beforeFragment.slice(mark + 1)
  const base = { text, scheme: scheme?.toLowerCase() ?? '', query }
  if (!hierarchy.startsWith('/')) return { ...base, host: '', path: '' }
  if (!hierarchy.startsWith('//') || (scheme === undefined && hierarchy.startsWith('///'))) {
    return badEscape(hierarchy, failure) ?? { ...base, host: '', path: hierarchy }
  }
  const slash = hierarchy.indexOf('/', 2)
  const authority = slash === -1 ? hierarchy.slice(2) : hierarchy.slice(2, slash)
  const path = slash === -1 ? '' : hierarchy.slice(slash)
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  return badHost(host, failure) ?? badEscape(path, failure) ?? { ...base, host, path }
}

type Failure = (reason: string) => string

function badEscape(path: string, failure: Failure): string | undefined {
  const bad = /%(?![0-9A-Fa-f]{2})[\s\S]{0,2}/.exec(path)?.[0]
  return bad === undefined ? undefined : failure(`invalid URL escape ${JSON.stringify(bad)}`)
}

function badHost(host: string, failure: Failure): string | undefined {
  if (host.startsWith('[') && !host.includes(']')) return failure("missing ']' in host")
  const port = /:([^:\]]*)$/.exec(host)
  if (port !== null && !/^\d*$/.test(port[1] ?? ''))
    return failure(`invalid port ${JSON.stringify(port[0])} after host`)
  const bad = /[ "<>\\^`{|}]/.exec(host)?.[0]
  return bad === undefined ? badEscape(host, failure) : failure(`invalid character ${JSON.stringify(bad)} in host name`)
}

function toUrl(text: string): Result {
  const parts = parseUrl(text)
  if (typeof parts !== 'string') return new UrlValue(parts)
  return new CelError(`URL parse error during conversion from string: ${parts}`)
}

function hostname({ parts: { host } }: UrlValue): string {
  const bracketed = /^\[(.*)\]/.exec(host)?.[1]
  return bracketed ?? host.replace(/:\d*$/, '')
}

function escapedPath({ parts: { path } }: UrlValue): string {
  return path.replace(/[^A-Za-z0-9\-._~$&+,/:;=@!'()*%[\]]/gu, (character) => encodeURIComponent(character))
}

function queryOf({ parts: { query } }: UrlValue): Result {
  const values = new Map<string, CelValue[]>()
  for (const [name, value] of new URLSearchParams(query)) {
    const known = values.get(name)
    if (known === undefined) values.set(name, [value])
    else known.push(value)
  }
  const entries = new Map<MapKey, readonly [CelValue, CelValue]>()
  for (const [name, list] of values) entries.set(name, [name, new ArrayList(list)])
  return new EntryMap(entries)
}

const part = (name: string, id: string, read: (url: UrlValue) => string) =>
  declare(name, costing(nominal, [member(id, [URL_TYPE], STRING, read)]))

export const URLS: Library = {
  name: 'kubernetes.urls',
  functions: [
    declare('url', costing(perCharacter, [overload('string_to_url', [STRING], URL_TYPE, toUrl)])),
    part('getScheme', 'url_get_scheme', ({ parts }) => parts.scheme),
    part('getHost', 'url_get_host', ({ parts }) => parts.host),
    part('getHostname', 'url_get_hostname', hostname),
    part('getPort', 'url_get_port', ({ parts }) => /:(\d*)$/.exec(parts.host)?.[1] ?? ''),
    part('getEscapedPath', 'url_get_escaped_path', escapedPath),
    declare(
      'getQuery',
      costing(nominal, [member('url_get_query', [URL_TYPE], mapType(STRING, listType(STRING)), queryOf)]),
    ),
    declare('isURL', [overload('is_url_string', [STRING], BOOL, (text: string) => typeof parseUrl(text) !== 'string')]),
  ],
}
