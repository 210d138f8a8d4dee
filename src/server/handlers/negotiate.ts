/**
 * How an answer is wanted: as the object itself, as a table or as its metadata only; in JSON, YAML or protobuf. The
 * first alternative of `Accept` that can be given is taken. There are no tables in protobuf.
 */

import { PROTOBUF_TYPE } from '../../apis/protobuf-forms.ts'
import { ApiError, notAcceptable } from '../../machinery/meta/api-error.ts'
import { type MediaType, mediaTypeCovers, parseAccept } from '../../machinery/wire/content-type.ts'
import type { ApiRequest } from '../../machinery/wire/message.ts'

export type Transformation = 'none' | 'table' | 'metadata' | 'metadataList'
export type Format = 'json' | 'yaml' | 'protobuf'

export interface Accepted {
  readonly as: Transformation
  readonly format: Format
  /** Of meta.k8s.io, for tables and metadata: `v1` or `v1beta1`. */
  readonly metaVersion: string
  readonly pretty: boolean
}

const FORMATS: readonly { readonly type: string; readonly format: Format }[] = [
  { type: 'application/json', format: 'json' },
  { type: 'application/yaml', format: 'yaml' },
  { type: PROTOBUF_TYPE, format: 'protobuf' },
]

const FORMATS_OF_STREAMS = FORMATS.filter(({ format }) => format !== 'yaml')

/** What can be given besides JSON. */
export interface Offer {
  /** Default: yes. Streams have none. */
  readonly yaml?: boolean | undefined
  /** Whether the object itself has a protobuf form; its metadata always has. Default: yes. */
  readonly protobuf?: boolean | undefined
  /** Default: yes. */
  readonly transformations?: boolean | undefined
}

const TRANSFORMATIONS: ReadonlyMap<string, Transformation> = new Map([
  ['Table', 'table'],
  ['PartialObjectMetadata', 'metadata'],
  ['PartialObjectMetadataList', 'metadataList'],
])
const META_VERSIONS: ReadonlySet<string> = new Set(['v1', 'v1beta1'])

/** Clients in whose hands JSON is read by a person, as upstream sees it. */
const HUMAN_CLIENTS = /^(?:curl|Wget|Mozilla\/5\.0)/

/**
 * Throws 406 when no alternative of `Accept` is, but for its parameters, one that the route of the request makes.
 * `application/*` is none: routes compare names.
 */
export function checkRouteMakes(
  types: readonly string[],
  { headers: { accept = '' } }: Pick<ApiRequest, 'headers'>,
): void {
  if (accept.trim() === '' || types.includes(accept)) return
  const asked = accept.split(',').map((alternative) => alternative.split(';', 1)[0]?.trim() ?? '')
  if (asked.some((type) => type === '*/*' || types.includes(type))) return
  const message = `406: Not Acceptable\n\nAvailable representations: ${types.join(', ')}`
  throw new ApiError(406, 'NotAcceptable', message, {})
}

/** What is made of objects, and besides of collections. */
export const OBJECT_TYPES: readonly string[] = FORMATS.map(({ type }) => type)
export const LIST_TYPES: readonly string[] = [
  ...OBJECT_TYPES,
  'application/json;stream=watch',
  `${PROTOBUF_TYPE};stream=watch`,
]

export function negotiate({ headers, query }: Pick<ApiRequest, 'headers' | 'query'>, offer: Offer = {}): Accepted {
  const choices = offer.yaml === false ? FORMATS_OF_STREAMS : FORMATS
  for (const media of parseAccept(headers.accept)) {
    for (const { type, format } of choices) {
      const as = mediaTypeCovers(media.type, type) ? transformationOf(media, offer) : undefined
      if (!as || (format === 'protobuf' && !hasProtobuf(as, offer))) continue
      const metaVersion = media.parameters.get('v') ?? 'v1'
      return { as, format, metaVersion, pretty: isPretty(headers, query) }
    }
  }
  throw notAcceptable(choices.map(({ type }) => (offer.yaml === false ? `${type};stream=watch` : type)))
}

function hasProtobuf(as: Transformation, { protobuf = true }: Offer): boolean {
  return as === 'metadata' || as === 'metadataList' || (as === 'none' && protobuf)
}

function transformationOf({ parameters }: MediaType, { transformations = true }: Offer): Transformation | undefined {
  const as = parameters.get('as')
  if (as === undefined) return 'none'
  if (!transformations || parameters.get('g') !== 'meta.k8s.io') return undefined
  return META_VERSIONS.has(parameters.get('v') ?? '') ? TRANSFORMATIONS.get(as) : undefined
}

function isPretty(headers: ApiRequest['headers'], query: URLSearchParams): boolean {
  const asked = query.get('pretty')
  if (asked !== null) return asked !== '0' && asked !== 'false'
  return HUMAN_CLIENTS.test(headers['user-agent'] ?? '')
}
