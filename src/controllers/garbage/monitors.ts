/** Follows the metadata of every resource that can be deleted, listed and watched, also of those that come later. */

import type { Client, ResourceClient } from '../../client/client.ts'
import type { ServedResource } from '../../client/discovery.ts'
import { type ReflectorSink, reflect } from '../../client/reflector.ts'
import { apiVersionOf, groupResource } from '../../machinery/meta/group-version.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import type { WatchEvent } from '../../machinery/wire/message.ts'
import type { ControllerParts } from '../runtime/controller.ts'

export interface MonitorHandler {
  put(resource: ServedResource, object: KubeObject): void
  removed(uid: string): void
}

export interface Monitors extends AsyncDisposable {
  /**
   * Starts following what is new, stops following what is served no more. Of group versions whose server does not
   * answer, what was followed stays.
   */
  follow(resources: readonly ServedResource[], unanswered: ReadonlySet<string>): Promise<void>
  /** Whether everything that is followed has been listed once, or had its time to be. */
  readonly synced: boolean
  /** Resolves when what is followed now has been listed once. */
  whenSynced(): Promise<void>
}

/** Events own nothing and nobody; they are too many to follow for nothing. */
const IGNORED: ReadonlySet<string> = new Set(['events', 'events.events.k8s.io'])
const VERBS = ['delete', 'list', 'watch']

function isFollowed({ group, resource, verbs }: ServedResource): boolean {
  return VERBS.every((verb) => verbs.includes(verb)) && !IGNORED.has(groupResource(group, resource))
}

/** How long the first list may hold up everything else: a resource that cannot be listed must not stop all collection. */
const PATIENCE_MS = 30_000

interface Monitor {
  /** `apps/v1`. */
  readonly version: string
  readonly sink: MonitorSink
  readonly stop: AbortController
  readonly done: Promise<void>
}

export function createMonitors(
  { client, clock, random, log }: Pick<ControllerParts, 'clock' | 'random' | 'log'> & { readonly client: Client },
  handler: MonitorHandler,
): Monitors {
  const monitors = new Map<string, Monitor>()
  const start = (resource: ServedResource): Monitor => {
    const sink = new MonitorSink(resource, handler)
    const stop = new AbortController()
    const parts = { client: followed(client.metadataOf(resource)), selection: {}, sink, clock, random, log }
    const patience = clock.after(PATIENCE_MS, () => sink.finish())
    void sink.listed.then(() => patience.cancel())
    stop.signal.addEventListener('abort', () => patience.cancel(), { once: true })
    return { version: apiVersionOf(resource), sink, stop, done: reflect(parts, stop.signal) }
  }
  const halt = async (name: string, { stop, done, sink }: Monitor): Promise<void> => {
    monitors.delete(name)
    stop.abort()
    await done
    sink.clear()
  }
  return {
    async follow(resources, unanswered) {
      const wanted = new Map(resources.filter(isFollowed).map((resource) => [nameOf(resource), resource]))
      for (const [name, resource] of wanted) if (!monitors.has(name)) monitors.set(name, start(resource))
      const old = [...monitors].filter(([name, { version }]) => !wanted.has(name) && !unanswered.has(version))
      await Promise.all(old.map(([name, monitor]) => halt(name, monitor)))
    },
    get synced() {
      return [...monitors.values()].every(({ sink }) => sink.synced)
    },
    async whenSynced() {
      await Promise.all([...monitors.values()].map(({ sink }) => sink.listed))
    },
    async [Symbol.asyncDispose]() {
      for (const { stop } of monitors.values()) stop.abort()
      await Promise.all([...monitors.values()].map(({ done }) => done))
    },
  }
}

/** Of listed objects no more is kept than the graph asks for: all of them are there at once before it gets the first. */
function followed({
  list,
  watchBatches,
}: ResourceClient<KubeObject>): Pick<ResourceClient<KubeObject>, 'list' | 'watchBatches'> {
  return {
    watchBatches,
    async list(request) {
      const page = await list(request)
      return { ...page, items: page.items.map(whatCounts) }
    },
  }
}

function whatCounts({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { namespace, name, uid, ownerReferences, finalizers, deletionTimestamp } = metadata
  return { apiVersion, kind, metadata: { namespace, name, uid, ownerReferences, finalizers, deletionTimestamp } }
}

function nameOf({ group, version, resource }: ServedResource): string {
  return `${groupResource(group, resource)}/${version}`
}

/** Tells the handler what changed; remembers no more than which uids there are. */
class MonitorSink implements ReflectorSink<KubeObject> {
  /** Resolves with the first list. */
  readonly listed: Promise<void>
  readonly #resource: ServedResource
  readonly #handler: MonitorHandler
  readonly #uids = new Set<string>()
  readonly #resolve: () => void
  #synced = false

  constructor(resource: ServedResource, handler: MonitorHandler) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#resource = resource
    this.#handler = handler
    this.#resolve = resolve
    this.listed = promise
  }

  get synced(): boolean {
    return this.#synced
  }

  replace(objects: readonly KubeObject[]): void {
    const kept = new Set(objects.map(({ metadata }) => metadata.uid))
    for (const uid of [...this.#uids]) if (!kept.has(uid)) this.#forget(uid)
    for (const object of objects) this.#put(object)
    this.finish()
  }

  apply({ type, object }: WatchEvent): void {
    if (type === 'DELETED') this.#forget(object.metadata.uid)
    else if (type !== 'BOOKMARK') this.#put(object)
  }

  /** The resource is served no more, and its objects with it. */
  clear(): void {
    for (const uid of [...this.#uids]) this.#forget(uid)
    this.finish()
  }

  /** Nobody waits for the first list any longer. */
  finish(): void {
    this.#synced = true
    this.#resolve()
  }

  #put(object: KubeObject): void {
    const { uid } = object.metadata
    if (uid === undefined) return
    this.#uids.add(uid)
    this.#handler.put(this.#resource, object)
  }

  #forget(uid: string | undefined): void {
    if (uid !== undefined && this.#uids.delete(uid)) this.#handler.removed(uid)
  }
}
