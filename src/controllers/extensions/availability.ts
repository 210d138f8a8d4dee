/**
 * apiservice-status-available-controller: says of every APIService whether its server can be reached and answers. It
 * asks when the Service or its endpoints change, and every half minute: networks fail without telling anybody.
 */

import { apiServices } from '../../apis/apiregistration/api-service.ts'
import type { APIService } from '../../apis/apiregistration/types.gen.ts'
import { services } from '../../apis/core/service/definition.ts'
import { endpointSlices, SERVICE_NAME_LABEL } from '../../apis/discovery/endpoint-slice.ts'
import type { EndpointSlice } from '../../apis/discovery/types.gen.ts'
import { AssertionError } from '../../base/assert.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { messageOf } from '../../base/error-text.ts'
import { isNotFound } from '../../machinery/meta/api-error.ts'
import type { ControllerParts, LoopController } from '../runtime/controller.ts'
import { WorkQueue } from '../runtime/work-queue.ts'
import { findAvailability, PASSED, unavailable, withAvailability } from './plan-availability.ts'

/** Whether the server behind an APIService answers. Throws with the reason when it does not. */
export type CheckApiService = (service: APIService, signal: AbortSignal) => Promise<void>

/** APIServices that are looked at at the same time; upstream's. */
const WORKERS = 5
/** Between two looks at a server, and the longest pause after failures; upstream's. */
const PERIOD_MS = 30_000

const NAME = 'apiservice-status-available-controller'

export function availabilityController(check: CheckApiService): LoopController {
  return {
    name: NAME,
    async run(parts, signal) {
      const queue = new WorkQueue(parts.clock)
      const stop = () => queue.close()
      signal.addEventListener('abort', stop, { once: true })
      const unsubscribes = subscribe(parts, queue)
      try {
        await parts.informers.whenSynced(signal).catch(() => {})
        await Promise.all(Array.from({ length: WORKERS }, () => work(parts, queue, check, signal)))
      } finally {
        queue.close()
        signal.removeEventListener('abort', stop)
        for (const unsubscribe of unsubscribes) unsubscribe()
      }
    },
  }
}

function subscribe({ cache }: ControllerParts, queue: WorkQueue): readonly (() => void)[] {
  const all = cache.informer(apiServices)
  const addBehind = (namespace: string | undefined, name: string | undefined): void => {
    for (const { metadata, spec } of all.list())
      if (spec.service?.namespace === namespace && spec.service?.name === name) queue.add(metadata.name ?? '')
  }
  const addService = ({ metadata }: { readonly metadata: APIService['metadata'] }) =>
    addBehind(metadata.namespace, metadata.name)
  const addSlice = ({ metadata }: EndpointSlice) => {
    const name = metadata.labels?.[SERVICE_NAME_LABEL]
    if (name !== undefined) addBehind(metadata.namespace, name)
  }
  const add = ({ metadata }: APIService) => queue.add(metadata.name ?? '')
  return [
    all.subscribe({
      added: add,
      updated: (service, previous) => {
        if (!deepEqual(service.spec, previous.spec)) add(service)
      },
      deleted: add,
    }),
    cache.informer(services).subscribe({ added: addService, updated: addService, deleted: addService }),
    cache.informer(endpointSlices).subscribe({ added: addSlice, updated: addSlice, deleted: addSlice }),
  ]
}

async function work(
  parts: ControllerParts,
  queue: WorkQueue,
  check: CheckApiService,
  signal: AbortSignal,
): Promise<void> {
  for (let name = await queue.take(); name !== undefined; name = await queue.take()) {
    try {
      const outcome = await reconcile(parts, name, check, signal)
      if (outcome === 'failed') queue.retry(name)
      else queue.forget(name)
      if (outcome !== 'settled') queue.addAfter(name, PERIOD_MS)
    } catch (error) {
      if (error instanceof AssertionError) throw error
      if (signal.aborted) return
      parts.log.info('the availability of an API service could not be written', { name, error: String(error) })
      queue.retry(name)
    } finally {
      queue.done(name)
    }
  }
}

/** `settled`: nothing but a change of an object can change it. */
async function reconcile(
  { cache, client, clock }: ControllerParts,
  name: string,
  check: CheckApiService,
  signal: AbortSignal,
): Promise<'settled' | 'passed' | 'failed'> {
  const apiService = cache.get(apiServices, { name })
  if (apiService === undefined) return 'settled'
  const place = apiService.spec.service
  const key = { namespace: place?.namespace ?? '', name: place?.name ?? '' }
  const slices = place
    ? cache
        .list(endpointSlices, key.namespace)
        .filter(({ metadata }) => metadata.labels?.[SERVICE_NAME_LABEL] === key.name)
    : []
  const found = findAvailability({ apiService, service: place && cache.get(services, key), slices })
  const finding = found ?? (await ask(apiService, check, signal))
  signal.throwIfAborted()
  const next = withAvailability(apiService, finding, clock.now())
  if (next) {
    const about = `apiservices.apiregistration.k8s.io ${name}`
    const writer = client.because({ by: NAME, about, revision: Number(apiService.metadata.resourceVersion) })
    await writer.of(apiServices).update(next, { subresource: 'status' }).catch(ignoreNotFound)
  }
  if (found) return 'settled'
  return finding.status === 'True' ? 'passed' : 'failed'
}

async function ask(apiService: APIService, check: CheckApiService, signal: AbortSignal) {
  try {
    await check(apiService, signal)
    return PASSED
  } catch (error) {
    return unavailable('FailedDiscoveryCheck', messageOf(error))
  }
}

function ignoreNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error
}
