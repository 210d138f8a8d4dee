/**
 * What a request will cost, before it is handled: one seat for most; for lists by how much they bring together, and
 * for writes by how many watches are told of them. Numbers are upstream's.
 */

import type { RequestTarget } from '../auth/authorizer.ts'
import { type Flow, ONE_SEAT, type Work } from './ticket.ts'
import type { WatchCounts } from './watch-counts.ts'

export interface ObjectStatistics {
  readonly objects: number
  /** Of all of them. */
  readonly bytes: number
}

/** What is stored of a resource. Undefined: it is not served from here. */
export type StatisticsOf = (group: string, version: string, resource: string) => ObjectStatistics | undefined

const BYTES_PER_SEAT = 100_000
/** What an answer from memory may cost: it is written as it is read. */
const CACHED_BYTES_MAX = 1_000_000
const LIST_SEATS_MAX = 100
const WRITE_SEATS_MAX = 10
const WATCHES_PER_SEAT = 10
/** How long a seat is taken by the watches that fit on it. */
const WATCHES_MS = 5

type ResourceTarget = Extract<RequestTarget, { readonly type: 'resource' }>

const WRITING: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete'])

export interface WorkParts {
  readonly statisticsOf: StatisticsOf
  readonly watches: WatchCounts
}

export function estimateWork(parts: WorkParts, target: RequestTarget, query: URLSearchParams, flow: Flow): Work {
  if (target.type === 'path') return ONE_SEAT
  if (target.verb === 'list' || (target.verb === 'watch' && beginsWithAll(query)))
    return listWork(parts.statisticsOf, target, query, flow)
  return WRITING.has(target.verb) ? writeWork(parts.watches, target, flow) : ONE_SEAT
}

/** A watch costs what it begins with; from a given revision on it begins with nothing. */
function beginsWithAll(query: URLSearchParams): boolean {
  if (query.get('sendInitialEvents') === 'true') return true
  const version = query.get('resourceVersion') ?? ''
  return version === '' || version === '0'
}

function listWork(statisticsOf: StatisticsOf, target: ResourceTarget, query: URLSearchParams, flow: Flow): Work {
  const statistics = statisticsOf(target.group, target.version, target.resource)
  if (statistics === undefined || statistics.objects === 0) return ONE_SEAT
  const average = statistics.bytes / statistics.objects
  const limit = Number(query.get('limit')) || 0
  const limited = limit > 0 ? Math.min(limit, statistics.objects) : statistics.objects
  const bytes = objectsOf(target, query, limited, statistics.objects) * average
  const needed = isFromMemory(target, query) ? Math.min(bytes, CACHED_BYTES_MAX) : bytes
  return widthOf(Math.min(Math.ceil(needed / BYTES_PER_SEAT), maxOf(flow, LIST_SEATS_MAX)))
}

/** How many are held at once. Older states are read page by page and then selected from. */
function objectsOf(target: ResourceTarget, query: URLSearchParams, limited: number, stored: number): number {
  if (target.name !== '' || target.selectedName) return 1
  const selects = query.get('fieldSelector') || query.get('labelSelector')
  if (isFromMemory(target, query) || !selects) return limited
  return Math.max(limited, Math.floor(stored / 2))
}

/** Whether the newest state answers it; exact older ones come from the storage. */
function isFromMemory({ verb }: ResourceTarget, query: URLSearchParams): boolean {
  if (verb === 'watch') return true
  const match = query.get('resourceVersionMatch') ?? ''
  if (match !== '') return match === 'NotOlderThan'
  const version = query.get('resourceVersion') ?? ''
  return !query.get('continue') && !(query.get('limit') && version !== '' && version !== '0')
}

function writeWork(watches: WatchCounts, target: ResourceTarget, flow: Flow): Work {
  // A token is a new object of nothing that is watched.
  if (target.resource === 'serviceaccounts' && target.subresource === 'token') return ONE_SEAT
  const count = watches.interestedIn(target)
  flow.counts.watchers.observe(count)
  if (count < WATCHES_PER_SEAT) return ONE_SEAT
  const wanted = Math.ceil(count / WATCHES_PER_SEAT)
  const finalSeats = Math.min(wanted, maxOf(flow, WRITE_SEATS_MAX))
  return { seats: 1, finalSeats, finalMs: (wanted * WATCHES_MS) / finalSeats }
}

function maxOf({ widthMax }: Flow, max: number): number {
  return Math.min(widthMax ?? max, max)
}

function widthOf(seats: number): Work {
  return seats <= 1 ? ONE_SEAT : { seats, finalSeats: 0, finalMs: 0 }
}
