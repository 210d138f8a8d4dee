/**
 * How an answer is wanted: as the object itself, as a table or as its metadata only; in JSON or YAML. The first
 * alternative of `Accept` that can be given is taken. Protobuf is not among them: clients that list JSON behind it
 * get JSON, others a 406.
 */

import { notAcceptable } from '../../machinery/meta/api-error.ts'
import { type MediaType, mediaTypeCovers, parseAccept } from '../../machinery/wire/content-type.ts'
import type { ApiRequest } from '../../machinery/wire/message.ts'

export type Transformation = 'none' | 'table' | 'metadata'
export type TextFormat = 'json' | 'yaml'

export interface Accepted {
  readonly as: Transformation
  readonly format: TextFormat
  /** Of meta.k8s.io, for tables and metadata: `v1` or `v1beta1`. */
  readonly metaVersion: string
  readonly pretty: boolean
}

const FORMATS: readonly { readonly type: string; readonly format: TextFormat }[] = [
  { type: 'application/json', format: 'json' },
  { type: 'application/yaml', format: 'yaml' },
]

const TRANSFORMATIONS: ReadonlyMap<string, Transformation> = new Map([
  ['Table', 'table'],
  ['PartialObjectMetadata', 'metadata'],
  ['PartialObjectMetadataList', 'metadata'],
])
const META_VERSIONS: ReadonlySet<string> = new Set(['v1', 'v1beta1'])

/** Clients in whose hands JSON is read by a person, as upstream sees it. */
const HUMAN_CLIENTS = /^(?:curl|Wget|Mozilla\/5\.0)/

export function negotiate(
  { headers, query }: Pick<ApiRequest, 'headers' | 'query'>,
  offered: { readonly formats?: readonly TextFormat[]; readonly transformations?: boolean } = {},
): Accepted {
  const { formats = ['json', 'yaml'], transformations = true } = offered
  const choices = FORMATS.filter(({ format }) => formats.includes(format))
  for (const media of parseAccept(headers.accept)) {
    const choice = choices.find(({ type }) => mediaTypeCovers(media.type, type))
    const as = choice && transformationOf(media, transformations)
    if (!choice || !as) continue
    const metaVersion = media.parameters.get('v') ?? 'v1'
    return { as, format: choice.format, metaVersion, pretty: isPretty(headers, query) }
  }
  throw notAcceptable(choices.map(({ type }) => type))
}

function transformationOf({ parameters }: MediaType, offered: boolean): Transformation | undefined {
  const as = parameters.get('as')
  if (as === undefined) return 'none'
  if (!offered || parameters.get('g') !== 'meta.k8s.io') return undefined
  return META_VERSIONS.has(parameters.get('v') ?? '') ? TRANSFORMATIONS.get(as) : undefined
}

function isPretty(headers: ApiRequest['headers'], query: URLSearchParams): boolean {
  const asked = query.get('pretty')
  if (asked !== null) return asked !== '0' && asked !== 'false'
  return HUMAN_CLIENTS.test(headers['user-agent'] ?? '')
}
