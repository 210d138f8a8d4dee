/**
 * Events posted to a service outside the cluster as `EventList`s: in batches beside the requests, or one by one while
 * the request waits. Whatever goes wrong may pass, so everything is tried again a few times; then the events are lost,
 * counted and told to the log. In the strict mode a request whose coming cannot be logged is refused.
 */

import { type Backoff, backoffMs } from '../../base/backoff.ts'
import type { Timer } from '../../base/clock.ts'
import { messageOf } from '../../base/error-text.ts'
import type { Random } from '../../base/random.ts'
import type { RemoteReceiver } from '../outbound/remote.ts'
import { type Allowance, type BatchLimits, spend, USUAL_BATCHES } from './batches.ts'
import type { AuditSink, LoggedEvent } from './event.ts'
import type { SinkParts } from './log-file.ts'

export interface WebhookParts extends SinkParts {
  readonly receiver: RemoteReceiver
  readonly random: Random
  readonly limits?: Partial<BatchLimits> | undefined
}

/** Upstream's: ten seconds before the second attempt, and 50 % more each time. */
const RETRY_BACKOFF: Backoff = { initialMs: 10_000, factor: 1.5, maxMs: 60_000, jitter: 0.2 }
const ATTEMPTS_MAX = 5
const TIMEOUT_MS = 30_000
/** Characters of events that wait or are on their way; a few of the largest, or all that the number allows. */
const WAITING_CHARACTERS_MAX = 64 * 1024 * 1024
/** What is left gets this long when the server ends. */
const FLUSH_MS = 5_000
const WEBHOOK = { plugin: 'webhook' }
const BUFFERED = { plugin: 'buffered' }

/** One by one; the request waits until its event has arrived, or is given up. */
export function blockingWebhook(parts: WebhookParts, isStrict: boolean): AuditSink {
  const ending = new AbortController()
  return {
    async accept(event) {
      const arrived = await deliver(parts, [event.text], ending.signal)
      return arrived || !isStrict || event.stage !== 'RequestReceived'
    },
    async [Symbol.asyncDispose]() {
      ending.abort(ENDING)
      parts.receiver[Symbol.dispose]()
    },
  }
}

export function batchingWebhook(parts: WebhookParts): AuditSink {
  return new BatchingWebhook(parts)
}

const ENDING = new Error('the server is ending')

class BatchingWebhook implements AuditSink {
  readonly #parts: WebhookParts
  readonly #limits: BatchLimits
  readonly #ending = new AbortController()
  readonly #onTheWay = new Set<Promise<unknown>>()
  #waiting: string[] = []
  #characters = 0
  #timer: Timer | undefined
  #allowance: Allowance

  constructor(parts: WebhookParts) {
    this.#parts = parts
    this.#limits = { ...USUAL_BATCHES, ...parts.limits }
    this.#allowance = { left: this.#limits.burst, atMs: parts.clock.monotonic() }
  }

  accept({ text }: LoggedEvent): true {
    const { bufferEventsMax, batchEventsMax, waitMsMax } = this.#limits
    const { clock, metrics } = this.#parts
    if (this.#waiting.length >= bufferEventsMax || this.#characters + text.length > WAITING_CHARACTERS_MAX) {
      metrics.errors(BUFFERED)
      return true
    }
    this.#waiting.push(text)
    this.#characters += text.length
    if (this.#waiting.length >= batchEventsMax) this.#send()
    else this.#timer ??= clock.after(waitMsMax, () => this.#send())
    return true
  }

  /** What waits is sent now, and gets a little time to arrive. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { clock, receiver } = this.#parts
    while (this.#waiting.length > 0) this.#send()
    const late = clock.after(FLUSH_MS, () => this.#ending.abort(ENDING))
    await Promise.all(this.#onTheWay)
    late.cancel()
    receiver[Symbol.dispose]()
  }

  #send(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const texts = this.#waiting.splice(0, this.#limits.batchEventsMax)
    if (texts.length === 0) return
    const { allowance, waitMs } = spend(this.#allowance, this.#parts.clock.monotonic(), this.#limits)
    this.#allowance = allowance
    const sent = this.#sendAfter(waitMs, texts).finally(() => {
      this.#onTheWay.delete(sent)
      for (const { length } of texts) this.#characters -= length
    })
    this.#onTheWay.add(sent)
  }

  async #sendAfter(waitMs: number, texts: readonly string[]): Promise<void> {
    if (waitMs > 0) await this.#parts.clock.sleep(waitMs, this.#ending.signal).catch(() => {})
    await deliver(this.#parts, texts, this.#ending.signal)
  }
}

/** Whether the events have arrived. */
async function deliver(parts: WebhookParts, texts: readonly string[], signal: AbortSignal): Promise<boolean> {
  const { receiver, clock, random, metrics, log } = parts
  const list = `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${texts.join(',')}]}`
  for (let tried = 1; ; tried++) {
    try {
      await receiver.deliver(list, { timeoutMs: TIMEOUT_MS, signal })
      return true
    } catch (error) {
      if (
        tried < ATTEMPTS_MAX &&
        (await waited(clock.sleep(backoffMs(RETRY_BACKOFF, tried - 1, random.next()), signal)))
      )
        continue
      metrics.errors(WEBHOOK, texts.length)
      log.error('audit events are lost', { events: texts.length, reason: messageOf(error) })
      return false
    }
  }
}

/** False: the wait was cut short. */
function waited(sleep: Promise<void>): Promise<boolean> {
  return sleep.then(
    () => true,
    () => false,
  )
}
