/** Deleting everything a selection finds, one object at a time, each like a delete of its own. */

import { isNotFound } from '../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { keyOfStored } from './codec.ts'
import type { RegistryContext, WriteOptions } from './context.ts'
import { type DeleteWish, deleteObject } from './delete.ts'
import { type Listed, type ListOptions, list } from './list.ts'

/** Deletes under way at once: enough to share the storage's syncs, few enough for everyone else to be served between. */
const CONCURRENT_DELETES_MAX = 16

/** Answers with the objects as they were found. What goes away meanwhile counts as deleted. */
export async function deleteCollection<T extends KubeObject>(
  context: RegistryContext<T>,
  selection: ListOptions,
  wish: DeleteWish,
  options: WriteOptions,
): Promise<Listed<T>> {
  const found = await list(context, selection)
  const waiting = [...found.items]
  const work = async (): Promise<void> => {
    for (let object = waiting.shift(); object; object = waiting.shift()) {
      try {
        await deleteObject(context, keyOfStored(object), wish, options)
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT_DELETES_MAX }, work))
  return found
}
