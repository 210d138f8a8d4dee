/**
 * pod-garbage-collector-controller: pods of nodes that are gone, deleted pods that no node will ever end, and the oldest
 * of too many finished ones.
 */

import { nodes } from '../../apis/core/node.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import { isPodTerminal, isPodTerminating } from '../../apis/core/pod/pod-status.ts'
import type { Node, Pod } from '../../apis/core/types.gen.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import type { Client } from '../../client/client.ts'
import { isNotFound } from '../../machinery/meta/api-error.ts'
import { keyOf, keyText } from '../../machinery/meta/object.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import type { ControllerParts, LoopController } from '../runtime/controller.ts'
import { isNodeReady } from './node-conditions.ts'

/** How often it looks, and how long a node must be missing first; upstream's. */
const PERIOD_MS = 20_000
const QUARANTINE_MS = 40_000
/** Somebody has seen to it that the node is off. */
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service'
/** Finished pods that are kept for people to look at. */
const FINISHED_MAX = 12_500

export interface PodGarbageView {
  readonly pods: readonly Pod[]
  readonly nodes: ReadonlyMap<string, Node>
  /** Since when a node that pods name has been missing. */
  readonly missingSinceMs: ReadonlyMap<string, number>
}

export interface PodGarbage {
  readonly pod: Pod
  /** `orphaned`: its node is gone, and nobody else will ever say how it ended. */
  readonly because: 'orphaned' | 'abandoned' | 'finished'
}

export const podGarbageCollector: LoopController = {
  name: 'pod-garbage-collector-controller',
  async run(parts, signal) {
    const { cache, clock } = parts
    const missingSinceMs = new Map<string, number>()
    cache.informer(pods)
    cache.informer(nodes)
    await parts.informers.whenSynced(signal)
    while (!signal.aborted) {
      await clock.sleep(PERIOD_MS, signal)
      const view = look(parts, missingSinceMs)
      for (const garbage of planPodGarbage(view, clock.now())) await collect(parts, garbage)
    }
  },
}

function look({ cache, clock }: ControllerParts, missingSinceMs: Map<string, number>): PodGarbageView {
  const all = [...cache.informer(pods).each()]
  const known = new Map([...cache.informer(nodes).each()].map((node) => [node.metadata.name ?? '', node]))
  const named = new Set(all.flatMap(({ spec }) => spec?.nodeName || []))
  for (const name of missingSinceMs.keys()) if (known.has(name) || !named.has(name)) missingSinceMs.delete(name)
  for (const name of named) if (!known.has(name) && !missingSinceMs.has(name)) missingSinceMs.set(name, clock.now())
  return { pods: all, nodes: known, missingSinceMs }
}

export function planPodGarbage(view: PodGarbageView, nowMs: number): readonly PodGarbage[] {
  const { pods: all, missingSinceMs } = view
  const orphaned = all.filter(({ spec }) => {
    const sinceMs = missingSinceMs.get(spec?.nodeName ?? '')
    return sinceMs !== undefined && nowMs - sinceMs >= QUARANTINE_MS
  })
  const abandoned = all.filter((pod) => isPodTerminating(pod) && nobodyEnds(pod, view))
  const finished = all.filter(isPodTerminal)
  const oldestFirst = finished.toSorted(
    (left, right) =>
      byCodeUnit(left.metadata.creationTimestamp ?? '', right.metadata.creationTimestamp ?? '') ||
      byCodeUnit(keyText(keyOf(left)), keyText(keyOf(right))),
  )
  return [
    ...orphaned.map((pod): PodGarbage => ({ pod, because: 'orphaned' })),
    ...abandoned.map((pod): PodGarbage => ({ pod, because: 'abandoned' })),
    ...oldestFirst
      .slice(0, Math.max(0, finished.length - FINISHED_MAX))
      .map((pod): PodGarbage => ({ pod, because: 'finished' })),
  ]
}

/** It never had a node, or its node was declared out of service. */
function nobodyEnds({ spec }: Pod, { nodes: known }: PodGarbageView): boolean {
  if (!spec?.nodeName) return true
  const node = known.get(spec.nodeName)
  return node !== undefined && !isNodeReady(node) && (node.spec?.taints ?? []).some(({ key }) => key === OUT_OF_SERVICE)
}

async function collect(parts: ControllerParts, { pod, because }: PodGarbage): Promise<void> {
  const client = parts.client.because({ by: podGarbageCollector.name, about: `pods ${keyText(keyOf(pod))}` })
  try {
    if (because === 'orphaned' && (await nodeExists(client, pod))) return
    if (!isPodTerminal(pod)) await fail(client, pod, because, parts.clock.now())
    await client.of(pods).delete(keyOf(pod), { uid: pod.metadata.uid, gracePeriodSeconds: 0 })
  } catch (error) {
    if (isNotFound(error)) return
    const details = { pod: keyText(keyOf(pod)), error: String(error) }
    parts.log.info('a pod could not be collected and is tried again', details)
  }
}

/** The cache may be older than the node. */
async function nodeExists(client: Client, { spec }: Pod): Promise<boolean> {
  try {
    await client.of(nodes).get({ name: spec?.nodeName ?? '' })
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

async function fail(client: Client, pod: Pod, because: PodGarbage['because'], nowMs: number): Promise<void> {
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByPodGC',
    message: 'PodGC: node no longer exists',
    lastTransitionTime: formatTime(nowMs),
  }
  const status = { phase: 'Failed', ...(because === 'orphaned' ? { conditions: [condition] } : {}) }
  const body = { metadata: { uid: pod.metadata.uid }, status }
  await client.of(pods).patch(keyOf(pod), { type: 'strategic', body }, { subresource: 'status' })
}
