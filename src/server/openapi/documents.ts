/**
 * The OpenAPI documents as bytes with their HTTP headers, made when first asked for and kept until what is
 * served changes. Pure but for that memory: the caller makes a new value when the catalog changes.
 */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import { sha512HexUpper } from '../../base/hash.ts'
import type { MediaType } from '../../machinery/wire/content-type.ts'
import { mediaTypeCovers, parseAccept } from '../../machinery/wire/content-type.ts'
import { encodeDocument } from './gnostic.ts'
import { mergeV2, type PartV2 } from './merge-v2.ts'
import { basePath } from './operations.ts'
import type { Descriptions } from './schemas.ts'
import { type DocumentV2, documentV2 } from './v2.ts'
import { documentV3, pathsByDocument } from './v3.ts'
import { v3FromV2 } from './v3-from-v2.ts'

export interface OpenApiDocument {
  readonly bytes: Uint8Array
  readonly contentType: string
  /** Without quotes. */
  readonly hash: string
}

export interface OpenApiDocuments {
  readonly v2: (form: 'json' | 'protobuf') => OpenApiDocument
  /** Names of the v3 documents: `api/v1`, `apis/apps/v1`, … */
  readonly v3Names: () => readonly string[]
  readonly v3: (name: string) => OpenApiDocument | undefined
  /** The list of v3 documents with their hashes. */
  readonly v3Index: () => OpenApiDocument
}

const JSON_TYPE = 'application/json'
/** The list of documents has no type of its own upstream. */
const INDEX_TYPE = 'text/plain; charset=utf-8'
const PROTOBUF_V2 = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

/** What aggregated servers have to say. */
export interface RemoteOpenApi {
  /** In the order of their priority. */
  readonly v2: readonly PartV2[]
  /** Where this server has them, by their names. */
  readonly v3: ReadonlyMap<string, string>
  /** What becomes a v3 document here, because its server has none. */
  readonly v3FromV2: ReadonlyMap<string, PartV2>
}

export const NOTHING_REMOTE: RemoteOpenApi = { v2: [], v3: new Map(), v3FromV2: new Map() }

/** `descriptions` may be empty: the documents then have the same structure without texts. */
export function openApiDocuments(
  definitions: readonly ResourceDefinition[],
  descriptions: Descriptions,
  remote: RemoteOpenApi = NOTHING_REMOTE,
): OpenApiDocuments {
  const modelV2 = once(() => mergeV2(documentV2(definitions, descriptions), remote.v2))
  const forms = {
    json: once(() => answer(Buffer.from(JSON.stringify(modelV2())), JSON_TYPE)),
    protobuf: once(() => protobufAnswer(modelV2())),
  }
  const paths = once(() => {
    const found = pathsByDocument(definitions)
    keepOnly(descriptions, found)
    return found
  })
  const converted = new Map<string, OpenApiDocument>()
  const v3 = (name: string): OpenApiDocument | undefined => {
    const own = paths().get(name)
    if (own === undefined) return convertedDocument(name, remote, converted)
    return keptDocument(name, definitions, descriptions, () =>
      answer(Buffer.from(JSON.stringify(documentV3(name, own, definitions, descriptions))), JSON_TYPE),
    )
  }
  const v3Names = (): readonly string[] => [...new Set([...paths().keys(), ...remote.v3FromV2.keys()])].sort()
  return {
    v2: (form) => forms[form](),
    v3Names,
    v3,
    v3Index: once(() => {
      const own = v3Names().map((name) => [name, `/openapi/v3/${name}?hash=${v3(name)?.hash}`] as const)
      const urls = [...new Map([...remote.v3, ...own])].toSorted(([left], [right]) => byCodeUnit(left, right))
      const entries = urls.map(([name, serverRelativeURL]) => [name, { serverRelativeURL }])
      return answer(Buffer.from(JSON.stringify({ paths: Object.fromEntries(entries) })), INDEX_TYPE)
    }),
  }
}

interface KeptDocument {
  readonly own: readonly ResourceDefinition[]
  readonly document: OpenApiDocument
}

/**
 * The v3 documents made so far, by their descriptions and name. A document is about the definitions of its own
 * group version, so a new custom resource leaves all others as they are.
 */
const kept = new WeakMap<Descriptions, Map<string, KeptDocument>>()

/** Forgets documents of what is not served any more. */
function keepOnly(descriptions: Descriptions, names: ReadonlyMap<string, unknown>): void {
  const documents = kept.get(descriptions)
  for (const name of documents?.keys() ?? []) if (!names.has(name)) documents?.delete(name)
}

