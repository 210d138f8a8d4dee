/** The verbs of one resource over storage: typed, the same for every definition. One registry per served definition. */

import type { ResourceDefinition } from '../../apis/definition.ts'
import type { Awaitable } from '../../base/awaitable.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { notFound } from '../../machinery/meta/api-error.ts'
import type { KubeObject, ObjectKey } from '../../machinery/meta/object.ts'
import { parseResourceVersion } from '../../machinery/meta/resource-version.ts'
import type { Storage } from '../../storage/storage.ts'
import type { ChangeDispatcher } from '../../watch/change-dispatcher.ts'
import type { Selection } from '../../watch/selection.ts'
import { createWatchCache } from '../../watch/watch-cache.ts'
import type { Watcher } from '../../watch/watcher.ts'
import type { AdmissionHooks, Companion, Reservations } from './admission-hooks.ts'
import { createCodec, type Stored } from './codec.ts'
import { companionOf } from './companion.ts'
import { admissionAttributes, current, type RegistryContext, type WriteOptions } from './context.ts'
import { create } from './create.ts'
import { type Deleted, type DeleteWish, deleteObject } from './delete.ts'
import { deleteCollection } from './delete-collection.ts'
import { type Listed, type ListOptions, list } from './list.ts'
import { storageKey, storagePrefix } from './object-key.ts'
import { seed } from './seed.ts'
import { type Amendment, amend, type Updated, type Updating, update } from './update.ts'
import { type WatchOptions, watch } from './watch.ts'

export interface RegistryParts {
  readonly storage: Storage
  /** Shared by all registries of a server. */
  readonly dispatcher: ChangeDispatcher
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly admission: AdmissionHooks
}

export interface Registry<T extends KubeObject = KubeObject> extends Disposable {
  readonly definition: ResourceDefinition<T>
  /** Throws 404. A `resourceVersion` asks for a state that is at least that new; '0' takes what is at hand. */
  get(key: ObjectKey, resourceVersion?: string, signal?: AbortSignal): Promise<Stored<T>>
  list(options: ListOptions): Awaitable<Listed<T>>
  watch(options: WatchOptions): Promise<Watcher>
  create(object: T, options: WriteOptions): Promise<Stored<T>>
  /** For what the server itself begins with: see `seed.ts`. */
  seed(objects: readonly T[], fieldManager?: string): Promise<void>
  update(key: ObjectKey, updating: Updating<T>, options: WriteOptions): Promise<Updated<T>>
  /** A change of the server's own: see `update.ts`. */
  amend(key: ObjectKey, amendment: Amendment<T>, options: WriteOptions): Promise<void>
  delete(key: ObjectKey, wish: DeleteWish, options: WriteOptions): Promise<Deleted<T>>
  deleteCollection(selection: ListOptions, wish: DeleteWish, options: WriteOptions): Promise<Listed<T>>
  /** Asks admission about an object of another kind that is posted to a subresource: a Binding, an Eviction. */
  admit<O extends KubeObject>(key: ObjectKey, subresource: string, object: O, options: WriteOptions): Promise<O>
  /** The write of `object`, whose status has changed, in place of `live`, to go along with another object's write. */
  replacing(live: T, object: T): Companion
  /** What is in memory now, without waiting: for lookups that may be a moment old. */
  peek(key: ObjectKey): Stored<T> | undefined
  /** As `peek`, for all that the selection takes, in order of their keys. */
  peekAll(selection: Selection): readonly Stored<T>[]
  /** Whether memory has everything that was written. */
  readonly isFresh: boolean
  /** A number that is another one after every change of an object of this resource. */
  readonly changedAt: number
  /** Resolves when memory has everything that was written before the call. */
  whenFresh(): Promise<void>
}

export function createRegistry<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  parts: RegistryParts,
  reservations?: Reservations<T>,
): Registry<T> {
  const codec = createCodec(definition)
  const cache = createWatchCache({ ...parts, prefix: storagePrefix(definition), codec })
  const context: RegistryContext<T> = { ...parts, definition, codec, cache, reservations }
  const peek = (key: ObjectKey): Stored<T> | undefined => {
    const found = cache.get(storageKey(definition, key))
    return found && codec.typed(found)
  }
  return {
    definition,
    async get(key, resourceVersion = '', signal) {
      const found =
        resourceVersion === ''
          ? await current(context, key, signal)
          : await notOlderThan(context, peek, { key, resourceVersion })
      if (!found) throw notFound(definition, key.name)
      return found
    },
    list: (options) => list(context, options),
    watch: async (options) => watch(context, options),
    create: (object, options) => create(context, object, options),
    seed: (objects, fieldManager) => seed(context, objects, fieldManager),
    update: (key, updating, options) => update(context, key, updating, options),
    amend: (key, amendment, options) => amend(context, key, amendment, options),
    delete: (key, wish, options) => deleteObject(context, key, wish, options),
    deleteCollection: (selection, wish, options) => deleteCollection(context, selection, wish, options),
    admit: (key, subresource, object, options) => admitPosted(context, { key, subresource, object }, options),
    replacing: (live, object) => companionOf(context, live, object),
    peek,
    peekAll: (selection) => cache.select(selection).map((object) => codec.typed(object)),
    get isFresh() {
      return cache.isFresh
    },
    get changedAt() {
      return cache.changedAt
    },
    whenFresh: () => cache.caughtUpTo(parts.storage.head),
    [Symbol.dispose]: () => cache[Symbol.dispose](),
  }
}

async function notOlderThan<T extends KubeObject>(
  { cache }: RegistryContext<T>,
  peek: (key: ObjectKey) => Stored<T> | undefined,
  { key, resourceVersion }: { readonly key: ObjectKey; readonly resourceVersion: string },
): Promise<Stored<T> | undefined> {
  await cache.caughtUpTo(parseResourceVersion(resourceVersion))
  return peek(key)
}

/** The object as the plugins want it. */
async function admitPosted<T extends KubeObject, O extends KubeObject>(
  context: RegistryContext<T>,
  posted: { readonly key: ObjectKey; readonly subresource: string; readonly object: O },
  options: WriteOptions,
): Promise<O> {
  const attributes = admissionAttributes(context, { operation: 'CREATE', ...posted }, options)
  // What plugins return is of the same kind: they are given one and change its fields.
  const object = (await context.admission.mutate(attributes, posted.object)) as O
  await context.admission.validate({ ...attributes, object })
  return object
}
