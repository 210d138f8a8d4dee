/**
 * namespace-controller: empties namespaces that are being deleted, tells in their conditions how far that is, and
 * lets them go by removing their `kubernetes` finalizer when nothing is left.
 */

import { namespaces } from '../../apis/core/namespace.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import type { Namespace } from '../../apis/core/types.gen.ts'
import { AssertionError } from '../../base/assert.ts'
import { type Backoff, backoffMs } from '../../base/backoff.ts'
import type { Client } from '../../client/client.ts'
import { discover } from '../../client/discovery.ts'
import { retryOnConflict } from '../../client/retry-on-conflict.ts'
import { isNotFound } from '../../machinery/meta/api-error.ts'
import { isBeingDeleted, NAMESPACE_FINALIZER } from '../../machinery/meta/finalizers.ts'
import { parseTime } from '../../machinery/meta/time.ts'
import type { ControllerParts, LoopController } from '../runtime/controller.ts'
import { WorkQueue } from '../runtime/work-queue.ts'
import { type ContentResult, deleteContent, podGraceSeconds } from './content.ts'
import { type DeletionFindings, deletionConditions } from './deletion-conditions.ts'

/** Namespaces that are emptied at the same time; upstream's. */
const WORKERS = 10
/** After failures, and while finalizers keep content: nobody tells when they are gone. */
const LOOK_AGAIN: Backoff = { initialMs: 100, factor: 2, maxMs: 60_000 }

export const namespaceController: LoopController = {
  name: 'namespace-controller',
  async run(parts, signal) {
    const queue = new WorkQueue(parts.clock)
    const subscriptions = subscribe(parts, queue)
    const stop = () => queue.close()
    signal.addEventListener('abort', stop, { once: true })
    try {
      await parts.informers.whenSynced(signal).catch(() => {})
      const rounds = new Map<string, number>()
      await Promise.all(Array.from({ length: WORKERS }, () => work(parts, queue, rounds, signal)))
    } finally {
      queue.close()
      signal.removeEventListener('abort', stop)
      for (const unsubscribe of subscriptions) unsubscribe()
    }
  },
}

function subscribe({ cache }: ControllerParts, queue: WorkQueue): readonly (() => void)[] {
  const enqueue = (namespace: Namespace) => {
    if (isDue(namespace)) queue.add(namespace.metadata.name ?? '')
  }
  const all = cache.informer(namespaces)
  const podCache = cache.informer(pods)
  podCache.addIndex(NAMESPACE_INDEX, ({ metadata }) => (metadata.namespace ? [metadata.namespace] : []))
  return [
    all.subscribe({
      added: enqueue,
      updated: (namespace, previous) => {
        if (!isDue(previous)) enqueue(namespace)
      },
    }),
    // Everything else waits for the pods: the last one that ends is the sign to go on.
    podCache.subscribe({
      deleted: ({ metadata: { namespace: name = '' } }) => {
        const namespace = all.get({ name })
        if (namespace && !podCache.hasIndexed(NAMESPACE_INDEX, name)) enqueue(namespace)
      },
    }),
  ]
}

const NAMESPACE_INDEX = 'metadata.namespace'

function isDue(namespace: Namespace): boolean {
  return isBeingDeleted(namespace) && (namespace.spec?.finalizers ?? []).length > 0
}

async function work(
  parts: ControllerParts,
  queue: WorkQueue,
  rounds: Map<string, number>,
  signal: AbortSignal,
): Promise<void> {
  for (let name = await queue.take(); name !== undefined; name = await queue.take()) {
    const round = rounds.get(name) ?? 0
    const againMs = await attempt(parts, name, round, signal)
    queue.done(name)
    if (againMs === undefined) rounds.delete(name)
    else {
      rounds.set(name, round + 1)
      queue.addAfter(name, againMs)
    }
  }
}

/** When to look again; undefined: the namespace is finished with. */
async function attempt(
  parts: ControllerParts,
  name: string,
  round: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    const outcome = await syncNamespace(parts, name, signal)
    if (outcome === undefined) return undefined
    const { failures, estimateSeconds } = outcome
    if (failures.length > 0) parts.log.info('a namespace is not empty yet', { namespace: name, failures })
    const patienceMs = backoffMs(LOOK_AGAIN, round)
    return estimateSeconds === 0 ? patienceMs : Math.min(patienceMs, (Math.floor(estimateSeconds / 2) + 1) * 1_000)
  } catch (error) {
    if (error instanceof AssertionError) throw error
    if (isNotFound(error)) return undefined
    if (!signal.aborted) parts.log.info('a namespace could not be emptied', { namespace: name, error: String(error) })
    return backoffMs(LOOK_AGAIN, round)
  }
}

/** What is left to do; undefined: nothing. */
async function syncNamespace(
  parts: ControllerParts,
  name: string,
  signal: AbortSignal,
): Promise<ContentResult | undefined> {
  const { cache, clock } = parts
  const namespace = await parts.client.of(namespaces).get({ name }, signal)
  if (!isDue(namespace)) return undefined
  const { resourceVersion } = namespace.metadata
  const client = parts.client.because({
    by: namespaceController.name,
    about: `namespaces ${name}`,
    revision: Number(resourceVersion),
  })
  const deletedMs = parseTime(namespace.metadata.deletionTimestamp) ?? clock.now()
  const { resources, failures } = await discover(client, signal)
  const grace = podGraceSeconds(cache.informer(pods).byIndex(NAMESPACE_INDEX, name), deletedMs, clock.now())
  const content = await deleteContent({ client, namespace: name, resources, podGraceSeconds: grace, signal })
  const discoveryFailure =
    failures.length === 0
      ? undefined
      : `Discovery failed for some groups, ${failures.length} failing: unable to retrieve the complete list of ` +
        `server APIs: ${failures.map(({ groupVersion, message }) => `${groupVersion}: ${message}`).join(', ')}`
  const findings = { discoveryFailure, contentFailures: content.failures, remaining: content.remaining }
  await tell(client, namespace, findings, clock.now())
  if (failures.length > 0) return { ...content, failures: [...content.failures, discoveryFailure ?? ''] }
  if (content.remaining.length > 0 || content.failures.length > 0) return content
  await letGo(client, namespace)
  return undefined
}

async function tell(client: Client, { metadata }: Namespace, findings: DeletionFindings, nowMs: number): Promise<void> {
  await retryOnConflict(async () => {
    const namespace = await client.of(namespaces).get({ name: metadata.name ?? '' })
    const before = namespace.status?.conditions ?? []
    const conditions = deletionConditions(before, findings, nowMs)
    if (namespace.metadata.uid !== metadata.uid || conditions === before) return
    const status = { ...namespace.status, phase: 'Terminating' as const, conditions }
    await client.of(namespaces).update({ ...namespace, status }, { subresource: 'status' })
  })
}

async function letGo(client: Client, { metadata }: Namespace): Promise<void> {
  await retryOnConflict(async () => {
    const namespace = await client.of(namespaces).get({ name: metadata.name ?? '' })
    if (namespace.metadata.uid !== metadata.uid) return
    const finalizers = namespace.spec?.finalizers?.filter((finalizer) => finalizer !== NAMESPACE_FINALIZER) ?? []
    await client.of(namespaces).update({ ...namespace, spec: { finalizers } }, { subresource: 'finalize' })
  })
}
