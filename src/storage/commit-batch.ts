/**
 * Turns waiting transactions into one atomic batch: decides each against what is committed and what the batch itself
 * has written so far, and lays out the records. Pure; nothing here waits or writes.
 */

import {
  ANCHOR_KEY,
  type Anchor,
  checksumOf,
  checksumOfValue,
  encodeAnchor,
  encodeIndexEntry,
  encodeLogRecord,
  encodeValue,
  indexKey,
  logKey,
  type Place,
  valueKey,
} from './level-records.ts'
import type { LoggedMoment } from './recovery.ts'
import type { Expectation, Revision, TransactOptions, Write } from './storage.ts'
import { decide, deletionsAfter, type Effect, type VersionFacts } from './transaction.ts'
import type { Version } from './version-index.ts'

export type Operation =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: Buffer }

export interface Request {
  readonly expect: readonly Expectation[]
  readonly writes: readonly Write[]
  readonly options: TransactOptions
}

/** A version as decisions see it. */
export interface PlacedVersion extends VersionFacts, Place {}

export type Verdict =
  | { readonly result: 'commits'; readonly revision: Revision }
  | { readonly result: 'rejected'; readonly key: string; readonly current: PlacedVersion | undefined }
  | { readonly result: 'fenced'; readonly fence: number }

export interface Committing {
  readonly moment: LoggedMoment
  readonly effects: readonly Effect<PlacedVersion>[]
}

export interface CommitBatch {
  /** One per request. */
  readonly verdicts: readonly Verdict[]
  readonly operations: readonly Operation[]
  readonly committing: readonly Committing[]
  readonly head: Anchor
}

export function planBatch(
  requests: readonly Request[],
  head: Anchor,
  timeMs: number,
  committedVersion: (key: string) => PlacedVersion | undefined,
): CommitBatch {
  const plan = new BatchPlan(head, timeMs, committedVersion)
  const verdicts = requests.map((request) => {
    const verdict = plan.take(request)
    if (verdict.result !== 'commits') return verdict
    const { writes, options } = request
    const deletions = deletionsAfter(writes, options)
    if (deletions.length > 0) plan.take({ expect: [], writes: deletions, options })
    return verdict
  })
  return { verdicts, operations: plan.operations, committing: plan.committing, head: plan.head }
}

/** What the batch comes to so far. */
class BatchPlan {
  readonly operations: Operation[] = []
  readonly committing: Committing[] = []
  head: Anchor
  readonly #timeMs: number
  readonly #committedVersion: (key: string) => PlacedVersion | undefined
  /** By the batch itself; undefined: deleted. */
  readonly #written = new Map<string, PlacedVersion | undefined>()

  constructor(head: Anchor, timeMs: number, committedVersion: (key: string) => PlacedVersion | undefined) {
    this.head = head
    this.#timeMs = timeMs
    this.#committedVersion = committedVersion
  }

  take({ expect, writes, options: { fence = 0, cause } }: Request): Verdict {
    if (fence > 0 && fence < this.head.fence) return { result: 'fenced', fence: this.head.fence }
    const revision = this.head.revision + 1
    const decision = decide(expect, writes, revision, (key) => this.#currentOf(key))
    if (decision.result === 'rejected') return decision
    this.#commit(decision.effects, { revision, timeMs: this.#timeMs, cause, fence: Math.max(fence, this.head.fence) })
    return { result: 'commits', revision }
  }

  #currentOf(key: string): PlacedVersion | undefined {
    return this.#written.has(key) ? this.#written.get(key) : this.#committedVersion(key)
  }

  #commit(
    effects: readonly Effect<PlacedVersion>[],
    facts: Pick<LoggedMoment, 'revision' | 'timeMs' | 'cause' | 'fence'>,
  ): void {
    const { revision, fence } = facts
    const writes = effects.map(toLoggedWrite)
    const record = encodeLogRecord({ ...facts, previousChecksum: this.head.checksum, writes })
    const checksum = checksumOf(record)
    this.head = { revision, checksum, fence }
    this.operations.push({ type: 'put', key: logKey(revision), value: record })
    for (const [position, effect] of effects.entries()) {
      this.operations.push(...effectOperations(effect, revision, position))
      this.#written.set(effect.key, effect.value && { revision, position, created: effect.created })
    }
    this.committing.push({ moment: { ...facts, keys: effects.map(({ key }) => key), checksum }, effects })
  }
}

function toLoggedWrite({ key, value, created, previous }: Effect<PlacedVersion>) {
  const valueChecksum = value ? checksumOfValue(value) : 0
  return { type: value ? 'put' : 'delete', key, created, previous, valueChecksum } as const
}

function effectOperations(effect: Effect<PlacedVersion>, revision: Revision, position: number): readonly Operation[] {
  const { key, value, created } = effect
  if (!value) return [{ type: 'del', key: indexKey(key) }]
  return [
    { type: 'put', key: valueKey({ revision, position }), value: encodeValue(value) },
    { type: 'put', key: indexKey(key), value: encodeIndexEntry({ revision, created, position }) },
  ]
}

/** One step of compaction: cuts the log after the last moment and drops the values nobody can ask for any more. */
export function compactionOperations(
  moments: readonly LoggedMoment[],
  dropped: readonly Version<number>[],
): readonly Operation[] {
  const last = moments.at(-1)
  if (!last) return []
  const values = dropped.flatMap(({ revision, slot }) => (slot === undefined ? [] : [{ revision, position: slot }]))
  return [
    { type: 'put', key: ANCHOR_KEY, value: encodeAnchor(last) },
    ...moments.map(({ revision }) => ({ type: 'del', key: logKey(revision) }) as const),
    ...values.map((place) => ({ type: 'del', key: valueKey(place) }) as const),
  ]
}
