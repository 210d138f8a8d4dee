/**
 * What happens when a CustomResourceDefinition comes, changes or goes: its status is decided anew, it is served or
 * withdrawn, others get the names it gave back, and when it is being deleted its objects go first.
 */

import { customResourceDefinitions } from '../../apis/apiextensions/custom-resource-definition.ts'
import { isServable, withCurrentStatus } from '../../apis/apiextensions/definition-status.ts'
import type { CustomResourceDefinition } from '../../apis/apiextensions/types.gen.ts'
import { assert } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import { isConflict, isNotFound } from '../../machinery/meta/api-error.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import { canonical } from '../../machinery/schema/canonical.ts'
import type { Delivery } from '../../watch/event.ts'
import { ownWrites } from '../registry/context.ts'
import { statusEndpoint } from '../registry/endpoints.ts'
import type { Registries } from '../registry/registries.ts'
import type { Registry } from '../registry/registry.ts'
import { cleanUp, needsCleanup } from './cleanup.ts'
import type { ServedDefinitions } from './served-definitions.ts'

/** Until objects that would not go are deleted again, in ms. */
const RETRY_MS = 1_000

const SELF = ownWrites('custom-resources')

export interface FollowerParts {
  readonly served: ServedDefinitions
  readonly registry: Registry<CustomResourceDefinition>
  registries(): Registries
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
}

export interface DefinitionFollower {
  /** Everything there is; resolves when all of it has its status and is served. */
  replaceAll(definitions: readonly CustomResourceDefinition[]): Promise<void>
  /** What a watch has brought, in order. */
  follow(batch: readonly Delivery[]): Promise<void>
}

export function createDefinitionFollower(parts: FollowerParts): DefinitionFollower {
  return new Follower(parts)
}

class Follower implements DefinitionFollower {
  readonly #parts: FollowerParts
  /** As they are now, by name: what this follower has written is in here before its event comes. */
  readonly #seen = new Map<string, CustomResourceDefinition>()
  /** Names of definitions that are to be looked at. */
  readonly #waiting = new Set<string>()
  /** Names of definitions whose objects are being deleted. */
  readonly #cleaning = new Set<string>()

  constructor(parts: FollowerParts) {
    this.#parts = parts
  }

  async replaceAll(definitions: readonly CustomResourceDefinition[]): Promise<void> {
    const names = new Set(definitions.map(({ metadata }) => metadata.name ?? ''))
    for (const name of [...this.#seen.keys()]) if (!names.has(name)) this.#forget(name)
    for (const crd of definitions) this.#note(crd)
    await this.#settleAll()
  }

  async follow(batch: readonly Delivery[]): Promise<void> {
    for (const delivery of batch) {
      if (delivery.type === 'BOOKMARK') continue
      if (delivery.type === 'DELETED') this.#forget(delivery.object.name)
      // The registry's own objects: of its type.
      else this.#note(delivery.object.object() as CustomResourceDefinition)
    }
    await this.#settleAll()
  }

  #note(crd: CustomResourceDefinition): void {
    const { name = '' } = crd.metadata
    this.#seen.set(name, crd)
    this.#waiting.add(name)
  }

  /** The names that it had may be taken by others. */
  #forget(name: string): void {
    const gone = this.#seen.get(name)
    this.#seen.delete(name)
    this.#waiting.add(name)
    if (gone) this.#lookAtGroup(gone.spec.group)
  }

  #lookAtGroup(group: string, except = ''): void {
    for (const [name, crd] of this.#seen) if (crd.spec.group === group && name !== except) this.#waiting.add(name)
  }

  async #settleAll(): Promise<void> {
    for (const name of this.#waiting) {
      this.#waiting.delete(name)
      await this.#settle(name)
    }
  }

  async #settle(name: string): Promise<void> {
    const { served } = this.#parts
    const crd = this.#seen.get(name)
    if (crd === undefined) return served.withdraw(name)
    const next = this.#current(crd)
    if (isServable(next)) served.serve(next)
    else served.withdraw(name)
    if (next !== crd) {
      await this.#change(name, (live) => this.#current(live))
      this.#lookAtGroup(next.spec.group, name)
    }
    if (needsCleanup(next) && !this.#cleaning.has(name)) this.#cleanUp(name).catch(() => {})
  }

  /** In the form in which it comes back once it is written: served definitions are told apart by their texts. */
  #current(crd: CustomResourceDefinition): CustomResourceDefinition {
    const decided = withCurrentStatus(crd, this.#seen.values(), formatTime(this.#parts.clock.now()))
    return canonical(decided, customResourceDefinitions.schema, crd)
  }

  async #change(name: string, change: (live: CustomResourceDefinition) => CustomResourceDefinition): Promise<void> {
    const endpoint = statusEndpoint(customResourceDefinitions)
    assert(endpoint, 'definitions have a status')
    const changed = (live: CustomResourceDefinition | undefined): CustomResourceDefinition => {
      assert(live, 'what is missing is not created')
      return change(live)
    }
    const updating = { change: changed, endpoint, creates: false, withoutVersion: 'taken' } as const
    try {
      const { stored } = await this.#parts.registry.update({ name }, updating, SELF)
      if (this.#seen.has(name)) this.#seen.set(name, stored.object())
    } catch (error) {
      // Gone, or changed by somebody else: its event is on its way.
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
  }

  async #cleanUp(name: string): Promise<void> {
    const { clock, log, signal } = this.#parts
    const change = this.#change.bind(this)
    const objectsOf = (): Registry | undefined => this.#objectsOf(name)
    this.#cleaning.add(name)
    try {
      for (let crd = this.#seen.get(name); crd && needsCleanup(crd); crd = this.#seen.get(name)) {
        try {
          return await cleanUp({ change, objectsOf, clock, options: SELF }, crd, signal)
        } catch (error) {
          if (signal.aborted) return
          log.warn('objects of a custom resource definition could not be removed', { name, error })
          await clock.sleep(RETRY_MS, signal)
        }
      }
    } finally {
      this.#cleaning.delete(name)
    }
  }

  #objectsOf(name: string): Registry | undefined {
    const definition = this.#parts.served.stored(name)
    return definition && this.#parts.registries().of(definition)
  }
}
