/**
 * The current objects of one resource, in memory, and everyone who watches them. The cache follows the storage's
 * changes, so it shows only what is durable. Reads of the newest state cost no storage; exact older revisions and
 * watches from far back are read from the storage's history, or answered with 410 Expired.
 */

import type { Clock } from '../base/clock.ts'
import { deadline, orAborted } from '../base/deadline.ts'
import { byCodeUnit } from '../base/group-by.ts'
import type { Logger } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { ApiError, expired, timeout } from '../machinery/meta/api-error.ts'
import { type Change, Compacted, type Page, type Revision, type Storage, type Unreadable } from '../storage/storage.ts'
import { startBookmarks } from './bookmarks.ts'
import { assertReadable, CacheContents, type ObjectPage, type PageOptions } from './cache-contents.ts'
import type { CachedObject, ObjectCodec } from './cached-object.ts'
import { type ChangeDispatcher, createChangeDispatcher } from './change-dispatcher.ts'
import { Egress } from './egress.ts'
import { toCacheEvent } from './event.ts'
import { EventWindow } from './event-window.ts'
import { FanOut } from './fan-out.ts'
import { InitialStates } from './initial-states.ts'
import { changesReplay, eventsReplay } from './replay.ts'
import { isFiltered, type Selection, selects } from './selection.ts'
import { type Replay, Watcher } from './watcher.ts'

/** How long events stay in memory, in ms: longer than the reconnect of any client that is not in trouble. */
const WINDOW_MS_DEFAULT = 75_000

/** Events that stay in memory. */
const WINDOW_EVENTS_MAX_DEFAULT = 10_000

/** How long a read waits for a revision that has not been reached, in ms, as upstream. */
const FRESHNESS_WAIT_MS = 3_000

/** Objects read from the storage per page, when the cache is filled and when a selector is applied to the history. */
const PAGE_OBJECTS = 1_000

export interface WatchCacheOptions {
  readonly storage: Storage
  /** Keys of the resource are `prefix` + `namespace/name`, or `prefix` + `name`. */
  readonly prefix: string
  readonly codec: ObjectCodec
  readonly clock: Clock
  /** For the jitter of bookmarks. */
  readonly random: Random
  readonly log: Logger
  /** Shared by the caches of one storage; without it the cache follows the storage on its own. */
  readonly dispatcher?: ChangeDispatcher | undefined
  readonly windowMs?: number | undefined
  readonly eventsMax?: number | undefined
}

export interface ListQuery extends Selection, PageOptions {
  /** The state at exactly this revision; absent: the newest state, nothing committed before the call is missing. */
  readonly revision?: Revision | undefined
}

export interface ListResult extends ObjectPage {
  readonly revision: Revision
}

export interface WatchQuery extends Selection {
  /** `now`: only what comes. `initial`: first an ADDED for every object. A revision: everything after it. */
  readonly from: Revision | 'now' | 'initial'
  /** With `initial`: the state to begin with is at least this new. */
  readonly notOlderThan?: Revision | undefined
  /** Whether bookmarks are sent, about one a minute. */
  readonly bookmarks?: boolean | undefined
  /** Whether a marked bookmark closes the initial events. */
  readonly initialEventsEnd?: boolean | undefined
  /** Ends the watcher. */
  readonly signal: AbortSignal
}

export interface WatchCache extends Disposable {
  /** Everything up to here is in the cache, writes to other resources included. */
  readonly revision: Revision
  readonly watchers: number
  /** Whether nothing that was committed is missing here: what `caughtUpTo(storage.head)` would wait for has come. */
  readonly isFresh: boolean
  /** The newest change of an object of this resource, or the revision the cache was filled at. */
  readonly changedAt: Revision
  /** Resolves when the cache has been filled for the first time. */
  whenReady(): Promise<void>
  /** 504 Timeout with the cause ResourceVersionTooLarge when the revision does not come within 3 s. */
  caughtUpTo(revision: Revision, signal?: AbortSignal): Promise<void>
  /**
   * As of `revision`: wait for `caughtUpTo(storage.head)` before, where the newest state is asked for. Throws 500 for an
   * object that is there and cannot be read.
   */
  get(key: string): CachedObject | undefined
  /** As `get`: what is in memory now. */
  select(selection: Selection): readonly CachedObject[]
  /** Throws 410 Expired for a revision that has been compacted, and like `caughtUpTo`. */
  list(query?: ListQuery): Promise<ListResult>
  /** What `list` would answer where it had nothing to wait for and nothing to read; undefined elsewhere. */
  listNow(query: ListQuery): ListResult | undefined
  /** Throws 410 Expired for a revision that has been compacted, and like `caughtUpTo`. */
  watch(query: WatchQuery): Promise<Watcher>
}

export function createWatchCache(options: WatchCacheOptions): WatchCache {
  return new ResourceCache(options)
}

