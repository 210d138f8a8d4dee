/** What the server says about itself: discovery, the version, OpenAPI. Rebuilt when the catalog changes. */

import type { Catalog } from '../../apis/catalog.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import { encodeProtobuf, PROTOBUF_TYPE } from '../../apis/protobuf-forms.ts'
import type { Clock } from '../../base/clock.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import { methodNotAllowed, notAcceptable } from '../../machinery/meta/api-error.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import { preferredType } from '../../machinery/wire/content-type.ts'
import { encodeJson } from '../../machinery/wire/json.ts'
import type { ApiRequest, ApiResponse } from '../../machinery/wire/message.ts'
import { encodeYaml } from '../../machinery/wire/yaml.ts'
import { type AggregatedType, aggregatedAnswer, aggregatedDiscovery, aggregatedType } from '../discovery/aggregated.ts'
import { coreVersions, groupDocument, groupList, servedGroups } from '../discovery/groups.ts'
import type { Registration } from '../discovery/registration.ts'
import { resourceList } from '../discovery/resources.ts'
import { type BuildInfo, versionInfo } from '../discovery/version.ts'
import {
  NOTHING_REMOTE,
  type OpenApiDocuments,
  openApiDocumentAnswer,
  openApiDocuments,
  type RemoteOpenApi,
} from '../openapi/documents.ts'
import type { Descriptions } from '../openapi/schemas.ts'

const JSON_TYPE = 'application/json'

export interface DocumentParts {
  readonly catalog: Catalog
  readonly clock: Clock
  readonly build: BuildInfo
  /** `host:port` as clients reach the server. */
  readonly serverAddress: string
  /** The texts of the API's fields. Asked once, with the first OpenAPI document: they are large and seldom wanted. */
  readonly descriptions: () => Descriptions
  /** Paths beside resources and documents, for the index at `/`. */
  readonly pathNames?: readonly string[] | undefined
  /** Absent: nothing. */
  readonly aggregation?: { registered(): Registered; onChange(listener: () => void): () => void } | undefined
}

/** What is served beside the catalog's definitions. */
export interface Registered {
  readonly registrations: readonly Registration[]
  readonly openApi: RemoteOpenApi
}

export interface Documents extends Disposable {
  /** Undefined: not one of its paths. */
  handle(request: ApiRequest): ApiResponse | undefined
}

export function createDocuments(parts: DocumentParts): Documents {
  let known = new Map<string, ApiResponse | undefined>()
  let descriptions: Descriptions | undefined
  let served: Served | undefined
  let openApi: OpenApiDocuments | undefined
  const forget = (): void => {
    known = new Map()
    served = undefined
    openApi = undefined
  }
  const stops = [parts.catalog.onChange(forget), parts.aggregation?.onChange(forget)]
  const currentOpenApi = (): OpenApiDocuments => {
    descriptions ??= parts.descriptions()
    served ??= servedBy(parts)
    openApi ??= openApiDocuments(served.definitions, descriptions, served.openApi)
    return openApi
  }
  const remembered = (name: string, make: () => ApiResponse | undefined): ApiResponse | undefined => {
    if (!known.has(name)) known.set(name, make())
    return known.get(name)
  }
  return {
    handle(request) {
      const path = request.path.length > 1 ? request.path.replace(/\/$/, '') : request.path
      if (path.startsWith('/openapi/')) return openApiAnswer(currentOpenApi(), path, request, parts.clock.now())
      served ??= servedBy(parts)
      const what = served
      const type = path === '/api' || path === '/apis' ? aggregatedType(request.headers.accept) : undefined
      if (type)
        return notModified(
          request,
          remembered(`aggregated ${path} ${type}`, () => aggregated(what, path, type)),
        )
      const value = documentAt(parts, what, path)
      if (value && request.method !== 'GET' && !answersAnyMethod(path)) throw methodNotAllowed()
      return value && answerOf(request, value)
    },
    [Symbol.dispose]() {
      for (const stop of stops) stop?.()
    },
  }
}

interface Served extends Registered {
  /** Of what this server serves itself. */
  readonly definitions: readonly ResourceDefinition[]
}

/** Where another server is registered for a version, what this one would serve there is not served. */
function servedBy({ catalog, aggregation }: DocumentParts): Served {
  const registered = aggregation?.registered() ?? { registrations: [], openApi: NOTHING_REMOTE }
  const taken = new Set(registered.registrations.filter(({ remote }) => remote).map(apiVersionOf))
  const all = catalog.all()
  const definitions = taken.size === 0 ? all : all.filter((definition) => !taken.has(apiVersionOf(definition)))
  return { ...registered, definitions }
}

