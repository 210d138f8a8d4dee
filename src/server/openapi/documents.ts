/**
 * The OpenAPI documents as bytes with their HTTP headers, made when first asked for and kept until what is
 * served changes. Pure but for that memory: the caller makes a new value when the catalog changes.
 */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { sha512HexUpper } from '../../base/hash.ts'
import type { MediaType } from '../../machinery/wire/content-type.ts'
import { mediaTypeCovers, parseAccept } from '../../machinery/wire/content-type.ts'
import { encodeDocument } from './gnostic.ts'
import { basePath } from './operations.ts'
import type { Descriptions } from './schemas.ts'
import { type DocumentV2, documentV2 } from './v2.ts'
import { documentV3, pathsByDocument } from './v3.ts'

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
const PROTOBUF_V2 = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
/** `descriptions` may be empty: the documents then have the same structure without texts. */
export function openApiDocuments(
  definitions: readonly ResourceDefinition[],
  descriptions: Descriptions,
): OpenApiDocuments {
  const modelV2 = once(() => documentV2(definitions, descriptions))
  const forms = {
    json: once(() => answer(Buffer.from(JSON.stringify(modelV2())), JSON_TYPE)),
    protobuf: once(() => protobufAnswer(modelV2())),
  }
  const paths = once(() => {
    const found = pathsByDocument(definitions)
    keepOnly(descriptions, found)
    return found
  })
  const v3 = (name: string): OpenApiDocument | undefined => {
    const own = paths().get(name)
    if (own === undefined) return undefined
    return keptDocument(name, definitions, descriptions, () =>
      answer(Buffer.from(JSON.stringify(documentV3(name, own, definitions, descriptions))), JSON_TYPE),
    )
  }
  const v3Names = (): readonly string[] => [...paths().keys()].sort()
  return {
    v2: (form) => forms[form](),
    v3Names,
    v3,
    v3Index: once(() => {
      const entries = v3Names().map((name) => [
        name,
        { serverRelativeURL: `/openapi/v3/${name}?hash=${v3(name)?.hash}` },
      ])
      return answer(Buffer.from(JSON.stringify({ paths: Object.fromEntries(entries) })), JSON_TYPE)
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

export type DocumentAnswer =
  | { readonly status: 200; readonly headers: Readonly<Record<string, string>>; readonly bytes: Uint8Array }
  | { readonly status: 304 | 301; readonly headers: Readonly<Record<string, string>> }

/**
 * The answer to a GET of a document. `url` is the document's path, `hash` the query parameter that v3 has:
 * right, the answer may be kept for ever; wrong, it points to the right one.
 */
export function documentAnswer(
  document: OpenApiDocument,
  request: { readonly url: string; readonly hash?: string | undefined; readonly ifNoneMatch?: string | undefined },
  nowMs: number,
): DocumentAnswer {
  const { url, hash, ifNoneMatch } = request
  if (hash !== undefined && hash !== '' && hash !== document.hash) {
    return { status: 301, headers: { location: `${url}?hash=${document.hash}` } }
  }
  const etag = `"${document.hash}"`
  const headers = {
    etag,
    vary: 'Accept',
    ...(hash === document.hash
      ? { 'cache-control': 'public, immutable', expires: new Date(nowMs + IMMUTABLE_MS).toUTCString() }
      : {}),
  }
  if (ifNoneMatch !== undefined && matchesTag(ifNoneMatch, etag)) return { status: 304, headers }
  return { status: 200, headers: { ...headers, 'content-type': document.contentType }, bytes: document.bytes }
}

function matchesTag(header: string, etag: string): boolean {
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
}
