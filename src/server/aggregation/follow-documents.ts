/**
 * Keeps what one aggregated server says about one of its versions: its discovery, the list of its OpenAPI v3 documents
 * and its OpenAPI v2 document. Each is asked for again and again, on its own; of OpenAPI, what was known stays while it
 * fails.
 */

import { type Backoff, backoffMs } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { isRecord } from '../../base/is-record.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { decodeJson } from '../../machinery/wire/json.ts'
import type { UserInfo } from '../../machinery/wire/message.ts'
import { AGGREGATED_PARAMETERS } from '../discovery/aggregated.ts'
import type { APIResourceDiscovery, APIVersionDiscovery } from '../discovery/discovery-list.ts'
import { type PartV2, partOf } from '../openapi/merge-v2.ts'
import type { Ask } from './ask.ts'
import { resourcesInGroups, resourcesInList } from './read-discovery.ts'
import type { RemoteVersion } from './remote-version.ts'

export interface RemoteDocuments {
  readonly discovery: APIVersionDiscovery
  /** By the name of the document, without `/openapi/v3/`: where this server has it. Absent: not known yet. */
  readonly openApiV3?: ReadonlyMap<string, string> | undefined
  readonly openApiV2?: PartV2 | undefined
}

export interface FollowParts {
  readonly ask: Ask
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** What is known changed. */
  changed(documents: RemoteDocuments): void
}

/** Both are upstream's. */
const DISCOVERY_USER: UserInfo = { name: 'system:kube-aggregator', groups: ['system:masters'] }
const OPENAPI_USER: UserInfo = { name: 'system:aggregator', groups: [] }

/** Between two looks at what answers, in ms; upstream's for all three. */
const PERIOD_MS = 60_000
const DISCOVERY_TIMEOUT_MS = 5_000
const OPENAPI_TIMEOUT_MS = 60_000
const DISCOVERY_BACKOFF: Backoff = { initialMs: 500, factor: 2, maxMs: PERIOD_MS, jitter: 0.1 }
const OPENAPI_BACKOFF: Backoff = { initialMs: PERIOD_MS, factor: 2, maxMs: 3_600_000, jitter: 0.1 }
/** Bytes of a document. Kubernetes' own OpenAPI document, the largest there is, has 4 MB. */
const DOCUMENT_BYTES_MAX = 32 * 1024 * 1024

const ACCEPT_GROUPS = ['v2', 'v2beta1']
  .map((version) => `application/json${AGGREGATED_PARAMETERS.replace('v=v2', `v=${version}`)}`)
  .join(',')

/** Nothing is known yet: a version of which nobody can say what is in it. */
export function unknownDocuments({ version }: RemoteVersion): RemoteDocuments {
  return { discovery: { version, freshness: 'Stale' } }
}

/** Until `signal` aborts. */
export async function followDocuments(
  parts: FollowParts,
  remote: RemoteVersion,
  known: RemoteDocuments,
  signal: AbortSignal,
): Promise<void> {
  const { version } = remote
  let documents = known
  const publish = (news: Partial<RemoteDocuments>): void => {
    const next = { ...documents, ...news }
    if (signal.aborted || deepEqual(asPlain(next), asPlain(documents))) return
    documents = next
    parts.changed(next)
  }
  const reading: Reading = { ask: (asked) => parts.ask(remote, { ...asked, signal }), remote }
  const discovery = async (): Promise<void> => {
    try {
      const resources = await readResources(reading)
      publish({ discovery: { version, ...(resources.length > 0 && { resources }), freshness: 'Current' } })
    } catch (error) {
      // Clients are to see that they do not know, not what was true before.
      publish({ discovery: { version, freshness: 'Stale' } })
      throw error
    }
  }
  let etag: string | undefined
  const openApiV2 = async (): Promise<void> => {
    const answer = await reading.ask({
      ...OPENAPI,
      path: '/openapi/v2',
      headers: { accept: 'application/json', ...(etag !== undefined && { 'if-none-match': etag }) },
    })
    if (answer.status === 304) return
    if (answer.status !== 200) throw new Error(`OpenAPI v2 was answered with status ${answer.status}`)
    publish({ openApiV2: partOf(decodeJson(answer.bytes), remote) })
    etag = answer.etag
  }
  const openApiV3 = async (): Promise<void> => publish({ openApiV3: await readIndex(reading) })
  await Promise.all([
    repeat(parts, { name: 'discovery', backoff: DISCOVERY_BACKOFF, read: discovery }, signal),
    repeat(parts, { name: 'OpenAPI v3', backoff: OPENAPI_BACKOFF, read: openApiV3 }, signal),
    repeat(parts, { name: 'OpenAPI v2', backoff: OPENAPI_BACKOFF, read: openApiV2 }, signal),
  ])
}

