/**
 * What a batch overwrites or deletes, for those who follow the changes: what its writers know, the rest is read while
 * the disk syncs the batch.
 */

import type { Logger } from '../base/log.ts'
import type { Committing, PlacedVersion } from './commit-batch.ts'
import type { KeyedPlace, LevelValues } from './level-values.ts'
import type { Entry } from './storage.ts'
import type { Effect } from './transaction.ts'

/** What is unreadable is left out: a value that cannot be read must not keep its key from being overwritten. */
export type Replaced = ReadonlyMap<Effect<PlacedVersion>, Entry>

const NOTHING: Replaced = new Map()

export async function readReplaced(
  committing: readonly Committing[],
  values: LevelValues,
  log: Logger,
): Promise<Replaced> {
  if (committing.every(({ effects }) => effects.every(({ previous }) => previous === undefined))) return NOTHING
  const inBatch = new Map(
    committing.flatMap(({ moment: { revision }, effects }) =>
      effects.map(({ value }, position) => [`${revision}/${position}`, value] as const),
    ),
  )
  const entries = new Map<Effect<PlacedVersion>, Entry>()
  const replace = async (effect: Effect<PlacedVersion>): Promise<void> => {
    const { key, previous, replaces } = effect
    if (!previous) return
    const { revision, position, created } = previous
    if (replaces) {
      entries.set(effect, knownEntry({ key, created, modified: revision }, replaces))
      return
    }
    const written = inBatch.get(`${revision}/${position}`)
    const value = written ?? (await readOrReport({ key, revision, position }, values, log))
    if (value) entries.set(effect, { key, value, created, modified: revision })
  }
  await Promise.all(committing.flatMap(({ effects }) => effects.map(replace)))
  return entries
}

/** Followers have nearly always seen what was there before: the value is made for the one who has not. */
function knownEntry(facts: Omit<Entry, 'value'>, replaces: () => Uint8Array): Entry {
  let value: Uint8Array | undefined
  return {
    ...facts,
    get value() {
      value ??= replaces()
      return value
    },
  }
}

async function readOrReport(place: KeyedPlace, values: LevelValues, log: Logger): Promise<Uint8Array | undefined> {
  try {
    return (await values.read([place]))[0]
  } catch (error) {
    log.error('The value that a write replaces cannot be read', { key: place.key, error })
    return undefined
  }
}
