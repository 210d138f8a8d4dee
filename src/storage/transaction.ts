/** What a transaction means, decided purely: does it hold against the versions there are, and what does it change. */

import { assert } from '../base/assert.ts'
import type { Expectation, Revision, TransactOptions, Write } from './storage.ts'

/** What a decision needs to know of a key's version: the two revisions. */
export interface VersionFacts {
  readonly revision: Revision
  readonly created: Revision
}

export interface Effect<V extends VersionFacts> {
  readonly key: string
  /** Undefined: deletes the key. */
  readonly value: Uint8Array | undefined
  readonly created: Revision
  readonly previous: V | undefined
  /** The value of `previous`, where the writer has it. */
  readonly replaces?: (() => Uint8Array) | undefined
}

export type Decision<V extends VersionFacts> =
  | { readonly result: 'holds'; readonly effects: readonly Effect<V>[] }
  | { readonly result: 'rejected'; readonly key: string; readonly current: V | undefined }

/** Refuses what no caller may send: these are programmer errors. */
export function assertWellFormed(
  expect: readonly Expectation[],
  writes: readonly Write[],
  { fence = 0, thenDeletes = [] }: TransactOptions,
): void {
  assert(Number.isSafeInteger(fence) && fence >= 0, 'a fence is a natural number')
  assert(writes.length > 0, 'a transaction has at least one write')
  assert(
    writes.length === 1 || new Set(writes.map(({ key }) => key)).size === writes.length,
    'a transaction writes a key at most once',
  )
  for (const { key } of expect) assertKey(key)
  for (const { key, replaces } of writes) {
    assertKey(key)
    assert(!replaces || expect.some((one) => one.key === key), 'who says what a write replaces expects it')
  }
  for (const key of thenDeletes)
    assert(
      writes.some((write) => write.key === key && write.type === 'put'),
      'what is deleted right after was put',
    )
}

function assertKey(key: string): void {
  assert(key !== '' && key.isWellFormed(), 'a key is not empty and is valid Unicode')
}

/** What follows a transaction that has committed, as a transaction of its own. Empty: nothing does. */
export function deletionsAfter(writes: readonly Write[], { thenDeletes }: TransactOptions): readonly Write[] {
  if (thenDeletes === undefined) return NOTHING
  return writes.flatMap((write) => {
    if (write.type !== 'put' || !thenDeletes.includes(write.key)) return []
    return [{ type: 'delete', key: write.key, replaces: () => write.value }]
  })
}

const NOTHING: readonly Write[] = []

/** `revision` is the one the transaction takes if it holds. */
export function decide<V extends VersionFacts>(
  expect: readonly Expectation[],
  writes: readonly Write[],
  revision: Revision,
  currentOf: (key: string) => V | undefined,
): Decision<V> {
  for (const { key, revision: expected } of expect) {
    const current = currentOf(key)
    if ((current?.revision ?? 0) !== expected) return { result: 'rejected', key, current }
  }
  const effects: Effect<V>[] = []
  for (const write of writes) {
    const previous = currentOf(write.key)
    if (write.type === 'delete' && !previous) return { result: 'rejected', key: write.key, current: undefined }
    const value = write.type === 'put' ? write.value : undefined
    const { key, replaces } = write
    effects.push({ key, value, created: previous?.created ?? revision, previous, replaces })
  }
  return { result: 'holds', effects }
}
