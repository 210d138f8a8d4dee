/** The node agent: from the pods bound to this node to one worker each, and from the runtime's events to their wake-up. */

import { configMaps } from '../apis/core/config-map.ts'
import { pods } from '../apis/core/pod/definition.ts'
import { secrets } from '../apis/core/secret.ts'
import type { Pod } from '../apis/core/types.gen.ts'
import { every } from '../base/clock.ts'
import type { Informers } from '../client/informers.ts'
import type { KubeObject } from '../machinery/meta/object.ts'
import type { PodDirectory } from './pod-directory.ts'
import { isRunning } from './pod-view.ts'
import { PodWorker, type PodWorkerParts } from './pod-worker.ts'
import type { PodVolumes } from './volumes/volume.ts'

export interface KubeletParts extends Omit<PodWorkerParts, 'onFinished'> {
  readonly nodeName: string
  readonly informers: Informers
  readonly volumes: PodVolumes
  readonly directory: PodDirectory
  /** Why a pod cannot run on this node although it is bound to it; undefined: it can. */
  readonly admit: (
    pod: Pod,
    others: readonly Pod[],
  ) => { readonly reason: string; readonly message: string } | undefined
}

export interface Kubelet extends AsyncDisposable {
  /** The pods that have a worker, by uid: for the node's API. */
  pods(): readonly Pod[]
  /** Something about this pod changed that only the node knows: a probe's result. */
  wake(podUid: string): void
}

const NODE_INDEX = 'spec.nodeName'
/** How often files from ConfigMaps, Secrets and tokens are looked at without a change: tokens rotate by time. */
const REFRESH_MS = 60_000

export function startKubelet(parts: KubeletParts): Kubelet {
  const { nodeName, informers, volumes, clock, log, admit } = parts
  const workers = new Map<string, PodWorker>()
  const stop = new AbortController()
  const informer = informers.of(pods)
  informer.addIndex(NODE_INDEX, ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []))

  const add = (pod: Pod) => {
    const uid = pod.metadata.uid ?? ''
    if (pod.spec?.nodeName !== nodeName || workers.has(uid)) return
    const worker = new PodWorker(pod, { ...parts, onFinished: () => workers.delete(uid) })
    const others = [...workers.values()].map((other) => other.pod)
    workers.set(uid, worker)
    const refusal = pod.status?.phase === 'Pending' && !pod.status.startTime ? admit(pod, others) : undefined
    if (refusal) worker.end({ ...refusal, phase: 'Failed', graceSeconds: 0 })
    worker.update(pod)
  }
  const refreshAll = (namespace: string | undefined) => {
    for (const { pod } of workers.values()) {
      if (namespace !== undefined && pod.metadata.namespace !== namespace) continue
      volumes
        .refresh(pod)
        .catch((error: unknown) =>
          log.warn('the files of a pod could not be refreshed', { pod: pod.metadata.name, error: String(error) }),
        )
    }
  }
  const refreshFor = ({ metadata }: KubeObject) => refreshAll(metadata.namespace)
  const onSource = { added: refreshFor, updated: refreshFor, deleted: refreshFor }
  const unsubscribe = [
    informer.subscribe({
      added: add,
      updated: (pod) =>
        workers.has(pod.metadata.uid ?? '') ? workers.get(pod.metadata.uid ?? '')?.update(pod) : add(pod),
      deleted: (pod) => workers.get(pod.metadata.uid ?? '')?.objectDeleted(),
    }),
    informers.of(configMaps).subscribe(onSource),
    informers.of(secrets).subscribe(onSource),
  ]
  every(clock, REFRESH_MS, stop.signal, () => refreshAll(undefined))
  const running = [
    wakeOnEvents(parts, workers, stop.signal),
    informer.whenSynced(stop.signal).then(() => removeOrphans(parts, workers)),
  ]

  return {
    pods: () => [...workers.values()].map(({ pod }) => pod),
    wake: (podUid) => workers.get(podUid)?.wake(),
    async [Symbol.asyncDispose]() {
      stop.abort()
      for (const cancel of unsubscribe) cancel()
      for (const worker of workers.values()) worker.abandon()
      await Promise.allSettled(running)
    },
  }
}

async function wakeOnEvents(
  { runtime }: KubeletParts,
  workers: ReadonlyMap<string, PodWorker>,
  signal: AbortSignal,
): Promise<void> {
  for await (const { podUid } of runtime.events(signal)) workers.get(podUid)?.wake()
}

/** What is left of pods that were deleted while the agent was not running. */
async function removeOrphans(
  { runtime, volumes, directory, log }: KubeletParts,
  workers: ReadonlyMap<string, PodWorker>,
): Promise<void> {
  const [sandboxes, containers, folders] = await Promise.all([
    runtime.sandboxes(),
    runtime.containers(),
    directory.pods(),
  ])
  const uids = new Set([...sandboxes, ...containers].map(({ pod }) => pod.uid).concat(folders))
  for (const uid of uids) {
    if (workers.has(uid)) continue
    log.info('removing what is left of a pod that is gone', { podUid: uid })
    const own = containers.filter(({ pod }) => pod.uid === uid)
    for (const { id } of own.filter(isRunning)) await runtime.stopContainer(id, 1)
    for (const { id } of sandboxes.filter(({ pod }) => pod.uid === uid)) await runtime.removeSandbox(id)
    for (const { id } of own) await runtime.removeContainer(id)
    await volumes.tearDown(uid)
    await directory.remove(uid)
  }
}
