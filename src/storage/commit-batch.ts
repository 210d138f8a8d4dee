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
import { decide, type Effect, type VersionFacts } from './transaction.ts'
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
  const written = new Map<string, PlacedVersion | undefined>()
  const currentOf = (key: string) => (written.has(key) ? written.get(key) : committedVersion(key))
  const verdicts: Verdict[] = []
  const operations: Operation[] = []
  const committing: Committing[] = []
  let last = head
  for (const { expect, writes, options } of requests) {
    const { fence = 0, cause } = options
    if (fence > 0 && fence < last.fence) {
      verdicts.push({ result: 'fenced', fence: last.fence })
      continue
    }
    const revision = last.revision + 1
    const decision = decide(expect, writes, revision, currentOf)
    if (decision.result === 'rejected') {
      verdicts.push(decision)
      continue
    }
    const { effects } = decision
    const record = encodeLogRecord({
      revision,
      previousChecksum: last.checksum,
      timeMs,
      fence: Math.max(fence, last.fence),
      cause,
      writes: effects.map(toLoggedWrite),
    })
    last = { revision, checksum: checksumOf(record), fence: Math.max(fence, last.fence) }
    operations.push({ type: 'put', key: logKey(revision), value: record })
    for (const [position, effect] of effects.entries()) {
      operations.push(...effectOperations(effect, revision, position))
      written.set(effect.key, effect.value && { revision, position, created: effect.created })
    }
    const keys = effects.map(({ key }) => key)
    committing.push({ moment: { revision, timeMs, cause, keys, checksum: last.checksum, fence: last.fence }, effects })
    verdicts.push({ result: 'commits', revision })
  }
  return { verdicts, operations, committing, head: last }
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
