/**
 * List and watch of one resource, for ever, as an explicit state machine:
 *
 *   listing ──page──▶ listing … ──last page──▶ watching ──closed──▶ watching (resumes at the last revision)
 *      ▲                                          │
 *      └──────────── 410 Expired ─────────────────┘
 *
 * Every failure is retried with back-off, a watch that closes at once counts as one; nothing is skipped: after a lost
 * revision the whole is listed again.
 */

import { assert, assertNever } from '../base/assert.ts'
import { type Backoff, backoffMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { isExpired, serviceUnavailable } from '../machinery/meta/api-error.ts'
import type { KubeList, KubeObject } from '../machinery/meta/object.ts'
import type { WatchEvent } from '../machinery/wire/message.ts'
import type { ResourceClient, Selection } from './client.ts'

export interface ReflectorSink<T extends KubeObject> {
  /** The whole state at a revision: replaces what was there. */
  replace(objects: readonly T[], revision: number): void
  /** The next change, or a bookmark that only moves the revision on. */
  apply(event: WatchEvent<T>): void
}

/** What to do next. A failure keeps the state, an expired revision goes back to `listing`. */
export type ReflectorState =
  | { readonly phase: 'listing' }
  | { readonly phase: 'watching'; readonly resourceVersion: string }

export interface ReflectorParts<T extends KubeObject> {
  readonly client: Pick<ResourceClient<T>, 'list' | 'watchBatches'>
  readonly selection: Selection
  readonly sink: ReflectorSink<T>
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** Objects per page of the first list: upstream's page size. */
const PAGE_OBJECTS = 500
const RETRY: Backoff = { initialMs: 50, factor: 2, maxMs: 10_000, jitter: 0.2 }
/** A watch that the server closes earlier than this without an event is no watch: upstream's limit. */
const WATCH_MS_MIN = 1_000

/** Runs until the signal aborts. Never rejects. */
export async function reflect<T extends KubeObject>(parts: ReflectorParts<T>, signal: AbortSignal): Promise<void> {
  let state: ReflectorState = { phase: 'listing' }
  let failures = 0
  while (!signal.aborted) {
    const { phase } = state
    try {
      for await (const next of step(parts, state, signal)) {
        state = next
        // A list alone proves little: when every watch after it fails, lists must not follow each other at full speed.
        if (phase === 'watching') failures = 0
      }
    } catch (error) {
      if (signal.aborted) return
      if (isExpired(error)) state = { phase: 'listing' }
      parts.log.debug('a list or watch ended early and is tried again', { error: String(error), failures })
      await parts.clock.sleep(backoffMs(RETRY, failures++, parts.random.next()), signal).catch(() => {})
    }
  }
}

/** Yields every state that was reached, so that a failure half way resumes at the last one. */
function step<T extends KubeObject>(
  parts: ReflectorParts<T>,
  state: ReflectorState,
  signal: AbortSignal,
): AsyncGenerator<ReflectorState> {
  switch (state.phase) {
    case 'listing':
      return listAll(parts, signal)
    case 'watching':
      return watchOn(parts, state.resourceVersion, signal)
    default:
      return assertNever(state)
  }
}

async function* listAll<T extends KubeObject>(
  { client, selection, sink }: ReflectorParts<T>,
  signal: AbortSignal,
): AsyncGenerator<ReflectorState> {
  const items: T[] = []
  let continueToken: string | undefined
  let resourceVersion: string | undefined
  do {
    const page: KubeList<T> = await client.list({ ...selection, limit: PAGE_OBJECTS, continueToken, signal })
    for (const item of page.items) items.push(item)
    resourceVersion = page.metadata.resourceVersion
    continueToken = page.metadata.continue
  } while (continueToken)
  assert(resourceVersion !== undefined, 'a list has a resourceVersion')
  sink.replace(items, Number(resourceVersion))
  yield { phase: 'watching', resourceVersion }
}

async function* watchOn<T extends KubeObject>(
  { client, selection, sink, clock }: ReflectorParts<T>,
  from: string,
  signal: AbortSignal,
): AsyncGenerator<ReflectorState> {
  const startedMs = clock.monotonic()
  let hasBegun = false
  const request = { ...selection, resourceVersion: from, allowBookmarks: true, signal }
  for await (const batch of client.watchBatches(request)) {
    hasBegun = true
    for (const event of batch) sink.apply(event)
    const resourceVersion = batch.at(-1)?.object.metadata.resourceVersion
    if (resourceVersion) yield { phase: 'watching', resourceVersion }
  }
  if (!hasBegun && clock.monotonic() - startedMs < WATCH_MS_MIN)
    throw serviceUnavailable('the server closed a watch at once')
}
