/**
 * garbage-collector-controller: deletes what has lost all its owners, ends foreground deletions when the blocking
 * dependents are gone, and lets dependents forget owners that are deleted without them. The graph only says whom to
 * look at: nothing is deleted before the server has confirmed that the owners are gone.
 */

import { AssertionError } from '../../base/assert.ts'
import { orAborted } from '../../base/deadline.ts'
import { discover } from '../../client/discovery.ts'
import { isConflict } from '../../machinery/meta/api-error.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import type { ControllerParts, LoopController } from '../runtime/controller.ts'
import { WorkQueue } from '../runtime/work-queue.ts'
import { createAbsentOwnerCache } from './absent-owner-cache.ts'
import { type CollectorParts, checkObject, orphanDependents, UnknownOwnerKind } from './collector.ts'
import { indexKinds } from './kinds.ts'
import { createMonitors, type MonitorHandler, type Monitors } from './monitors.ts'
import { type GraphNode, graphNode, OwnerGraph } from './owner-graph.ts'
import { type Concerned, concernedByChange, concernedByRemoval, type Misplaced } from './plan.ts'

/** Objects looked at, and owners orphaned from, at the same time; upstream's. */
const WORKERS = 20
/** How often it asks what is served: resources come and go with their definitions. */
const DISCOVERY_PERIOD_MS = 10_000

export const garbageCollector: LoopController = {
  name: 'garbage-collector-controller',
  async run(parts, signal) {
    const [checks, orphans] = [closedWith(signal, parts), closedWith(signal, parts)]
    const graph = new OwnerGraph()
    const absent = createAbsentOwnerCache()
    let kinds = indexKinds([])
    const collector: CollectorParts = {
      client: parts.client,
      graph,
      absent,
      kinds: () => kinds,
      check: (uids) => uids.forEach((uid) => void checks.add(uid)),
    }
    const wake = ({ check, orphan, misplaced }: Concerned): void => {
      collector.check(check)
      if (orphan !== undefined) orphans.add(orphan)
      for (const one of misplaced) report(parts, one)
    }
    await using monitors = createMonitors(parts, follow(collector, wake))
    const refresh = async (): Promise<void> => {
      const discovery = await discover(parts.client, signal)
      kinds = indexKinds(discovery.kinds)
      await monitors.follow(discovery.resources, new Set(discovery.failures.map(({ groupVersion }) => groupVersion)))
    }
    await refresh()
    const work = (queue: WorkQueue, look: (collector: CollectorParts, uid: string) => Promise<void>) =>
      Array.from({ length: WORKERS }, () =>
        drain(parts, { queue, monitors, signal, look: (uid) => look(collector, uid) }),
      )
    await Promise.all([
      ...work(checks, checkObject),
      ...work(orphans, orphanDependents),
      repeat(parts, refresh, signal),
    ])
  },
}

/** Keeps the graph as the server tells it. */
function follow({ graph, absent }: CollectorParts, wake: (concerned: Concerned) => void): MonitorHandler {
  return {
    put(resource, object) {
      const node = graphNode(resource, object)
      wake(concernedByChange(graph, node, graph.put(node)))
    },
    removed(uid) {
      const gone = graph.remove(uid)
      if (!gone) return
      if (graph.dependentsOf(uid).length > 0) absent.add(referenceTo(gone), gone.namespace)
      wake(concernedByRemoval(graph, gone))
    },
  }
}

function closedWith(signal: AbortSignal, { clock }: ControllerParts): WorkQueue {
  const queue = new WorkQueue(clock)
  signal.addEventListener('abort', () => queue.close(), { once: true })
  return queue
}

async function repeat(
  { clock, log }: ControllerParts,
  refresh: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(DISCOVERY_PERIOD_MS, signal).catch(() => {})
    if (signal.aborted) return
    await refresh().catch((error: unknown) =>
      log.info('what is served could not be found out', { error: String(error) }),
    )
  }
}

interface Drain {
  readonly queue: WorkQueue
  readonly monitors: Monitors
  readonly signal: AbortSignal
  look(uid: string): Promise<void>
}

async function drain(parts: ControllerParts, { queue, monitors, signal, look }: Drain): Promise<void> {
  for (let uid = await queue.take(); uid !== undefined; uid = await queue.take()) {
    try {
      // Half of the graph would let go of owners whose dependents are not in it yet.
      if (!monitors.synced) await orAborted(monitors.whenSynced(), signal)
      await look(uid)
      queue.forget(uid)
    } catch (error) {
      if (error instanceof AssertionError) throw error
      if (signal.aborted) return
      const expected = isConflict(error) || error instanceof UnknownOwnerKind
      parts.log[expected ? 'debug' : 'info']('an object is looked at again', { uid, error: String(error) })
      queue.retry(uid)
    } finally {
      queue.done(uid)
    }
  }
}

function referenceTo({ resource, name, uid }: GraphNode) {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, name, uid }
}

function report({ events }: ControllerParts, { dependent, reference }: Misplaced): void {
  const { namespace, name, uid } = dependent
  const home = namespace ?? ''
  const owner = `[${reference.apiVersion}/${reference.kind}, namespace: ${home}, name: ${reference.name}, uid: ${reference.uid}]`
  const { apiVersion, kind } = referenceTo(dependent)
  const regarding = { apiVersion, kind, metadata: { namespace, name, uid } }
  events.event(
    regarding,
    'Warning',
    'OwnerRefInvalidNamespace',
    `ownerRef ${owner} does not exist in namespace "${home}"`,
  )
}
