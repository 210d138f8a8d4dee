/** The engine's events about one node's pods, as "look again". Reconnects; after a gap every pod is named once. */

import type { Readable } from 'node:stream'
import { type Backoff, backoffMs } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import { type DockerEngine, labels, openBody } from './docker-engine.ts'
import { createPodEventQueue } from './pod-event-queue.ts'
import type { RuntimeEvent } from './runtime.ts'

const RECONNECT: Backoff = { initialMs: 100, factor: 2, maxMs: 5_000 }

/** One event is under 4 KiB; what is longer is no event. */
const EVENT_BYTES_MAX = 1_048_576

export interface EventSource {
  readonly engine: DockerEngine
  readonly clock: Clock
  /** `name=value` labels that the pods' containers carry. */
  readonly labels: readonly string[]
  /** The uids of all pods that there are now. */
  pods(): Promise<readonly string[]>
  /** A process of the container was killed for its memory. The engine tells it here even where its end came first. */
  outOfMemory(containerId: string): void
}

export async function* podEvents(source: EventSource, signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
  const queue = createPodEventQueue()
  const finished = follow(source, queue.announce, signal).finally(queue.end)
  yield* queue
  await finished
}

async function follow(source: EventSource, announce: (podUid: string) => void, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const body = await openEvents(source, signal)
      for (const podUid of await source.pods()) announce(podUid)
      attempt = 0
      for await (const { podUid, outOfMemoryId } of engineEvents(body)) {
        if (outOfMemoryId !== undefined) source.outOfMemory(outOfMemoryId)
        announce(podUid)
      }
    } catch {
      // The engine restarts or is gone: what happened meanwhile is found by looking at every pod.
    }
    await source.clock.sleep(backoffMs(RECONNECT, attempt), signal).catch(() => {})
  }
}

function openEvents({ engine, labels: own }: EventSource, signal: AbortSignal): Promise<Readable> {
  const filters = { type: ['container'], event: ['start', 'die', 'oom', 'destroy'], label: own }
  return openBody(engine.docker, '/events', { filters }, signal)
}

/** The stream is JSON objects one per line, in chunks of any size. */
async function* engineEvents(body: AsyncIterable<Buffer>): AsyncGenerator<EngineEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > EVENT_BYTES_MAX) throw new Error('an event of the engine is too long')
    for (const line of lines) {
      const event = engineEvent(line)
      if (event !== undefined) yield event
    }
  }
}

interface EngineEvent {
  readonly podUid: string
  /** The container that it happened to, if that is what happened. */
  readonly outOfMemoryId?: string | undefined
}

/** Undefined: about none of our pods. */
export function engineEvent(line: string): EngineEvent | undefined {
  try {
    const event = JSON.parse(line) as {
      Action?: unknown
      id?: unknown
      Actor?: { Attributes?: Record<string, unknown> }
    }
    const podUid = event.Actor?.Attributes?.[labels.podUid]
    if (typeof podUid !== 'string') return undefined
    return event.Action === 'oom' && typeof event.id === 'string' ? { podUid, outOfMemoryId: event.id } : { podUid }
  } catch {
    return undefined
  }
}