function keptDocument(
  name: string,
  definitions: readonly ResourceDefinition[],
  descriptions: Descriptions,
  make: () => OpenApiDocument,
): OpenApiDocument {
  const documents = kept.get(descriptions) ?? new Map<string, KeptDocument>()
  kept.set(descriptions, documents)
  const own = definitions.filter((definition) => basePath(definition) === `/${name}`)
  const known = documents.get(name)
  if (known?.own.length === own.length && own.every((definition, index) => definition === known.own[index])) {
    return known.document
  }
  const document = make()
  documents.set(name, { own, document })
  return document
}

function convertedDocument(
  name: string,
  { v3FromV2: parts }: RemoteOpenApi,
  known: Map<string, OpenApiDocument>,
): OpenApiDocument | undefined {
  const part = parts.get(name)
  if (part === undefined) return undefined
  const document = known.get(name) ?? answer(Buffer.from(JSON.stringify(v3FromV2(part))), JSON_TYPE)
  known.set(name, document)
  return document
}

function answer(bytes: Uint8Array, contentType: string): OpenApiDocument {
  return { bytes, contentType, hash: sha512HexUpper(bytes) }
}

function protobufAnswer(document: DocumentV2): OpenApiDocument {
  return answer(encodeDocument(document), PROTOBUF_V2)
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** How to answer a GET of `/openapi/v2`; undefined is a 406. */
export function v2Form(accept: string | undefined): 'json' | 'protobuf' | undefined {
  // Clients also spell the type with an at sign, which is no character of media types.
  for (const media of parseAccept(accept?.replaceAll('.v2@v1.0+', '.v2.v1.0+'))) {
    if (media.type === PROTOBUF_V2) return 'protobuf'
    if (isJsonType(media)) return 'json'
  }
  return undefined
}

function isJsonType({ type }: MediaType): boolean {
  return mediaTypeCovers(type, JSON_TYPE)
}

/** A year: what is named by its hash never changes. */
const IMMUTABLE_MS = 365 * 24 * 60 * 60 * 1000

type Headers = Readonly<Record<string, string>>

export type DocumentAnswer =
  | { readonly status: 200; readonly headers: Headers; readonly bytes: Uint8Array }
  | { readonly status: 301 | 304 | 404 | 406; readonly headers: Headers }

export interface DocumentRequest {
  readonly path: string
  readonly accept?: string | undefined
  /** The query parameter that v3 has: right, the answer may be kept for ever; wrong, it points to the right one. */
  readonly hash?: string | undefined
  readonly ifNoneMatch?: string | undefined
}

const V3_PREFIX = '/openapi/v3/'
const VARY_V2 = { vary: 'Accept-Encoding, Accept' }
const VARY_V3 = { vary: 'Accept' }

/** The answer to a GET below `/openapi/`. Undefined: nothing is there. */
export function openApiDocumentAnswer(
  documents: OpenApiDocuments,
  request: DocumentRequest,
  nowMs: number,
): DocumentAnswer | undefined {
  const { path, accept } = request
  if (path === '/openapi/v2') {
    const form = v2Form(accept)
    return form === undefined ? { status: 406, headers: VARY_V2 } : keptAnswer(documents.v2(form), request, VARY_V2)
  }
  if (path === '/openapi/v3') {
    const { bytes, contentType } = documents.v3Index()
    return { status: 200, headers: { 'content-type': contentType }, bytes }
  }
  if (!path.startsWith(V3_PREFIX)) return undefined
  const document = documents.v3(path.slice(V3_PREFIX.length))
  if (!document) return { status: 404, headers: {} }
  if (!parseAccept(accept).some(isJsonType)) return { status: 406, headers: VARY_V3 }
  return hashedAnswer(document, request, nowMs)
}

function hashedAnswer(document: OpenApiDocument, request: DocumentRequest, nowMs: number): DocumentAnswer {
  const { path, hash = '' } = request
  if (hash === '') return keptAnswer(document, request, VARY_V3)
  if (hash === document.hash) {
    const expires = new Date(nowMs + IMMUTABLE_MS).toUTCString()
    return keptAnswer(document, request, { ...VARY_V3, 'cache-control': 'public, immutable', expires })
  }
  const headers = { ...VARY_V3, 'content-type': document.contentType, etag: `"${document.hash}"` }
  return { status: 301, headers: { ...headers, location: `${path}?hash=${document.hash}` } }
}

/** The document, or that the caller has it. */
function keptAnswer(
  { hash, bytes, contentType }: OpenApiDocument,
  { ifNoneMatch }: DocumentRequest,
  others: Headers,
): DocumentAnswer {
  const headers = { ...others, etag: `"${hash}"` }
  if (ifNoneMatch !== undefined && matchesTag(ifNoneMatch, headers.etag)) return { status: 304, headers }
  return { status: 200, headers: { ...headers, 'content-type': contentType }, bytes }
}

function matchesTag(header: string, etag: string): boolean {
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
}
