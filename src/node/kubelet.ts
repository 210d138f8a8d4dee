/** The node agent: one worker for each pod bound to this node, woken by the API and by the runtime's events. */

import { pods } from '../apis/core/pod/definition.ts'
import type { Pod } from '../apis/core/types.gen.ts'
import { every } from '../base/clock.ts'
import { deepEqual } from '../base/deep-equal.ts'
import type { Informers } from '../client/informers.ts'
import { createNodeFeed, type NodeFeed } from './node-feed.ts'
import { removeOrphans } from './orphans.ts'
import type { PodDirectory } from './pod-directory.ts'
import type { Resize } from './pod-view.ts'
import { PodWorker, type PodWorkerParts } from './pod-worker.ts'
import { volumeReferences } from './volumes/references.ts'
import type { PodVolumes } from './volumes/volume.ts'

export interface KubeletParts extends Omit<PodWorkerParts, 'onFinished' | 'refuseResize'> {
  readonly nodeName: string
  readonly informers: Informers
  /** Shared by the nodes of a process; of its own when absent. */
  readonly feed?: NodeFeed | undefined
  readonly volumes: PodVolumes
  readonly directory: PodDirectory
  /** Why a pod cannot run on this node although it is bound to it; undefined: it can. */
  readonly admit: (pod: Pod, others: readonly Pod[]) => Refusal | undefined
}

interface Refusal {
  readonly reason: string
  readonly message: string
}

export interface Kubelet extends AsyncDisposable {
  /** The pods that have a worker, by uid: for the node's API. */
  pods(): readonly Pod[]
  /** Something about this pod changed that only the node knows: a probe's result. */
  wake(podUid: string): void
}

/** How often tokens are looked at: they rotate by time. */
const REFRESH_MS = 60_000
/** How often it is looked for what pods have left behind that are gone. */
const HOUSEKEEPING_MS = 120_000

export function startKubelet(parts: KubeletParts): Kubelet {
  const { nodeName, informers, clock, log } = parts
  const workers = new Map<string, PodWorker>()
  const stop = new AbortController()
  const feed = parts.feed ?? createNodeFeed(informers)

  const add = (pod: Pod) => {
    const uid = pod.metadata.uid ?? ''
    if (pod.spec?.nodeName !== nodeName || workers.has(uid) || isLetGo(pod)) return
    const others = () => [...workers.values()].filter((other) => other !== worker).map((other) => other.pod)
    const refuseResize = (resized: Pod) => resizeRefusal(parts, resized, others())
    const worker = new PodWorker(pod, { ...parts, refuseResize, onFinished: () => workers.delete(uid) })
    const refusal = isNew(pod) ? parts.admit(pod, others()) : undefined
    workers.set(uid, worker)
    if (refusal) reject(parts, worker, refusal)
    worker.update(pod)
  }
  const update = (pod: Pod, previous: Pod) => {
    const worker = workers.get(pod.metadata.uid ?? '')
    if (!worker) return add(pod)
    worker.update(pod)
    const { labels, annotations } = previous.metadata
    if (deepEqual(labels, pod.metadata.labels) && deepEqual(annotations, pod.metadata.annotations)) return
    if (volumeReferences(pod).ownFields) refresh(parts, worker)
  }
  const sourceChanged = (pod: Pod) => {
    const worker = workers.get(pod.metadata.uid ?? '')
    worker?.sourcesChanged()
    if (worker) refresh(parts, worker)
  }
  const refreshTokens = () => {
    for (const worker of workers.values()) if (volumeReferences(worker.pod).tokens) refresh(parts, worker)
  }
  const deleted = (pod: Pod) => workers.get(pod.metadata.uid ?? '')?.objectDeleted()
  const unsubscribe = feed.subscribe(nodeName, { added: add, updated: update, deleted, sourceChanged })
  const housekeep = () =>
    removeOrphans(parts, (uid) => workers.has(uid)).catch((error: unknown) =>
      log.warn('what pods left behind could not be removed and is tried again', { error: String(error) }),
    )
  every(clock, REFRESH_MS, stop.signal, refreshTokens)
  every(clock, HOUSEKEEPING_MS, stop.signal, housekeep)
  const running = [
    wakeOnEvents(parts, workers, stop.signal),
    informers
      .of(pods)
      .whenSynced(stop.signal)
      .then(housekeep, () => {}),
  ]

  return {
    pods: () => [...workers.values()].map(({ pod }) => pod),
    wake: (podUid) => workers.get(podUid)?.wake(),
    async [Symbol.asyncDispose]() {
      stop.abort()
      unsubscribe()
      for (const worker of workers.values()) worker.abandon()
      await Promise.allSettled(running)
    },
  }
}

/** Nothing has happened to it yet on any node. */
function isNew({ status, metadata }: Pod): boolean {
  return (status?.phase ?? 'Pending') === 'Pending' && !status?.startTime && !metadata.deletionTimestamp
}

/** The node is done with it; only others' finalizers keep the object. */
function isLetGo({ metadata, status }: Pod): boolean {
  const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed'
  return isOver && Boolean(metadata.deletionTimestamp) && metadata.deletionGracePeriodSeconds === 0
}

function reject({ executor }: KubeletParts, worker: PodWorker, { reason, message }: Refusal): void {
  const ending = { reason, message: `Pod was rejected: ${message}`, phase: 'Failed', rejected: true } as const
  executor.announceRejection(worker.pod, reason, message)
  worker.end(ending)
}

/** What would not even fit alone will never fit. */
function resizeRefusal({ admit }: KubeletParts, pod: Pod, others: readonly Pod[]): Resize['refusal'] {
  const alone = admit(pod, [])
  if (alone) return { reason: 'Infeasible', message: alone.message }
  const together = admit(pod, others)
  return together && { reason: 'Deferred', message: together.message }
}

/** Brings the files of a pod up to date. */
function refresh({ volumes, log }: KubeletParts, { pod }: PodWorker): void {
  volumes
    .refresh(pod)
    .catch((error: unknown) =>
      log.warn('the files of a pod could not be refreshed', { pod: pod.metadata.name, error: String(error) }),
    )
}

async function wakeOnEvents(
  { runtime, log }: KubeletParts,
  workers: ReadonlyMap<string, PodWorker>,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const { podUid } of runtime.events(signal)) workers.get(podUid)?.wake()
  } catch (error) {
    log.error('events of the runtime ended; pods are looked at from time to time only', { error: String(error) })
  }
}
