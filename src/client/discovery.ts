/**
 * What a server serves, asked of the server: built-in, custom and aggregated resources look the same here. For those
 * who must work on whatever there is: namespace deletion and garbage collection.
 */

import type { Scope } from '../apis/definition.ts'
import { ApiError, internalError } from '../machinery/meta/api-error.ts'
import type { ApiResponse } from '../machinery/wire/message.ts'
import type { Client, ResourceAddress } from './client.ts'

export interface ServedResource extends ResourceAddress {
  readonly verbs: readonly string[]
}

export interface Discovery {
  /** One version of each resource, the one its group prefers. */
  readonly resources: readonly ServedResource[]
  /** Every version of every kind. */
  readonly kinds: readonly ServedResource[]
  /** Group versions whose server did not answer, with what is known about why. What they serve is unknown. */
  readonly failures: readonly DiscoveryFailure[]
}

export interface DiscoveryFailure {
  /** `metrics.k8s.io/v1beta1`. */
  readonly groupVersion: string
  readonly message: string
}

const ACCEPT = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

/** Throws `ApiError` when the server itself does not answer. */
export async function discover(client: Client, signal?: AbortSignal): Promise<Discovery> {
  const roots = await Promise.all(
    ['/api', '/apis'].map((path) => client.raw({ path, headers: { accept: ACCEPT }, signal })),
  )
  const versions = roots.flatMap((answer) => listOf(documentOf(answer), 'items')).flatMap(versionsOf)
  const kinds = versions.filter(({ stale }) => !stale).flatMap(({ resources }) => resources)
  const failures = versions
    .filter(({ stale }) => stale)
    .map(({ groupVersion }) => ({ groupVersion, message: `stale GroupVersion discovery: ${groupVersion}` }))
  return { resources: preferred(kinds), kinds, failures }
}

/** Versions come in the order of preference. */
function preferred(kinds: readonly ServedResource[]): readonly ServedResource[] {
  const first = new Map<string, ServedResource>()
  for (const served of kinds) {
    const name = `${served.group}/${served.resource}`
    if (!first.has(name)) first.set(name, served)
  }
  return [...first.values()]
}

interface ServedVersion {
  readonly groupVersion: string
  readonly stale: boolean
  readonly resources: readonly ServedResource[]
}

function versionsOf(group: unknown): readonly ServedVersion[] {
  const name = textOf(recordOf(recordOf(group).metadata), 'name')
  return listOf(group, 'versions').map((entry) => {
    const version = textOf(recordOf(entry), 'version')
    return {
      groupVersion: name === '' ? version : `${name}/${version}`,
      stale: recordOf(entry).freshness === 'Stale',
      resources: listOf(entry, 'resources').map((resource) => servedOf(recordOf(resource), name, version)),
    }
  })
}

function servedOf(entry: Readonly<Record<string, unknown>>, group: string, version: string): ServedResource {
  const scope: Scope = entry.scope === 'Namespaced' ? 'Namespaced' : 'Cluster'
  const verbs = listOf(entry, 'verbs').filter((verb) => typeof verb === 'string')
  const kind = textOf(recordOf(entry.responseKind), 'kind')
  return { group, version, resource: textOf(entry, 'resource'), kind, scope, verbs }
}

function documentOf({ status, body }: ApiResponse): unknown {
  if (status !== 200) throw new ApiError(status, '', `discovery was answered with status ${status}`)
  if (body.type === 'object') return body.object
  if (body.type !== 'bytes') throw internalError('discovery was answered without a document')
  const bytes = body.bytes instanceof Uint8Array ? [body.bytes] : body.bytes
  return JSON.parse(Buffer.concat(bytes).toString('utf8'))
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function listOf(value: unknown, field: string): readonly unknown[] {
  const list = recordOf(value)[field]
  return Array.isArray(list) ? list : []
}

function textOf(record: Readonly<Record<string, unknown>>, field: string): string {
  const text = record[field]
  return typeof text === 'string' ? text : ''
}
