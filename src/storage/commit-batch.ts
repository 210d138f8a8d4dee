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
  type IndexEntry,
  indexKey,
  logKey,
  type Place,
  VALUE_HEADER_BYTES,
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
  const plan = new BatchPlan(requests, head, timeMs, committedVersion)
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
  readonly #memory: ValueMemory
  readonly #timeMs: number
  readonly #committedVersion: (key: string) => PlacedVersion | undefined
  /** By the batch itself; undefined: deleted. */
  readonly #written = new Map<string, PlacedVersion | undefined>()

  constructor(
    requests: readonly Request[],
    head: Anchor,
    timeMs: number,
    committedVersion: (key: string) => PlacedVersion | undefined,
  ) {
    this.#memory = new ValueMemory(requests)
    this.head = head
    this.#timeMs = timeMs
    this.#committedVersion = committedVersion
  }

  take({ expect, writes, options: { fence = 0, cause } }: Request): Verdict {
    if (fence > 0 && fence < this.head.fence) return { result: 'fenced', fence: this.head.fence }
    const revision = this.head.revision + 1
    const decision = decide(expect, writes, revision, (key) => this.#currentOf(key))
    if (decision.result === 'rejected') return decision
    this.#commit(decision.effects, cause, { revision, timeMs: this.#timeMs, fence: Math.max(fence, this.head.fence) })
    return { result: 'commits', revision }
  }

  #currentOf(key: string): PlacedVersion | undefined {
    return this.#written.has(key) ? this.#written.get(key) : this.#committedVersion(key)
  }

  #commit(
    effects: readonly Effect<PlacedVersion>[],
    cause: string | undefined,
    facts: Pick<LoggedMoment, 'revision' | 'timeMs' | 'fence'>,
  ): void {
    const { revision, fence } = facts
    const writes = effects.map(toLoggedWrite)
    const record = encodeLogRecord({ ...facts, cause, previousChecksum: this.head.checksum, writes })
    const checksum = checksumOf(record)
    this.head = { revision, checksum, fence }
    this.operations.push({ type: 'put', key: logKey(revision), value: record })
    for (const [position, effect] of effects.entries()) {
      const { key, value, created } = effect
      const version = value && { revision, position, created }
      if (value) this.#putValue({ revision, position }, value, writes[position]?.valueChecksum ?? 0)
      this.operations.push(indexOperation(key, version))
      this.#written.set(key, version)
    }
    this.committing.push({ moment: { ...facts, keys: effects.map(({ key }) => key), checksum }, effects })
  }

  #putValue(place: Place, value: Uint8Array, checksum: number): void {
    const bytes = this.#memory.take(VALUE_HEADER_BYTES + value.length)
    encodeValue(value, checksum, bytes)
    this.operations.push({ type: 'put', key: valueKey(place), value: bytes })
  }
}

function toLoggedWrite({ key, value, created, previous }: Effect<PlacedVersion>) {
  const valueChecksum = value ? checksumOfValue(value) : 0
  return { type: value ? 'put' : 'delete', key, created, previous, valueChecksum } as const
}

/** `entry` undefined: the key is gone. */
function indexOperation(key: string, entry: IndexEntry | undefined): Operation {
  if (!entry) return { type: 'del', key: indexKey(key) }
  return { type: 'put', key: indexKey(key), value: encodeIndexEntry(entry) }
}

/** One piece for the records of all values: one for each would cost as much as what is written to it. */
class ValueMemory {
  readonly #bytes: Buffer
  #used = 0

  constructor(requests: readonly Request[]) {
    let total = 0
    for (const { writes } of requests)
      for (const write of writes) if (write.type === 'put') total += VALUE_HEADER_BYTES + write.value.length
    this.#bytes = Buffer.allocUnsafeSlow(total)
  }

  take(bytes: number): Buffer {
    const start = this.#used
    this.#used += bytes
    return this.#bytes.subarray(start, this.#used)
  }
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
