/**
 * Events about objects, correlated as upstream's recorder does: an identical event bumps the count of the one
 * before, many similar ones become "(combined from similar events)", and one object cannot flood the cluster.
 */

import { events } from '../apis/core/event.ts'
import type { Event, ObjectReference } from '../apis/core/types.gen.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import { LruMap } from '../base/lru.ts'
import { isAlreadyExists, isNotFound } from '../machinery/meta/api-error.ts'
import { type KubeObject, keyOf, type ObjectKey } from '../machinery/meta/object.ts'
import { formatTime } from '../machinery/meta/time.ts'
import type { Client } from './client.ts'
import type { EventLane } from './event-lane.ts'

export interface EventRecorder {
  /**
   * Never throws and never blocks. `regarding` needs apiVersion, kind, name and uid.
   */
  event(
    regarding: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    options?: EventOptions,
  ): void
}

export interface EventOptions {
  /** `spec.containers{web}`: the part of the object. */
  readonly fieldPath?: string | undefined
}

export interface EventRecorderParts {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  /** `kubelet`, `deployment-controller`: shown in FROM. */
  readonly component: string
  /** The node a kubelet speaks for. */
  readonly host?: string | undefined
  /** Shared by the components of a process. Absent: events are written when they happen. */
  readonly lane?: EventLane | undefined
}

/** Distinct events and groups that are remembered, as upstream's correlator. */
const REMEMBERED_EVENTS_MAX = 4096
/** The tenth similar event (all but the message equal) is combined with those after it, until a pause of the window. */
const SIMILAR_EVENTS_MAX = 10
const SIMILAR_WINDOW_MS = 600_000
/** One component may send this many events about one object at once, then one per refill time. */
const BURST_EVENTS = 25
const REFILL_MS = 300_000
/** Events that wait, about 2 KB each; what comes on top is dropped and logged. More than may wait in the lane. */
const PENDING_EVENTS_MAX = 5_000
/** Names tried for a new event: another component may speak of the same object at the same instant. */
const NAME_ATTEMPTS_MAX = 5

interface Group {
  readonly lastMs: number
  readonly messages: ReadonlySet<string>
}

interface Bucket {
  readonly tokens: number
  readonly updatedMs: number
}

/** An event as it was last written. */
interface Recorded {
  readonly key: ObjectKey
  readonly count: number
  readonly firstTimestamp: string
}

const atOnce: EventLane = (write) => write()

export function createEventRecorder(parts: EventRecorderParts): EventRecorder {
  const { clock, log, lane = atOnce } = parts
  const groups = new LruMap<string, Group>(REMEMBERED_EVENTS_MAX)
  const buckets = new LruMap<string, Bucket>(REMEMBERED_EVENTS_MAX)
  const recorded = new LruMap<string, Promise<Recorded | undefined>>(REMEMBERED_EVENTS_MAX)
  const suffix = createSuffixes(clock)
  let pending = 0

  const mayPass = (object: ObjectReference): boolean => {
    const key = `${object.uid}/${object.name}`
    const bucket = buckets.get(key) ?? { tokens: BURST_EVENTS, updatedMs: clock.now() }
    const refilled = Math.min(BURST_EVENTS, bucket.tokens + (clock.now() - bucket.updatedMs) / REFILL_MS)
    const passes = refilled >= 1
    buckets.set(key, { tokens: passes ? refilled - 1 : refilled, updatedMs: clock.now() })
    return passes
  }
  const combined = (groupKey: string, message: string): { readonly key: string; readonly message: string } => {
    const known = groups.get(groupKey)
    const before = known && clock.now() - known.lastMs <= SIMILAR_WINDOW_MS ? known.messages : new Set<string>()
    const messages = new Set(before).add(message)
    const combines = messages.size >= SIMILAR_EVENTS_MAX
    groups.set(groupKey, { lastMs: clock.now(), messages: combines ? before : messages })
    return combines
      ? { key: groupKey, message: `(combined from similar events): ${message}` }
      : { key: `${groupKey}/${message}`, message }
  }

  return {
    event(regarding, type, reason, text, options = {}) {
      const object = referenceOf(regarding, options.fieldPath)
      if (pending >= PENDING_EVENTS_MAX || !mayPass(object)) {
        log.debug('an event was dropped', { reason, object: object.name })
        return
      }
      const groupKey = [object.uid, object.name, object.fieldPath, type, reason].join('/')
      const { key, message } = combined(groupKey, text)
      const before = recorded.get(key) ?? Promise.resolve(undefined)
      const happened = { object, type, reason, message, atMs: clock.now() }
      pending++
      const written = before
        .then((previous) => lane(() => write(parts, { ...happened, suffix }, previous)))
        .catch((error: unknown) => {
          log.debug('an event could not be written', { reason, error: String(error) })
          return undefined
        })
      recorded.set(key, written)
      void written.finally(() => pending--)
    },
  }
}

interface NewEvent {
  readonly object: ObjectReference
  readonly type: string
  readonly reason: string
  readonly message: string
  /** When it happened; it may be written later. */
  readonly atMs: number
  /** The end of the event's name, should it be a new one. */
  readonly suffix: () => string
}

async function write(parts: EventRecorderParts, event: NewEvent, previous: Recorded | undefined): Promise<Recorded> {
  const now = formatTime(event.atMs)
  const next = { count: (previous?.count ?? 0) + 1, firstTimestamp: previous?.firstTimestamp ?? now }
  if (previous) {
    try {
      const body = { count: next.count, message: event.message, lastTimestamp: now }
      await parts.client.of(events).patch(previous.key, { type: 'merge', body })
      return { ...next, key: previous.key }
    } catch (error) {
      // Events are deleted after an hour; one that goes on keeps its count under a new name.
      if (!isNotFound(error)) throw error
    }
  }
  for (let attempts = 1; ; attempts++) {
    const created = newEvent(parts, event, { ...next, lastTimestamp: now })
    try {
      return { ...next, key: keyOf(await parts.client.of(events).create(created)) }
    } catch (error) {
      if (!isAlreadyExists(error) || attempts === NAME_ATTEMPTS_MAX) throw error
    }
  }
}

function newEvent(
  { component, host }: EventRecorderParts,
  { object, type, reason, message, suffix }: NewEvent,
  seen: Pick<Event, 'count' | 'firstTimestamp' | 'lastTimestamp'>,
): Omit<Event, 'apiVersion' | 'kind'> {
  return {
    metadata: { namespace: object.namespace || 'default', name: `${object.name}.${suffix()}` },
    involvedObject: object,
    reason,
    message,
    type,
    ...seen,
    eventTime: null,
    source: { component, host },
    reportingComponent: component,
    reportingInstance: host ?? '',
  }
}

/**
 * Nanoseconds since 1970 in hexadecimal, as upstream names events: wall time, made finer by the monotonic clock. Each
 * is above the one before, also while the clock stands still.
 */
function createSuffixes(clock: Clock): () => string {
  let last = 0n
  return () => {
    const fraction = BigInt(Math.floor((clock.monotonic() % 1) * 1_000_000))
    const now = BigInt(Math.floor(clock.now())) * 1_000_000n + fraction
    last = now > last ? now : last + 1n
    return last.toString(16)
  }
}

function referenceOf(object: KubeObject, fieldPath: string | undefined): ObjectReference {
  const { namespace, name, uid, resourceVersion } = object.metadata
  return { apiVersion: object.apiVersion, kind: object.kind, namespace, name, uid, resourceVersion, fieldPath }
}
