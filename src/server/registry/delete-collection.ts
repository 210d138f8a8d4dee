/**
 * Deleting everything a selection finds, each object like a delete of its own, with a revision of its own. What makes
 * many cheaper than one is that they are taken up many at a time: one turn of the event loop decides about all of them,
 * and the storage makes all of them durable with one sync. The next ones are decided about meanwhile.
 */

import { isNotFound } from '../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { keyOfStored, type Stored } from './codec.ts'
import { freshened, type RegistryContext, type WriteOptions } from './context.ts'
import { type DeleteWish, deleteKnown } from './delete.ts'
import { type Listed, type ListOptions, list } from './list.ts'

/** Objects that are taken up in one turn: enough to share a sync, few enough for everyone else to be served between. */
const TURN_OBJECTS = 128

/**
 * Answers with the objects as they were found. What goes away meanwhile counts as deleted. When one cannot be deleted,
 * those that were not taken up before stay.
 */
export async function deleteCollection<T extends KubeObject>(
  context: RegistryContext<T>,
  selection: ListOptions,
  wish: DeleteWish,
  options: WriteOptions,
): Promise<Listed<T>> {
  const found = await list(context, selection)
  let before: Promise<readonly unknown[]> = Promise.resolve([])
  for (let start = 0; start < found.items.length; start += TURN_OBJECTS) {
    if (!context.cache.isFresh) await freshened(context, options.signal)
    const turn = deleteEach(context, found.items.slice(start, start + TURN_OBJECTS), wish, options)
    const [failure] = await before
    if (failure !== undefined) {
      await turn
      throw failure
    }
    before = turn
  }
  const [failure] = await before
  if (failure !== undefined) throw failure
  return found
}

/** Why objects could not be deleted, in their order. */
async function deleteEach<T extends KubeObject>(
  context: RegistryContext<T>,
  objects: readonly Stored<T>[],
  wish: DeleteWish,
  options: WriteOptions,
): Promise<readonly unknown[]> {
  const deletions = objects.map((object) => deleteKnown(context, keyOfStored(object), wish, options))
  const settled = await Promise.allSettled(deletions)
  return settled.flatMap((one) => (one.status === 'rejected' && !isNotFound(one.reason) ? [one.reason] : []))
}
