/**
 * observe → plan → execute, once for all controllers: the queue, its workers, retries, and the barrier that makes
 * a controller see its own writes before it decides again (so no controller counts on expectations).
 */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { AssertionError } from '../../base/assert.ts'
import { DeadlineExceeded, deadline } from '../../base/deadline.ts'
import { stackOf } from '../../base/error-text.ts'
import { groupBy } from '../../base/group-by.ts'
import type { Informer } from '../../client/informer.ts'
import { ApiError } from '../../machinery/meta/api-error.ts'
import { groupResource, parseApiVersion } from '../../machinery/meta/group-version.ts'
import { type KubeObject, keyOf, keyText, type ObjectKey, parseKeyText } from '../../machinery/meta/object.ts'
import { type Effect, execute } from './action.ts'
import type { Cache, ControllerParts, ReconcilingController } from './controller.ts'
import { WorkQueue } from './work-queue.ts'

/** How long the barrier waits for a cache that lags behind before the key is tried again. */
const BARRIER_MS = 10_000

/** What a controller remembers between two looks at a key. */
interface Memory {
  /** What the caches must show first. With one worker this is kept for all keys together: decisions see each other. */
  readonly effects: Map<string, readonly Effect[]>
  /** Why the last execution failed; the plan may show it in a status. */
  readonly failures: Map<string, Error>
}

/** Runs until the signal aborts. Rejects only when an assertion of the controller fails. */
export async function runController(
  controller: ReconcilingController,
  parts: ControllerParts,
  signal: AbortSignal,
): Promise<void> {
  const queue = new WorkQueue(parts.clock)
  const subscriptions = subscribe(controller, parts, queue)
  const stop = () => queue.close()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await parts.informers.whenSynced(signal).catch(() => {})
    const memory: Memory = { effects: new Map(), failures: new Map() }
    await Promise.all(Array.from({ length: controller.workers }, () => work(controller, parts, queue, memory, signal)))
  } finally {
    queue.close()
    signal.removeEventListener('abort', stop)
    for (const unsubscribe of subscriptions) unsubscribe()
  }
}

/** Wakes the keys that a change concerns. */
function subscribe(
  controller: ReconcilingController,
  { informers, cache }: ControllerParts,
  queue: WorkQueue,
): (() => void)[] {
  const on = (
    definition: ResourceDefinition,
    keysOf: (object: KubeObject) => Iterable<ObjectKey>,
    ignores: (object: KubeObject, previous: KubeObject) => boolean = () => false,
  ) => {
    // Each key once: a worker that waits takes the first one at once, and would look again for the second.
    const enqueue = (object: KubeObject, previous?: KubeObject) => {
      // Most changes concern nobody.
      let keys: Set<string> | undefined
      if (previous) for (const key of keysOf(previous)) keys = (keys ?? new Set()).add(keyText(key))
      for (const key of keysOf(object)) keys = (keys ?? new Set()).add(keyText(key))
      if (keys) for (const key of keys) queue.add(key)
    }
    return informers.of(definition).subscribe({
      added: (object) => enqueue(object),
      updated: (object, previous) => {
        if (!ignores(object, previous)) enqueue(object, previous)
      },
      deleted: (object) => enqueue(object),
    })
  }
  return [
    on(
      controller.reconciles,
      (object) => (controller.concerns?.(object, cache) === false ? [] : [keyOf(object)]),
      (object, previous) => controller.ignores?.(object, previous) ?? false,
    ),
    ...controller.owns.map((definition) => on(definition, (object) => ownerKeys(controller.reconciles, object))),
    ...controller.watches.map((watch) =>
      on(
        watch.definition,
        (object) => watch.keysOf(object, cache),
        (object, previous) => watch.ignores?.(object, previous) ?? false,
      ),
    ),
  ]
}

function ownerKeys(definition: ResourceDefinition, { metadata }: KubeObject): ObjectKey[] {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true)
  if (!owner || owner.kind !== definition.kind || parseApiVersion(owner.apiVersion)?.group !== definition.group)
    return []
  return [{ namespace: metadata.namespace, name: owner.name }]
}

async function work(
  controller: ReconcilingController,
  parts: ControllerParts,
  queue: WorkQueue,
  memory: Memory,
  signal: AbortSignal,
): Promise<void> {
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    try {
      const requeueAfterMs = await reconcile(controller, parts, key, memory, signal)
      queue.forget(key)
      if (requeueAfterMs !== undefined) queue.addAfter(key, requeueAfterMs)
    } catch (error) {
      if (error instanceof AssertionError) throw error
      if (!signal.aborted) retry(controller, parts, queue, key, error)
    } finally {
      queue.done(key)
    }
  }
}

