/**
 * pod-garbage-collector-controller: pods of nodes that are gone, pods that were deleted before they had a node, and the
 * oldest of too many finished ones.
 */

import { nodes } from '../../apis/core/node.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import { keyOf, keyText } from '../../machinery/meta/object.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import type { ControllerParts, LoopController } from '../runtime/controller.ts'

/** How often it looks, and how long a node must be missing first; upstream's. */
const PERIOD_MS = 20_000
const QUARANTINE_MS = 40_000
/** Finished pods that are kept for people to look at. */
const FINISHED_MAX = 12_500

export interface PodGarbageView {
  readonly pods: readonly Pod[]
  readonly nodeNames: ReadonlySet<string>
  /** Since when a node that pods name has been missing. */
  readonly missingSinceMs: ReadonlyMap<string, number>
}

export interface PodGarbage {
  readonly pod: Pod
  /** Its node is gone: nobody else will ever say how it ended. */
  readonly orphaned: boolean
}

export const podGarbageCollector: LoopController = {
  name: 'pod-garbage-collector-controller',
  async run(parts, signal) {
    const { cache, clock } = parts
    const missingSinceMs = new Map<string, number>()
    cache.informer(pods)
    cache.informer(nodes)
    while (!signal.aborted) {
      await clock.sleep(PERIOD_MS, signal)
      const view = look(parts, missingSinceMs)
      for (const garbage of planPodGarbage(view, clock.now())) await collect(parts, garbage)
    }
  },
}

function look({ cache, clock }: ControllerParts, missingSinceMs: Map<string, number>): PodGarbageView {
  const all = cache.list(pods)
  const nodeNames = new Set(cache.list(nodes).map(({ metadata }) => metadata.name ?? ''))
  for (const name of missingSinceMs.keys()) if (nodeNames.has(name)) missingSinceMs.delete(name)
  for (const { spec } of all) {
    if (spec?.nodeName && !nodeNames.has(spec.nodeName) && !missingSinceMs.has(spec.nodeName))
      missingSinceMs.set(spec.nodeName, clock.now())
  }
  return { pods: all, nodeNames, missingSinceMs }
}

export function planPodGarbage(
  { pods: all, nodeNames, missingSinceMs }: PodGarbageView,
  nowMs: number,
): readonly PodGarbage[] {
  const orphaned = all.filter(({ spec }) => {
    if (!spec?.nodeName || nodeNames.has(spec.nodeName)) return false
    return nowMs - (missingSinceMs.get(spec.nodeName) ?? nowMs) >= QUARANTINE_MS
  })
  const neverBound = all.filter(({ spec, metadata }) => !spec?.nodeName && metadata.deletionTimestamp)
  const finished = all.filter(({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Failed')
  const oldestFirst = finished.toSorted((left, right) =>
    byCodeUnit(left.metadata.creationTimestamp ?? '', right.metadata.creationTimestamp ?? ''),
  )
  return [
    ...orphaned.map((pod) => ({ pod, orphaned: true })),
    ...neverBound.map((pod) => ({ pod, orphaned: false })),
    ...oldestFirst.slice(0, Math.max(0, finished.length - FINISHED_MAX)).map((pod) => ({ pod, orphaned: false })),
  ]
}

async function collect({ client, clock, log }: ControllerParts, { pod, orphaned }: PodGarbage): Promise<void> {
  try {
    if (orphaned && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed') {
      const message = 'PodGC: node no longer exists'
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByPodGC',
        message,
        lastTransitionTime: formatTime(clock.now()),
      }
      const status = { phase: 'Failed', conditions: [condition] }
      await client
        .of(pods)
        .patch(
          keyOf(pod),
          { type: 'strategic', body: { metadata: { uid: pod.metadata.uid }, status } },
          { subresource: 'status' },
        )
    }
    await client.of(pods).delete(keyOf(pod), { uid: pod.metadata.uid, gracePeriodSeconds: 0 })
  } catch (error) {
    log.info('a pod could not be collected and is tried again', { pod: keyText(keyOf(pod)), error: String(error) })
  }
}
