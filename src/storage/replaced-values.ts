/**
 * What a batch overwrites or deletes, for those who follow the changes: what its writers know, the rest is read while
 * the disk syncs the batch.
 */

import type { Logger } from '../base/log.ts'
import type { Committing, PlacedVersion } from './commit-batch.ts'
import type { KeyedPlace, LevelValues } from './level-values.ts'
import type { Entry, Revision } from './storage.ts'
import type { Effect } from './transaction.ts'

/** What is unreadable is left out: a value that cannot be read must not keep its key from being overwritten. */
export type Replaced = ReadonlyMap<Effect<PlacedVersion>, Entry>

export async function readReplaced(
  committing: readonly Committing[],
  values: LevelValues,
  log: Logger,
): Promise<Replaced> {
  const entries = new Map<Effect<PlacedVersion>, Entry>()
  const untold: Replacing[] = []
  for (const { effects } of committing) {
    for (const effect of effects) {
      const { key, previous, replaces } = effect
      if (!previous) continue
      const facts = { key, created: previous.created, modified: previous.revision }
      if (replaces) entries.set(effect, new GivenEntry(facts, replaces))
      else untold.push({ effect, facts, place: { ...previous, key } })
    }
  }
  if (untold.length > 0) await readUntold(untold, committing, entries, { values, log })
  return entries
}

interface Replacing {
  readonly effect: Effect<PlacedVersion>
  readonly facts: Omit<Entry, 'value'>
  readonly place: KeyedPlace
}

/** Those whose writers do not know what they replace. It may have been written by the batch itself. */
async function readUntold(
  untold: readonly Replacing[],
  committing: readonly Committing[],
  entries: Map<Effect<PlacedVersion>, Entry>,
  { values, log }: { readonly values: LevelValues; readonly log: Logger },
): Promise<void> {
  const inBatch = new Map(
    committing.flatMap(({ moment: { revision }, effects }) =>
      effects.map(({ value }, position) => [`${revision}/${position}`, value] as const),
    ),
  )
  await Promise.all(
    untold.map(async ({ effect, facts, place }) => {
      const written = inBatch.get(`${place.revision}/${place.position}`)
      const value = written ?? (await readOrReport(place, values, log))
      if (value) entries.set(effect, { ...facts, value })
    }),
  )
}

/** Followers have nearly always seen what was there before: the value is made for the one who has not. */
class GivenEntry implements Entry {
  readonly isGiven = true
  readonly key: string
  readonly created: Revision
  readonly modified: Revision
  readonly #replaces: () => Uint8Array
  #value: Uint8Array | undefined

  constructor({ key, created, modified }: Omit<Entry, 'value'>, replaces: () => Uint8Array) {
    this.key = key
    this.created = created
    this.modified = modified
    this.#replaces = replaces
  }

  get value(): Uint8Array {
    this.#value ??= this.#replaces()
    return this.#value
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