/** The lists of groups and of a group's versions are no routes upstream: whatever is done to them, they are read. */
function answersAnyMethod(path: string): boolean {
  return /^\/apis(?:\/[^/]+)?$/.test(path)
}

function aggregated({ definitions, registrations }: Served, path: string, type: AggregatedType): ApiResponse {
  const list = aggregatedDiscovery(definitions, path === '/api' ? 'api' : 'apis', registrations)
  const { bytes, headers } = aggregatedAnswer(list, type)
  return { status: 200, headers, body: { type: 'bytes', bytes } }
}

function notModified({ headers }: ApiRequest, answer: ApiResponse | undefined): ApiResponse | undefined {
  const etag = answer?.headers.etag
  if (etag === undefined || headers['if-none-match'] !== etag) return answer
  return { status: 304, headers: { etag }, body: { type: 'none' } }
}

function documentAt(
  { build, serverAddress, pathNames }: DocumentParts,
  served: Served,
  path: string,
): object | undefined {
  const { definitions, registrations } = served
  if (path === '/')
    return { paths: [...DOCUMENT_PATHS, ...apiPaths(served), ...(pathNames ?? [])].toSorted(byCodeUnit) }
  if (path === '/version') return versionInfo(build)
  if (path === '/api') return coreVersions(definitions, serverAddress)
  if (path === '/apis') return groupList(definitions, registrations)
  const [, root, first = '', second, ...rest] = path.split('/')
  if (rest.length > 0) return undefined
  if (root === 'api' && second === undefined) return resourcesOf(definitions, first)
  if (root !== 'apis') return undefined
  return second === undefined
    ? groupDocument(definitions, first, registrations)
    : resourcesOf(definitions, `${first}/${second}`)
}

const DOCUMENT_PATHS = ['/api', '/apis', '/apis/', '/openapi/v2', '/openapi/v3', '/openapi/v3/', '/version']

function apiPaths({ definitions, registrations }: Served): readonly string[] {
  return servedGroups(definitions, registrations).flatMap(({ name, versions }) => {
    const base = name === '' ? '/api' : `/apis/${name}`
    return [...(name === '' ? [] : [base]), ...versions.map((version) => `${base}/${version}`)]
  })
}

function resourcesOf(definitions: readonly ResourceDefinition[], groupVersion: string): object | undefined {
  const list = resourceList(definitions, groupVersion)
  return list.resources.length > 0 ? list : undefined
}

function answerOf(request: ApiRequest, value: object): ApiResponse {
  if ('kind' in value) request.audit?.answers(() => value)
  if (request.wants === 'object') return { status: 200, headers: {}, body: { type: 'object', object: value } }
  const { type, bytes } = encoded(value, request.headers.accept)
  return { status: 200, headers: { 'content-type': type }, body: { type: 'bytes', bytes } }
}

const YAML_TYPE = 'application/yaml'

/** Group and resource lists are objects of the API and have its forms; the version is JSON and nothing else. */
function encoded(value: object, accept: string | undefined): { readonly type: string; readonly bytes: Uint8Array } {
  const types = 'kind' in value ? [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE] : [JSON_TYPE]
  // It has no tables; its aggregated form has been looked for before.
  const type = preferredType(accept, types)
  if (type === undefined) throw notAcceptable(types)
  if (type === YAML_TYPE) return { type, bytes: encodeYaml(value) }
  const bytes = type === PROTOBUF_TYPE ? encodeProtobuf(value) : undefined
  return bytes ? { type, bytes } : { type: JSON_TYPE, bytes: encodeJson(value) }
}

function openApiAnswer(
  documents: OpenApiDocuments,
  path: string,
  request: ApiRequest,
  nowMs: number,
): ApiResponse | undefined {
  const { accept, 'if-none-match': ifNoneMatch } = request.headers
  const hash = request.query.get('hash') ?? undefined
  const answer = openApiDocumentAnswer(documents, { path, accept, hash, ifNoneMatch }, nowMs)
  if (!answer) return undefined
  const body = answer.status === 200 ? ({ type: 'bytes', bytes: answer.bytes } as const) : ({ type: 'none' } as const)
  return { status: answer.status, headers: answer.headers, body }
}
