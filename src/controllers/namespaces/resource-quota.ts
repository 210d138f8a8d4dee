/**
 * resourcequota-controller: counts what a namespace uses of its quotas. Admission charges quotas for what is written;
 * this controller counts anew when something goes, when a quota is new or changed, and when somebody else has written
 * its status. It reads the quota first and what it counts afterwards, and writes only over the quota that it read: as
 * whatever is created meanwhile changes the quota, the count is exact.
 */

import { quotaEvaluator } from '../../apis/core/quota/evaluators.ts'
import { resourceQuotas } from '../../apis/core/resource-quota.ts'
import type { ResourceQuota } from '../../apis/core/types.gen.ts'
import { AssertionError } from '../../base/assert.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import type { Client } from '../../client/client.ts'
import { retryOnConflict } from '../../client/retry-on-conflict.ts'
import { keyOf, keyText, type ObjectKey, parseKeyText } from '../../machinery/meta/object.ts'
import type { ControllerParts, LoopController } from '../runtime/controller.ts'
import { WorkQueue } from '../runtime/work-queue.ts'
import { type QuotaChanges, watchQuotaChanges } from './resource-quota-changes.ts'
import { countQuota } from './resource-quota-count.ts'

/** Quotas that are counted at the same time; upstream's. */
const WORKERS = 5
/** How often a quota of which only the status changes is counted: every charge is such a change. */
const STATUS_RECOUNT_MS = 5_000
/** When to ask again for a resource that a quota names and nobody serves. */
const UNSERVED_MS = 5_000

interface Work {
  readonly parts: ControllerParts
  readonly queue: WorkQueue
  readonly changes: QuotaChanges
  readonly signal: AbortSignal
}

export const resourceQuotaController: LoopController = {
  name: 'resourcequota-controller',
  async run(parts, signal) {
    const queue = new WorkQueue(parts.clock)
    const stop = () => queue.close()
    signal.addEventListener('abort', stop, { once: true })
    await using changes = watchQuotaChanges(parts, ({ group, resource, namespace }) => {
      const evaluator = quotaEvaluator(group, resource)
      for (const quota of parts.cache.list(resourceQuotas, namespace))
        if (evaluator && evaluator.matchingNames(Object.keys(quota.spec.hard ?? {})).length > 0)
          queue.add(keyText(keyOf(quota)))
    })
    const unsubscribe = parts.informers.of(resourceQuotas).subscribe({
      added: (quota) => queue.add(keyText(keyOf(quota))),
      updated: (quota, previous) => {
        if (!deepEqual(quota.spec, previous.spec)) queue.add(keyText(keyOf(quota)))
        else if (!deepEqual(quota.status, previous.status)) queue.addAfter(keyText(keyOf(quota)), STATUS_RECOUNT_MS)
      },
      deleted: (quota) => queue.add(keyText(keyOf(quota))),
    })
    try {
      await parts.informers.whenSynced(signal).catch(() => {})
      await Promise.all(Array.from({ length: WORKERS }, () => work({ parts, queue, changes, signal })))
    } finally {
      queue.close()
      signal.removeEventListener('abort', stop)
      unsubscribe()
    }
  },
}

async function work(shared: Work): Promise<void> {
  const { parts, queue, signal } = shared
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    try {
      const againMs = await retryOnConflict(() => recount(shared, parseKeyText(key ?? '')))
      queue.forget(key)
      if (againMs !== undefined) queue.addAfter(key, againMs)
    } catch (error) {
      if (error instanceof AssertionError) throw error
      if (signal.aborted) return
      parts.log.info('a quota could not be counted', { quota: key, error: String(error) })
      queue.retry(key)
    } finally {
      queue.done(key)
    }
  }
}

/** When to count again without a change: pods that overstay their grace stop to count. */
async function recount(work: Work, key: ObjectKey): Promise<number | undefined> {
  const { parts, changes, signal } = work
  const quota = await quotaNow(work, key)
  if (!quota) {
    await changes.follow(keyText(key), [])
    return undefined
  }
  const about = `${resourceQuotas.resource} ${keyText(key)}`
  const revision = Number(quota.metadata.resourceVersion)
  const client = parts.client.because({ by: resourceQuotaController.name, about, revision })
  const count = await countQuota({ client, served: changes.served, nowMs: parts.clock.now(), signal }, quota)
  await changes.follow(keyText(key), count.resources)
  await writeStatus(client, quota, count.status)
  if (count.unserved) return UNSERVED_MS
  return count.changesAtMs === undefined ? undefined : Math.max(0, count.changesAtMs - parts.clock.now()) + 1
}

/** The role of this controller lets it list quotas, not get one. */
async function quotaNow({ parts, signal }: Work, { namespace, name }: ObjectKey): Promise<ResourceQuota | undefined> {
  const selection = { namespace, fieldSelector: `metadata.name=${name}` }
  const { items } = await parts.client.of(resourceQuotas).list({ ...selection, signal })
  return items[0]
}

async function writeStatus(client: Client, quota: ResourceQuota, status: ResourceQuota['status']): Promise<void> {
  if (!deepEqual(quota.status ?? {}, status)) {
    await client.of(resourceQuotas).update({ ...quota, status }, { subresource: 'status' })
  }
}
