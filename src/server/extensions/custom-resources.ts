/**
 * CustomResourceDefinitions at work: each is given the status it should have, and is served from the moment its names
 * are accepted, before it says so. One loop follows the stored definitions, one definition after the other; what it
 * decides is `apis/apiextensions`'.
 */

import { customResourceDefinitions } from '../../apis/apiextensions/custom-resource-definition.ts'
import type { Catalog } from '../../apis/catalog.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import type { Clock } from '../../base/clock.ts'
import { orAborted } from '../../base/deadline.ts'
import type { Logger } from '../../base/log.ts'
import { forbiddenRequest } from '../../machinery/meta/api-error.ts'
import type { AdmissionHooks } from '../registry/admission-hooks.ts'
import { ALL_NOW } from '../registry/list.ts'
import type { Registries, StorageParts } from '../registry/registries.ts'
import type { ConversionParts } from './conversion-review.ts'
import { createDefinitionFollower } from './definition-follower.ts'
import { createServedDefinitions, isClosing, type ServedDefinitions } from './served-definitions.ts'
import { versionConversion } from './version-conversion.ts'
import { versionDispatcher, versionStorage } from './version-storage.ts'

/** Until the definitions are read anew after a failure, in ms. */
const RETRY_MS = 1_000

export interface CustomResourcesParts extends ConversionParts {
  readonly catalog: Catalog
  registries(): Registries
  readonly clock: Clock
  readonly log: Logger
}

export interface CustomResources extends Disposable {
  readonly served: ServedDefinitions
  /** Begins to follow; at once ready where the catalog has no CustomResourceDefinitions. */
  start(): void
  /** Resolves when everything that was stored at the start is served. */
  whenReady(signal: AbortSignal): Promise<void>
  /** Whether that has happened. */
  readonly isReady: boolean
  /** A storage in the version of a definition, where a webhook converts. */
  storageOf(definition: ResourceDefinition, shared: StorageParts): StorageParts | undefined
  /** Admission that also refuses new objects of a resource that is going away. */
  guard(admission: AdmissionHooks): AdmissionHooks
}

export function createCustomResources(parts: CustomResourcesParts): CustomResources {
  const served = createServedDefinitions(parts.catalog)
  const stopping = new AbortController()
  const ready = Promise.withResolvers<void>()
  let isReady = false
  return {
    served,
    start() {
      const becomeReady = (): void => {
        isReady = true
        ready.resolve()
      }
      const { group, version, resource } = customResourceDefinitions
      if (parts.catalog.byResource(group, version, resource) === undefined) becomeReady()
      else void follow(parts, served, becomeReady, stopping.signal)
    },
    get isReady() {
      return isReady
    },
    whenReady: (signal) => orAborted(ready.promise, signal),
    storageOf(definition, { storage, dispatcher }) {
      const conversion = versionConversion(parts, served, definition)
      return (
        conversion && {
          storage: versionStorage(storage, conversion),
          dispatcher: versionDispatcher(dispatcher, conversion, parts.log),
        }
      )
    },
    guard: (admission) => ({
      ...admission,
      mutate(attributes, object) {
        const { operation, subresource, definition, name } = attributes
        if (operation === 'CREATE' && subresource === '' && isClosing(served, definition)) {
          const detail = 'create not allowed while custom resource definition is terminating'
          throw forbiddenRequest(definition, name, detail)
        }
        return admission.mutate(attributes, object)
      },
    }),
    [Symbol.dispose]: () => stopping.abort(),
  }
}

/** Reads everything, then lives on changes; reads everything again when that ends. */
async function follow(
  parts: CustomResourcesParts,
  served: ServedDefinitions,
  becomeReady: () => void,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log } = parts
  const registry = parts.registries().of(customResourceDefinitions)
  const follower = createDefinitionFollower({ ...parts, served, registry, signal })
  while (!signal.aborted) {
    try {
      const { items, metadata } = await registry.list({ ...ALL_NOW, namespace: '' })
      await follower.replaceAll(items.map((item) => item.object()))
      becomeReady()
      const from = { resourceVersion: metadata.resourceVersion ?? '', resourceVersionMatch: '' }
      const options = { ...from, namespace: '', sendInitialEvents: undefined, allowBookmarks: false, signal }
      for await (const batch of await registry.watch(options)) await follower.follow(batch)
    } catch (error) {
      if (signal.aborted) return
      log.warn('custom resource definitions are read again', { error })
      await clock.sleep(RETRY_MS, signal).catch(() => {})
    }
  }
}