class ResourceCache implements WatchCache {
  readonly #options: WatchCacheOptions
  readonly #dispatcher: ChangeDispatcher
  readonly #contents: CacheContents
  readonly #fanOut = new FanOut()
  readonly #egress: Egress
  readonly #initialStates: InitialStates
  readonly #closing = new AbortController()
  #window: EventWindow
  /** Changes that arrive while the cache is being filled; undefined once it is. */
  #early: Change[] | undefined
  /** Undefined when filling failed: the next reader tries again. */
  #filled: Promise<void> | undefined
  /** The newest change of an object of this resource; exact reads from here on are reads of the current state. */
  #changedAt: Revision = 0

  constructor(options: WatchCacheOptions) {
    const { storage, prefix, log } = options
    this.#options = options
    this.#egress = new Egress(options.clock)
    this.#initialStates = new InitialStates(this.#egress)
    this.#dispatcher = options.dispatcher ?? createChangeDispatcher(storage, log)
    this.#contents = new CacheContents(prefix)
    const unsubscribe = this.#dispatcher.subscribe({
      prefix,
      changed: (changes) => this.#changed(changes),
      lost: (revision) => {
        this.#fanOut.endAll(expired('the watch cache fell behind and has been filled again; list again'))
        this.#filled = this.#fill(revision)
        this.#filled.catch((error: unknown) => log.error('A watch cache could not be filled', { prefix, error }))
      },
    })
    this.#closing.signal.addEventListener('abort', unsubscribe)
    this.#window = this.#emptyWindow(0)
    this.whenReady().catch((error: unknown) => log.error('A watch cache could not be filled', { prefix, error }))
  }

  get revision(): Revision {
    return this.#dispatcher.revision
  }

  get watchers(): number {
    return this.#fanOut.size
  }

  get isFresh(): boolean {
    return this.#filled !== undefined && !this.#early && this.revision >= this.#options.storage.head
  }

  get changedAt(): Revision {
    return this.#changedAt
  }

  whenReady(): Promise<void> {
    this.#filled ??= this.#fill(this.#dispatcher.revision)
    return this.#filled
  }

  async caughtUpTo(revision: Revision, signal = this.#closing.signal): Promise<void> {
    if (this.#early || !this.#filled) await orAborted(this.whenReady(), signal)
    if (this.revision >= revision) return
    using wait = deadline(this.#options.clock, FRESHNESS_WAIT_MS, signal)
    try {
      await this.#dispatcher.caughtUpTo(revision, wait.signal)
    } catch (error) {
      if (signal.aborted) throw error
      throw tooLarge(revision, this.revision)
    }
  }

  get(key: string): CachedObject | undefined {
    return this.#contents.get(key)
  }

  select(selection: Selection): readonly CachedObject[] {
    return this.#contents.list(selection).objects
  }

  async list(query: ListQuery = {}): Promise<ListResult> {
    const { revision } = query
    await this.caughtUpTo(revision ?? this.#options.storage.head)
    if (revision === undefined || revision >= this.#changedAt) return this.#listContents(query)
    return { revision, ...(await this.#listHistory(query, revision)) }
  }

  listNow(query: ListQuery): ListResult | undefined {
    const { revision = this.revision } = query
    const isCurrent = this.isFresh && revision >= this.#changedAt && revision <= this.revision
    return isCurrent ? this.#listContents(query) : undefined
  }

  #listContents(query: ListQuery): ListResult {
    const { objects, more, remaining } = this.#contents.list(query, query)
    return { revision: query.revision ?? this.revision, objects, more, remaining }
  }

  async watch(query: WatchQuery): Promise<Watcher> {
    const { from, notOlderThan = 0, signal } = query
    const { head } = this.#options.storage
    const fresh = from === 'initial' ? Math.max(notOlderThan, head) : from === 'now' ? 0 : Math.min(from, head)
    await this.caughtUpTo(fresh, signal)
    const stopBookmarks: (() => void)[] = []
    const onAbort = () => watcher.end()
    const watcher = new Watcher({
      selection: query,
      replay: this.#replay(query),
      after: typeof from === 'number' ? from : 0,
      egress: this.#egress,
      onEnd: () => {
        for (const stop of stopBookmarks) stop()
        signal.removeEventListener('abort', onAbort)
        this.#fanOut.remove(watcher)
      },
    })
    this.#fanOut.add(watcher)
    if (query.bookmarks) {
      const { clock, random } = this.#options
      stopBookmarks.push(startBookmarks(clock, random, () => watcher.offerBookmark(this.revision)))
    }
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted || this.#closing.signal.aborted) watcher.end()
    return watcher
  }

  [Symbol.dispose](): void {
    this.#closing.abort()
    this.#fanOut.endAll()
    if (!this.#options.dispatcher) this.#dispatcher[Symbol.dispose]()
  }

  /** What a watcher is told before it lives on events; everything after `this.revision` reaches it as an event. */
  #replay(query: WatchQuery): Replay | undefined {
    const { from, initialEventsEnd = false, signal } = query
    if (from === 'now' || (from !== 'initial' && from >= this.revision)) return undefined
    if (from === 'initial') {
      return this.#initialStates.replay({
        selection: query,
        changedAt: this.#changedAt,
        select: () => this.#contents.list(query).objects,
        endsAt: initialEventsEnd ? this.revision : undefined,
      })
    }
    const recent = this.#window.after(from)
    if (recent) return eventsReplay(recent, query)
    const { storage, prefix, codec } = this.#options
    if (from < storage.compacted) throw tooOld(from, storage.compacted)
    const changes = storage.changes(from, AbortSignal.any([signal, this.#closing.signal]))
    return changesReplay({ changes, through: this.revision, prefix, codec, selection: query })
  }

  #changed(changes: readonly Change[]): void {
    if (!this.#filled) return
    if (this.#early) this.#early.push(...changes)
    else for (const change of changes) this.#apply(change)
  }

  #apply(change: Change): void {
    const event = toCacheEvent(change, this.#contents.known(change.key), this.#options.codec)
    if (!event) {
      this.#forget(change)
      return
    }
    if (event.type === 'DELETED') this.#contents.delete(change.key)
    else this.#contents.set(event.object)
    this.#changedAt = change.revision
    this.#window.append(event)
    this.#fanOut.dispatch(event)
  }

  /** A deletion that left nothing to tell, because what was deleted could not be read. */
  #forget({ key, revision }: Change): void {
    this.#contents.delete(key)
    this.#changedAt = revision
    this.#window = this.#emptyWindow(revision)
    this.#fanOut.endAll(expired('an object that cannot be read was deleted; list again'))
  }

  async #fill(revision: Revision): Promise<void> {
    const early: Change[] = []
    this.#early = early
    const { storage, prefix, codec, log } = this.#options
    try {
      const objects: CachedObject[] = []
      const unreadable: Unreadable[] = []
      for await (const page of pagesOf(storage, prefix, revision)) {
        // Changes were lost meanwhile, and a newer fill is on its way.
        if (this.#early !== early) return await this.#filled
        for (const entry of page.entries) objects.push(codec.decode(entry))
        unreadable.push(...(page.unreadable ?? []))
      }
      for (const { key, error } of unreadable) log.error('An object cannot be read', { key, error: error.message })
      this.#contents.replace(objects, unreadable)
    } catch (error) {
      if (this.#early === early) this.#filled = this.#early = undefined
      throw error
    }
    this.#changedAt = revision
    this.#window = this.#emptyWindow(revision)
    this.#early = undefined
    for (const change of early) this.#apply(change)
  }

  #emptyWindow(since: Revision): EventWindow {
    const { clock, windowMs = WINDOW_MS_DEFAULT, eventsMax = WINDOW_EVENTS_MAX_DEFAULT } = this.#options
    return new EventWindow(since, { clock, windowMs, eventsMax })
  }

  async #listHistory(query: ListQuery, revision: Revision): Promise<ObjectPage> {
    const { storage, prefix, codec } = this.#options
    const { namespace, limit = Infinity } = query
    const filtered = isFiltered(query)
    const within = namespace ? `${prefix}${namespace}/` : prefix
    const objects: CachedObject[] = []
    let after = query.after
    try {
      while (true) {
        const page = await storage.list(within, { revision, after, limit: Math.min(limit, PAGE_OBJECTS) })
        assertReadable(page.unreadable ?? [], within)
        for (const [index, entry] of page.entries.entries()) {
          const object = codec.decode(entry)
          if (filtered && !selects(query, object)) continue
          if (objects.length === limit) return { objects, more: true, remaining: undefined }
          objects.push(object)
          const left = page.entries.length - index - 1 + page.remaining
          if (objects.length === limit && !filtered) return { objects, more: left > 0, remaining: left }
        }
        if (page.remaining === 0) return { objects, more: false, remaining: filtered ? undefined : 0 }
        after = page.entries.at(-1)?.key
      }
    } catch (error) {
      if (error instanceof Compacted) throw tooOld(revision, error.compacted)
      throw error
    }
  }
}

/** All there is at a revision, in pages: values that have been decoded are let go before the next ones are read. */
async function* pagesOf(storage: Storage, prefix: string, revision: Revision): AsyncGenerator<Page> {
  let after: string | undefined
  do {
    const page: Page = await storage.list(prefix, { revision, after, limit: PAGE_OBJECTS, countMax: 1 })
    const { entries, unreadable = [], remaining } = page
    const last = [entries.at(-1)?.key, unreadable.at(-1)?.key].filter((key) => key !== undefined)
    after = remaining > 0 ? last.toSorted(byCodeUnit).at(-1) : undefined
    yield page
  } while (after !== undefined)
}

function tooOld(revision: Revision, oldest: Revision): ApiError {
  return expired(`too old resource version: ${revision} (${oldest})`)
}

function tooLarge(revision: Revision, current: Revision): ApiError {
  const { message, code, reason } = timeout(`Too large resource version: ${revision}, current: ${current}`, 1)
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }]
  return new ApiError(code, reason, message, { retryAfterSeconds: 1, causes })
}
