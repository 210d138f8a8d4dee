/** The one place that writes objects: expectations and outcomes of storage in the registry's words. */

import { internalError, serviceUnavailable } from '../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import type { Cause } from '../../machinery/wire/message.ts'
import { type Entry, Fenced, type Outcome, ReadOnly, type Write } from '../../storage/storage.ts'
import { type Companion, CompanionOutrun } from './admission-hooks.ts'
import type { Stored } from './codec.ts'
import type { RegistryContext } from './context.ts'
import { storageKey } from './object-key.ts'

export type Persisted<T extends KubeObject> =
  | { readonly result: 'written'; readonly stored: Stored<T> }
  /** Somebody was faster. `live` is what is there now. */
  | { readonly result: 'outrun'; readonly live: Stored<T> | undefined }

/** Writes the object if `live` is still what is there; undefined: nothing is. Companions go with it, or nothing does. */
export async function put<T extends KubeObject>(
  context: RegistryContext<T>,
  object: T,
  live: Stored<T> | undefined,
  cause: Cause | undefined,
  companions: readonly Companion[] = [],
): Promise<Persisted<T>> {
  const { codec } = context
  const key = storageKey(context.definition, { namespace: object.metadata.namespace, name: object.metadata.name ?? '' })
  const value = codec.encode(object)
  const outcome = await transact(context, { key, live, value, cause, companions })
  if (outcome.result === 'rejected') return outrun(context, outcome)
  return { result: 'written', stored: codec.written(object, value, outcome.revision) }
}

/** Writes the object in place of `live` and removes it right after. Answers with its last state, as `remove`. */
export async function putAndRemove<T extends KubeObject>(
  context: RegistryContext<T>,
  object: T,
  live: Stored<T>,
  cause: Cause | undefined,
): Promise<Persisted<T>> {
  const { codec } = context
  const { key } = live
  const value = codec.encode(object)
  const outcome = await transact(context, { key, live, value, cause, companions: [], thenDeletes: [key] })
  if (outcome.result === 'rejected') return outrun(context, outcome)
  const { revision } = outcome
  return { result: 'written', stored: codec.restamped(codec.written(object, value, revision), revision + 1) }
}

/** Removes the object if `live` is still what is there. Answers with its last state: `last`, or what `live` was. */
export async function remove<T extends KubeObject>(
  context: RegistryContext<T>,
  live: Stored<T>,
  cause: Cause | undefined,
  last?: T,
): Promise<Persisted<T>> {
  const { codec } = context
  const outcome = await transact(context, { key: live.key, live, value: undefined, cause, companions: [] })
  if (outcome.result === 'rejected') return outrun(context, outcome)
  const { revision } = outcome
  return { result: 'written', stored: last ? codec.stored(last, revision) : codec.restamped(live, revision) }
}

function outrun<T extends KubeObject>(
  { codec }: RegistryContext<T>,
  { current }: Extract<KnownOutcome, { readonly result: 'rejected' }>,
): Persisted<T> {
  return { result: 'outrun', live: current && codec.decode(current) }
}

type KnownOutcome =
  | { readonly result: 'committed'; readonly revision: number }
  | { readonly result: 'rejected'; readonly key: string; readonly current: Entry | undefined }

interface SingleWrite<T extends KubeObject> {
  readonly key: string
  readonly live: Stored<T> | undefined
  /** Undefined: delete. */
  readonly value: Uint8Array | undefined
  readonly cause: Cause | undefined
  readonly companions: readonly Companion[]
  readonly thenDeletes?: readonly string[] | undefined
}

async function transact<T extends KubeObject>(
  { storage, codec }: RegistryContext<T>,
  { key, live, value, cause, companions, thenDeletes }: SingleWrite<T>,
): Promise<KnownOutcome> {
  const replaces = live && codec.valueOf?.(live)
  const write: Write = value === undefined ? { type: 'delete', key, replaces } : { type: 'put', key, value, replaces }
  const options = { cause: cause && JSON.stringify(cause), thenDeletes }
  try {
    const expectations = [{ key, revision: live?.revision ?? 0 }, ...companions.map(expectationOf)]
    const outcome = known(await storage.transact(expectations, [write, ...companions.map(writeOf)], options))
    if (outcome.result === 'rejected' && outcome.key !== key) throw new CompanionOutrun(outcome.key)
    return outcome
  } catch (error) {
    if (error instanceof ReadOnly) throw serviceUnavailable(`the cluster takes no writes: ${error.message}`)
    if (error instanceof Fenced) throw serviceUnavailable('another server has taken over this storage')
    throw error
  }
}

const expectationOf = ({ key, expected }: Companion) => ({ key, revision: expected })
const writeOf = ({ key, value }: Companion) => ({ type: 'put', key, value }) as const

function known(outcome: Outcome): KnownOutcome {
  if (outcome.result !== 'unknown') return outcome
  throw internalError('the write may or may not have happened: the storage failed while it was being made durable')
}

/** How messages of failed preconditions name an object, as upstream's storage does. */
export function invalidObjectText(key: string, detail: string): string {
  const shown = key.replace(/^\/registry\/core\//, '/registry/')
  return `StorageError: invalid object, Code: 4, Key: ${shown}, ResourceVersion: 0, AdditionalErrorMsg: ${detail}`
}