function asPlain({ openApiV3, ...others }: RemoteDocuments): object {
  return { ...others, openApiV3: openApiV3 && [...openApiV3] }
}

interface Reading {
  readonly remote: RemoteVersion
  readonly ask: (asked: Omit<Parameters<Ask>[1], 'signal'>) => ReturnType<Ask>
}

const DISCOVERY = { user: DISCOVERY_USER, timeoutMs: DISCOVERY_TIMEOUT_MS, bytesMax: DOCUMENT_BYTES_MAX }
const OPENAPI = { user: OPENAPI_USER, timeoutMs: OPENAPI_TIMEOUT_MS, bytesMax: DOCUMENT_BYTES_MAX }

async function readResources({ ask, remote }: Reading): Promise<readonly APIResourceDiscovery[]> {
  const { group, version } = remote
  const whole = await ask({ ...DISCOVERY, path: '/apis', headers: { accept: ACCEPT_GROUPS } })
  if (whole.status === 503) throw new Error('the server answered with status 503')
  const found = whole.status === 200 ? resourcesInGroups(decodeJson(whole.bytes), remote) : undefined
  if (found) return found
  const path = `/apis/${group}/${version}`
  const list = await ask({ ...DISCOVERY, path, headers: { accept: 'application/json' } })
  const listed = list.status === 200 ? resourcesInList(decodeJson(list.bytes)) : undefined
  if (listed === undefined) throw new Error(`failed to download legacy discovery for ${path}: ${list.status}`)
  return listed
}

const V3_ROOT = '/openapi/v3/'

/** Of its documents, those about this version and its group. */
async function readIndex({ ask, remote: { group, version } }: Reading): Promise<ReadonlyMap<string, string>> {
  const path = V3_ROOT.slice(0, -1)
  const answer = await ask({ ...OPENAPI, path, headers: { accept: 'application/json' } })
  // It has none: an old server.
  if (answer.status === 404) return new Map()
  if (answer.status !== 200) throw new Error(`OpenAPI v3 was answered with status ${answer.status}`)
  const index = decodeJson(answer.bytes)
  const paths = isRecord(index) && isRecord(index.paths) ? index.paths : {}
  const found = new Map<string, string>()
  for (const name of [`apis/${group}`, `apis/${group}/${version}`]) {
    const entry = Object.hasOwn(paths, name) ? paths[name] : undefined
    const url = isRecord(entry) ? entry.serverRelativeURL : undefined
    if (typeof url === 'string') found.set(name, url.startsWith(`${V3_ROOT}${name}`) ? url : `${V3_ROOT}${name}`)
  }
  return found
}

interface Repeated {
  readonly name: string
  readonly backoff: Backoff
  read(): Promise<void>
}

async function repeat(parts: FollowParts, { name, backoff, read }: Repeated, signal: AbortSignal): Promise<void> {
  const { clock, random, log } = parts
  for (let failures = 0; !signal.aborted; ) {
    try {
      await read()
      failures = 0
    } catch (error) {
      if (signal.aborted) return
      log.debug('a document of an aggregated server could not be read', { document: name, error: String(error) })
      failures++
    }
    const pauseMs = failures === 0 ? PERIOD_MS : backoffMs(backoff, failures - 1, random.next())
    await clock.sleep(pauseMs, signal).catch(() => {})
  }
}
