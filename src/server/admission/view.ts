/**
 * What admission plugins look up, in memory: at once, where memory has everything that was written. Lists are kept until
 * an object of their resource changes, so that what is made of one is made once as well (`oncePer`); most are empty.
 */

import type { Catalog } from '../../apis/catalog.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import type { Awaitable } from '../../base/awaitable.ts'
import type { KubeObject, ObjectKey } from '../../machinery/meta/object.ts'
import type { Registries } from '../registry/registries.ts'
import type { Registry } from '../registry/registry.ts'
import type { AdmissionView } from './plugin.ts'

/** Lists of one resource that are kept: one for each namespace that somebody writes into. */
const LISTS_MAX = 1_000

/** Objects in these lists: as many as a watch cache keeps parsed. */
const OBJECTS_MAX = 500

export function createAdmissionView(
  registries: () => Registries,
  catalog: Pick<Catalog, 'byResource' | 'onChange'>,
): AdmissionView & Disposable {
  /** One for each definition that was asked about since the catalog changed. */
  const lookups = new Map<ResourceDefinition, Lookup>()
  const unsubscribe = catalog.onChange(() => lookups.clear())
  const lookup = (definition: ResourceDefinition): Lookup => {
    const known = lookups.get(definition)
    if (known !== undefined) return known
    const served = catalog.byResource(definition.group, definition.version, definition.resource)
    const made = new Lookup(served && registries().of(served))
    lookups.set(definition, made)
    return made
  }
  return {
    // The caller names the resource together with its type.
    get: <T extends KubeObject>(definition: ResourceDefinition<T>, key: ObjectKey) =>
      lookup(definition).get(key) as Awaitable<T | undefined>,
    list: <T extends KubeObject>(definition: ResourceDefinition<T>, namespace = '') =>
      lookup(definition).list(namespace) as Awaitable<readonly T[]>,
    [Symbol.dispose]: unsubscribe,
  }
}

const NONE: readonly never[] = []

/** Look-ups in one resource. */
class Lookup {
  readonly #registry: Registry | undefined
  /** By namespace, as they were when the registry had changed last. */
  readonly #lists = new Map<string, readonly KubeObject[]>()
  #listsOf = -1
  #objects = 0

  constructor(registry: Registry | undefined) {
    this.#registry = registry
  }

  get(key: ObjectKey): Awaitable<KubeObject | undefined> {
    const registry = this.#registry
    if (registry === undefined) return undefined
    if (!registry.isFresh) return registry.whenFresh().then(() => registry.peek(key)?.object())
    return registry.peek(key)?.object()
  }

  list(namespace: string): Awaitable<readonly KubeObject[]> {
    const registry = this.#registry
    if (registry === undefined) return NONE
    if (!registry.isFresh) return registry.whenFresh().then(() => this.#listNow(registry, namespace))
    return this.#listNow(registry, namespace)
  }

  #listNow(registry: Registry, namespace: string): readonly KubeObject[] {
    const { changedAt } = registry
    if (changedAt !== this.#listsOf) this.#forget(changedAt)
    const known = this.#lists.get(namespace)
    if (known !== undefined) return known
    const found = registry.peekAll({ namespace })
    const list = found.length === 0 ? NONE : found.map((item) => item.object())
    this.#keep(namespace, list)
    return list
  }

  #keep(namespace: string, list: readonly KubeObject[]): void {
    if (list.length > OBJECTS_MAX) return
    if (this.#lists.size === LISTS_MAX || this.#objects + list.length > OBJECTS_MAX) this.#forget(this.#listsOf)
    this.#lists.set(namespace, list)
    this.#objects += list.length
  }

  #forget(changedAt: number): void {
    this.#lists.clear()
    this.#objects = 0
    this.#listsOf = changedAt
  }
}
