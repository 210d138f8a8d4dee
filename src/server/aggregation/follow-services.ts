/** Follows the stored APIServices, as long as the server runs: all of them at first, then each that changes. */

import { apiServices } from '../../apis/apiregistration/api-service.ts'
import type { APIService } from '../../apis/apiregistration/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import { ALL_NOW } from '../registry/list.ts'
import type { Registries } from '../registry/registries.ts'

export interface ServicesSink {
  /** Everything there is. */
  replaceAll(services: readonly APIService[]): void
  put(service: APIService): void
  remove(name: string): void
}

export interface FollowServicesParts {
  registries(): Registries
  readonly clock: Clock
  readonly log: Logger
}

/** Until they are read anew after a failure, in ms. */
const RETRY_MS = 1_000

export async function followServices(
  { registries, clock, log }: FollowServicesParts,
  sink: ServicesSink,
  signal: AbortSignal,
): Promise<void> {
  const registry = registries().of(apiServices)
  while (!signal.aborted) {
    try {
      const { items, metadata } = await registry.list({ ...ALL_NOW, namespace: '' })
      sink.replaceAll(items.map((item) => item.object()))
      const from = { resourceVersion: metadata.resourceVersion ?? '', resourceVersionMatch: '' }
      const options = { ...from, namespace: '', sendInitialEvents: undefined, allowBookmarks: false, signal }
      for await (const batch of await registry.watch(options)) {
        for (const delivery of batch) {
          if (delivery.type === 'BOOKMARK') continue
          if (delivery.type === 'DELETED') sink.remove(delivery.object.name)
          // The registry's own objects: of its type.
          else sink.put(delivery.object.object() as APIService)
        }
      }
    } catch (error) {
      if (signal.aborted) return
      log.warn('API services are read again', { error })
      await clock.sleep(RETRY_MS, signal).catch(() => {})
    }
  }
}
