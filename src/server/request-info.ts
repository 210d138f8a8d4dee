/**
 * What a request asks for, read from its method, path and query alone. Segments are decoded one by one, so an
 * encoded slash never becomes a separator; a path with `.`, `..`, empty or undecodable segments names no resource.
 */

import type { ApiRequest } from '../machinery/wire/message.ts'
import { isTrue } from './handlers/flags.ts'

export type RequestInfo = ResourceRequestInfo | PathRequestInfo

export interface ResourceRequestInfo {
  readonly type: 'resource'
  readonly path: string
  /** get, list, watch, create, update, patch, delete, deletecollection; what authorization sees. */
  readonly verb: string
  readonly group: string
  readonly version: string
  /** Empty for cluster-scoped resources and for requests over all namespaces. */
  readonly namespace: string
  readonly resource: string
  readonly subresource: string
  /** Empty for collections. */
  readonly name: string
  /** The one name that a request on a collection selects with `metadata.name=…`, for authorization; else empty. */
  readonly selectedName: string
  /** The selectors of a request on a collection, as they were sent. */
  readonly fieldSelector?: string | undefined
  readonly labelSelector?: string | undefined
  /** What follows the subresource, undecoded, with its leading slash: `/healthz` in `…/pods/web/proxy/healthz`. */
  readonly rest: string
}

export interface PathRequestInfo {
  readonly type: 'path'
  readonly path: string
  /** The method in lower case. */
  readonly verb: string
}

const METHOD_VERBS = new Map([
  ['GET', 'get'],
  ['HEAD', 'get'],
  ['POST', 'create'],
  ['PUT', 'update'],
  ['PATCH', 'patch'],
  ['DELETE', 'delete'],
])

/** Segments under a namespace that belong to the namespace itself. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize'])

/** Bytes of a path; longer ones name nothing. */
const PATH_BYTES_MAX = 8_192

export function requestInfo({ method, path, query }: Pick<ApiRequest, 'method' | 'path' | 'query'>): RequestInfo {
  const verb = METHOD_VERBS.get(method) ?? method.toLowerCase()
  const segments = decodedSegments(path)
  const place = segments && resourcePlace(segments, path)
  if (!place) return { type: 'path', path, verb: method.toLowerCase() }
  const { group, version, namespace, resource, name, subresource, rest } = place
  const ofMany = name === ''
  return {
    type: 'resource',
    path,
    verb: verbOf(verb, place, query),
    ...{ group, version, namespace, resource, name, subresource, rest },
    selectedName: ofMany ? selectedName(query) : '',
    fieldSelector: ofMany ? selectorIn(query, 'fieldSelector') : undefined,
    labelSelector: ofMany ? selectorIn(query, 'labelSelector') : undefined,
  }
}

/** Undefined when no segment may be trusted. One trailing slash is allowed. */
function decodedSegments(path: string): readonly string[] | undefined {
  if (!path.startsWith('/') || path.length > PATH_BYTES_MAX) return undefined
  const raw = path.slice(1, path.endsWith('/') ? -1 : undefined).split('/')
  const segments: string[] = []
  for (const part of raw) {
    const segment = decoded(part)
    if (segment === undefined) return undefined
    segments.push(segment)
  }
  return segments
}

function decoded(segment: string): string | undefined {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

type Place = Omit<
  ResourceRequestInfo,
  'type' | 'path' | 'verb' | 'selectedName' | 'fieldSelector' | 'labelSelector'
> & { readonly watchPrefix: boolean }

function resourcePlace(segments: readonly string[], path: string): Place | undefined {
  const grouped = segments[0] === 'apis'
  if (!grouped && segments[0] !== 'api') return undefined
  const group = grouped ? (segments[1] ?? '') : ''
  const versionAt = grouped ? 2 : 1
  const version = segments[versionAt] ?? ''
  const watchPrefix = segments[versionAt + 1] === 'watch' && segments.length > versionAt + 2
  const start = versionAt + (watchPrefix ? 2 : 1)
  const parts = namesUnder(segments, start)
  if (version === '' || (grouped && group === '') || parts.resource === '') return undefined
  const { used, namespace, resource, name, subresource } = parts
  if (DOUBTFUL.test(path)) {
    const trusted = [group, version, namespace, resource, name, subresource]
    if (segments.slice(0, start + used).includes('') || !trusted.every(isPlain)) return undefined
  }
  if (segments.length > start + used && !hasRest(group, subresource)) return undefined
  const rest = segments.length > start + used || path.endsWith('/') ? restAfter(path, start + used) : ''
  return { group, version, namespace, resource, name, subresource, rest, watchPrefix }
}

/** A path without any of it has no segment that is empty or not plain. */
const DOUBTFUL = /[%\0]|\/\/|\/\.\.?(?:\/|$)/
const isPlain = (segment: string): boolean => segment !== '.' && segment !== '..' && !/[/%\0]/.test(segment)
/** The core group is this server's, which has nothing below subresources but what is passed on. */
const hasRest = (group: string, subresource: string): boolean => subresource === 'proxy' || group !== ''

type Names = Pick<Place, 'namespace' | 'resource' | 'name' | 'subresource'>

/** `used` counts the segments that were read. */
function namesUnder(segments: readonly string[], start: number): Names & { readonly used: number } {
  const at = (offset: number): string => segments[start + offset] ?? ''
  const count = segments.length - start
  const inNamespace = at(0) === 'namespaces' && count > 2 && !NAMESPACE_SUBRESOURCES.has(at(2))
  if (inNamespace) {
    const names = { namespace: at(1), resource: at(2), name: at(3), subresource: at(4) }
    return { ...names, used: Math.min(count, 5) }
  }
  const namespace = at(0) === 'namespaces' ? at(1) : ''
  return { namespace, resource: at(0), name: at(1), subresource: at(2), used: Math.min(count, 3) }
}

function restAfter(path: string, segmentCount: number): string {
  let position = 0
  for (let count = 0; count < segmentCount; count++) {
    position = path.indexOf('/', position + 1)
    if (position < 0) return ''
  }
  return path.slice(position)
}

function verbOf(verb: string, { name, watchPrefix }: Place, query: URLSearchParams): string {
  if (verb === 'get' && watchPrefix) return 'watch'
  if (name !== '') return verb
  if (verb === 'get') return isTrue(query.get('watch')) ? 'watch' : 'list'
  return verb === 'delete' ? 'deletecollection' : verb
}

function selectorIn(query: URLSearchParams, name: string): string | undefined {
  return query.get(name) || undefined
}

/** A selector with escapes is not looked into: an escaped comma must not open a term. */
function selectedName(query: URLSearchParams): string {
  const selector = query.get('fieldSelector') ?? ''
  if (selector.includes('\\')) return ''
  return /(?:^|,)metadata\.name==?([^,=!]+)(?:,|$)/.exec(selector)?.[1] ?? ''
}
