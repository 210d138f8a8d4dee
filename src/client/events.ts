/**
 * Events about objects, correlated as upstream's recorder does: an identical event bumps the count of the one
 * before, many similar ones become "(combined from similar events)", and one object cannot flood the cluster.
 */

import { events } from '../apis/core/event.ts'
import type { Event, ObjectReference } from '../apis/core/types.gen.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import { LruMap } from '../base/lru.ts'
import { isNotFound } from '../machinery/meta/api-error.ts'
import type { KubeObject, ObjectKey } from '../machinery/meta/object.ts'
import { formatTime } from '../machinery/meta/time.ts'
import type { Client } from './client.ts'

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
}

/** Distinct events and groups that are remembered, as upstream's correlator. */
const REMEMBERED_EVENTS_MAX = 4096
/** Similar events (all but the message equal) within the window before they are combined. */
const SIMILAR_EVENTS_MAX = 10
const SIMILAR_WINDOW_MS = 600_000
/** One component may send this many events about one object at once, then one per refill time. */
const BURST_EVENTS = 25
const REFILL_MS = 300_000
/** Writes that wait for the server; what comes on top is dropped and logged. */
const PENDING_EVENTS_MAX = 1000

interface Group {
  readonly startedMs: number
  readonly messages: ReadonlySet<string>
}

interface Bucket {
  readonly tokens: number
  readonly updatedMs: number
}

interface Recorded {
  readonly key: ObjectKey
  readonly count: number
}

export function createEventRecorder(parts: EventRecorderParts): EventRecorder {
  const { clock, log } = parts
  const groups = new LruMap<string, Group>(REMEMBERED_EVENTS_MAX)
  const buckets = new LruMap<string, Bucket>(REMEMBERED_EVENTS_MAX)
  const recorded = new LruMap<string, Promise<Recorded | undefined>>(REMEMBERED_EVENTS_MAX)
  let pending = 0

  const mayPass = (object: ObjectReference): boolean => {
    const key = `${object.uid}/${object.name}`
    const bucket = buckets.get(key) ?? { tokens: BURST_EVENTS, updatedMs: clock.now() }
    const refilled = Math.min(BURST_EVENTS, bucket.tokens + (clock.now() - bucket.updatedMs) / REFILL_MS)
    buckets.set(key, { tokens: Math.max(0, refilled - 1), updatedMs: clock.now() })
    return refilled >= 1
  }
  const combined = (groupKey: string, message: string): { readonly key: string; readonly message: string } => {
    const known = groups.get(groupKey)
    const current =
      known && clock.now() - known.startedMs < SIMILAR_WINDOW_MS
        ? known
        : { startedMs: clock.now(), messages: new Set<string>() }
    if (current.messages.size >= SIMILAR_EVENTS_MAX && !current.messages.has(message)) {
      return { key: groupKey, message: `(combined from similar events): ${message}` }
    }
    groups.set(groupKey, { ...current, messages: new Set(current.messages).add(message) })
    return { key: `${groupKey}/${message}`, message }
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
      pending++
      const written = before
        .then((previous) => write(parts, { object, type, reason, message }, previous))
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
}

async function write(parts: EventRecorderParts, event: NewEvent, previous: Recorded | undefined): Promise<Recorded> {
  if (previous) {
    try {
      return await repeat(parts, event, previous)
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
  const created = await parts.client.of(events).create(newEvent(parts, event))
  return { key: { namespace: created.metadata.namespace, name: created.metadata.name ?? '' }, count: 1 }
}

async function repeat(
  { client, clock }: EventRecorderParts,
  { message }: NewEvent,
  previous: Recorded,
): Promise<Recorded> {
  const count = previous.count + 1
  await client
    .of(events)
    .patch(previous.key, { type: 'merge', body: { count, message, lastTimestamp: formatTime(clock.now()) } })
  return { key: previous.key, count }
}

function newEvent(
  { clock, component, host }: EventRecorderParts,
  { object, type, reason, message }: NewEvent,
): Omit<Event, 'apiVersion' | 'kind'> {
  const now = formatTime(clock.now())
  const namespace = object.namespace || 'default'
  return {
    metadata: { namespace, name: `${object.name}.${uniqueSuffix(clock)}` },
    involvedObject: object,
    reason,
    message,
    type,
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
    eventTime: null,
    source: { component, host },
    reportingComponent: component,
    reportingInstance: host ?? '',
  }
}

/** Nanoseconds since 1970 in hexadecimal, as upstream names events: wall time, made finer by the monotonic clock. */
function uniqueSuffix(clock: Clock): string {
  const fraction = BigInt(Math.floor((clock.monotonic() % 1) * 1_000_000))
  return (BigInt(Math.floor(clock.now())) * 1_000_000n + fraction).toString(16)
}

function referenceOf(object: KubeObject, fieldPath: string | undefined): ObjectReference {
  const { namespace, name, uid, resourceVersion } = object.metadata
  return { apiVersion: object.apiVersion, kind: object.kind, namespace, name, uid, resourceVersion, fieldPath }
}
