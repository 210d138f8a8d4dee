/** What the server says about itself: discovery, the version, OpenAPI. Rebuilt when the catalog changes. */

import type { Catalog } from '../../apis/catalog.ts'
import { encodeProtobuf, PROTOBUF_TYPE } from '../../apis/protobuf-forms.ts'
import type { Clock } from '../../base/clock.ts'
import { notAcceptable } from '../../machinery/meta/api-error.ts'
import { preferredType } from '../../machinery/wire/content-type.ts'
import { encodeJson } from '../../machinery/wire/json.ts'
import type { ApiRequest, ApiResponse } from '../../machinery/wire/message.ts'
import { encodeYaml } from '../../machinery/wire/yaml.ts'
import { type AggregatedType, aggregatedAnswer, aggregatedDiscovery, aggregatedType } from '../discovery/aggregated.ts'
import { coreVersions, groupDocument, groupList } from '../discovery/groups.ts'
import { resourceList } from '../discovery/resources.ts'
import { type BuildInfo, versionInfo } from '../discovery/version.ts'
import {
  documentAnswer,
  type OpenApiDocument,
  type OpenApiDocuments,
  openApiDocuments,
  v2Form,
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
}

export interface Documents extends Disposable {
  /** Undefined: not one of its paths. */
  handle(request: ApiRequest): ApiResponse | undefined
}

export function createDocuments(parts: DocumentParts): Documents {
  const { catalog } = parts
  let known = new Map<string, ApiResponse | undefined>()
  let descriptions: Descriptions | undefined
  let openApi: OpenApiDocuments | undefined
  const stop = catalog.onChange(() => {
    known = new Map()
    openApi = undefined
  })
  const currentOpenApi = (): OpenApiDocuments => {
    descriptions ??= parts.descriptions()
    openApi ??= openApiDocuments(catalog.all(), descriptions)
    return openApi
  }
  const remembered = (name: string, make: () => ApiResponse | undefined): ApiResponse | undefined => {
    if (!known.has(name)) known.set(name, make())
    return known.get(name)
  }
  return {
    handle(request) {
      if (request.method !== 'GET' && request.method !== 'HEAD') return undefined
      const path = request.path.length > 1 ? request.path.replace(/\/$/, '') : request.path
      if (path.startsWith('/openapi/')) return openApiAnswer(currentOpenApi(), path, request, parts.clock.now())
      const type = path === '/api' || path === '/apis' ? aggregatedType(request.headers.accept) : undefined
      if (type)
        return notModified(
          request,
          remembered(`aggregated ${path} ${type}`, () => aggregated(catalog, path, type)),
        )
      const value = documentAt(parts, path)
      return value && answerOf(request, value)
    },
    [Symbol.dispose]: () => stop(),
  }
}

function aggregated(catalog: Catalog, path: string, type: AggregatedType): ApiResponse {
  const { bytes, headers } = aggregatedAnswer(
    aggregatedDiscovery(catalog.all(), path === '/api' ? 'api' : 'apis'),
    type,
  )
  return { status: 200, headers, body: { type: 'bytes', bytes } }
}

function notModified({ headers }: ApiRequest, answer: ApiResponse | undefined): ApiResponse | undefined {
  const etag = answer?.headers.etag
  if (etag === undefined || headers['if-none-match'] !== etag) return answer
  return { status: 304, headers: { etag }, body: { type: 'none' } }
}

function documentAt({ catalog, build, serverAddress }: DocumentParts, path: string): object | undefined {
  if (path === '/version') return versionInfo(build)
  if (path === '/api') return coreVersions(catalog.all(), serverAddress)
  if (path === '/apis') return groupList(catalog.all())
  const [, root, first = '', second, ...rest] = path.split('/')
  if (rest.length > 0) return undefined
  if (root === 'api' && second === undefined) return resourcesOf(catalog, first)
  if (root !== 'apis') return undefined
  return second === undefined ? groupDocument(catalog.all(), first) : resourcesOf(catalog, `${first}/${second}`)
}

function resourcesOf(catalog: Catalog, groupVersion: string): object | undefined {
  const list = resourceList(catalog.all(), groupVersion)
  return list.resources.length > 0 ? list : undefined
}

function answerOf(request: ApiRequest, value: object): ApiResponse {
  if (request.wants === 'object') return { status: 200, headers: {}, body: { type: 'object', object: value } }
  const { type, bytes } = encoded(value, request.headers.accept)
  return { status: 200, headers: { 'content-type': type }, body: { type: 'bytes', bytes } }
}

const YAML_TYPE = 'application/yaml'

/** Group and resource lists are objects of the API and have its forms; the version is JSON and nothing else. */
function encoded(value: object, accept: string | undefined): { readonly type: string; readonly bytes: Uint8Array } {
  const types = 'kind' in value ? [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE] : [JSON_TYPE]
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
  const document = openApiDocument(documents, path, request)
  if (!document) return undefined
  const hash = request.query.get('hash') ?? undefined
  const answer = documentAnswer(document, { url: path, hash, ifNoneMatch: request.headers['if-none-match'] }, nowMs)
  const body = answer.status === 200 ? ({ type: 'bytes', bytes: answer.bytes } as const) : ({ type: 'none' } as const)
  return { status: answer.status, headers: answer.headers, body }
}

function openApiDocument(
  documents: OpenApiDocuments,
  path: string,
  { headers }: ApiRequest,
): OpenApiDocument | undefined {
  if (path === '/openapi/v2') {
    const form = v2Form(headers.accept)
    if (form === undefined) throw notAcceptable(['application/json'])
    return documents.v2(form)
  }
  if (path === '/openapi/v3') return documents.v3Index()
  return path.startsWith('/openapi/v3/') ? documents.v3(path.slice('/openapi/v3/'.length)) : undefined
}