function retry(
  { name }: ReconcilingController,
  { log }: ControllerParts,
  queue: WorkQueue,
  key: string,
  error: unknown,
): void {
  const fields = { controller: name, key, failures: queue.failures(key) }
  // What a server or a deadline says is daily life; anything else is a mistake of the controller.
  if (error instanceof ApiError || error instanceof DeadlineExceeded)
    log.debug('a reconciliation failed and is tried again', { ...fields, error: String(error) })
  else log.error('a reconciliation failed in an unexpected way', { ...fields, error: stackOf(error) })
  queue.retry(key)
}

async function reconcile(
  controller: ReconcilingController,
  parts: ControllerParts,
  key: string,
  memory: Memory,
  signal: AbortSignal,
): Promise<number | undefined> {
  const scope = controller.workers === 1 ? '' : key
  await effectsAreVisible(parts, memory.effects.get(scope) ?? [], signal)
  memory.effects.delete(scope)
  const view = await observe(controller, parts, parseKeyText(key), signal)
  if (view === undefined) {
    memory.failures.delete(key)
    return undefined
  }
  const { actions, requeueAfterMs } = controller.plan(view, parts.clock.now(), memory.failures.get(key))
  const client = parts.client.because(causeOf(controller, parts.cache, key))
  const { effects, failure } = await execute(client, parts.events, actions)
  if (effects.length > 0) memory.effects.set(scope, effects)
  memory.failures.delete(key)
  if (!failure) return requeueAfterMs
  memory.failures.set(key, failure)
  throw failure
}

/** Looks again when the look met a cache that was still filling: informers start when they are first asked for. */
async function observe(
  controller: ReconcilingController,
  { cache, clock }: ControllerParts,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<unknown> {
  for (;;) {
    const filling = new Set<Informer<KubeObject>>()
    const view = controller.observe(noticing(cache, filling), key, clock.now())
    if (filling.size === 0) return view
    await Promise.all([...filling].map((informer) => informer.whenSynced(signal)))
  }
}

/** The cache, with a note of every informer that was read before it had synced. */
function noticing(cache: Cache, filling: Set<Informer<KubeObject>>): Cache {
  const informer = <T extends KubeObject>(definition: ResourceDefinition<T>): Informer<T> => {
    const found = cache.informer(definition)
    // Sets of informers of any type are only waited for.
    if (!found.synced) filling.add(found as unknown as Informer<KubeObject>)
    return found
  }
  return {
    informer,
    get: (definition, key) => informer(definition).get(key),
    list: (definition, namespace) => informer(definition).list(namespace),
    controlledBy: (definition, owner) => informer(definition).controlledBy(owner.metadata.uid ?? ''),
  }
}

function causeOf({ name, reconciles }: ReconcilingController, cache: Cache, key: string) {
  const about = `${groupResource(reconciles.group, reconciles.resource)} ${key}`
  return { by: name, about, revision: cache.informer(reconciles).revision }
}

async function effectsAreVisible(
  { informers, clock }: ControllerParts,
  effects: readonly Effect[],
  signal: AbortSignal,
): Promise<void> {
  if (effects.every((effect) => isVisible(informers.of(effect.definition), effect))) return
  using limit = deadline(clock, BARRIER_MS, signal)
  for (const [definition, own] of groupBy(effects, (effect) => effect.definition)) {
    const informer = informers.of(definition)
    let seen = 0
    const areVisible = () => {
      // What has been seen stays seen: each change of the informer asks for the next one only.
      for (let next = own[seen]; next && isVisible(informer, next); next = own[seen]) seen++
      return seen === own.length
    }
    await informer.until(areVisible, limit.signal)
  }
}

function isVisible(informer: Informer<KubeObject>, effect: Effect): boolean {
  if ('revision' in effect) return informer.synced && informer.revision >= effect.revision
  return informer.synced && isDeleted(informer.get(keyOf(effect.deleted)), effect.deleted)
}

function isDeleted(current: KubeObject | undefined, deleted: KubeObject): boolean {
  return current?.metadata.uid !== deleted.metadata.uid || current?.metadata.deletionTimestamp != null
}
