/**
 * Keeps the scheduler's view of the cluster: routes what informers say to the state (pods on nodes), to the
 * queue (pods that wait) and, as events, to the pods that an event may help.
 */

import { namespaces } from '../apis/core/namespace.ts'
import { nodes } from '../apis/core/node.ts'
import { persistentVolumes } from '../apis/core/persistent-volume/definition.ts'
import { persistentVolumeClaims } from '../apis/core/persistent-volume-claim.ts'
import { pods } from '../apis/core/pod/definition.ts'
import { isPodTerminal } from '../apis/core/pod/pod-status.ts'
import type { Node, PersistentVolumeClaim, Pod } from '../apis/core/types.gen.ts'
import { podDisruptionBudgets } from '../apis/policy/pod-disruption-budget.ts'
import { storageClasses } from '../apis/storage/storage-class.ts'
import type { Clock } from '../base/clock.ts'
import { deepEqual } from '../base/deep-equal.ts'
import type { Informers } from '../client/informers.ts'
import { selectorFromLabelSelector } from '../machinery/meta/labels.ts'
import { keyOf, keyText, type ObjectKey } from '../machinery/meta/object.ts'
import { PodMemory } from './alike.ts'
import type { ClusterEvent, Profile } from './framework.ts'
import { type PodInfo, podInfoOf } from './pod-info.ts'
import type { Budget } from './preempt.ts'
import { SchedulingQueue } from './queue.ts'
import { siblingsFrom } from './siblings.ts'
import { ClusterState, type NodeInfo, nodeInfoOf, type Snapshot, withNodes, withPod } from './snapshot.ts'
import { type TrackedVolumes, trackVolumes } from './volume-lookups.ts'

export interface ClusterViewParts {
  readonly informers: Informers
  readonly clock: Clock
  readonly profile: Profile
  /** Called with the key of a pod that will never wait again. */
  readonly onGone: (key: string) => void
}

interface Nomination {
  readonly pod: PodInfo
  readonly nodeName: string
}

export class ClusterView implements Disposable {
  readonly state: ClusterState
  readonly queue: SchedulingQueue
  /** For attempts at what `snapshotFor` gives. */
  readonly memory: PodMemory
  readonly volumes: TrackedVolumes
  readonly #informers: Informers
  readonly #profile: Profile
  readonly #onGone: (key: string) => void
  /** By uid: pods that wait for others to leave a node. */
  readonly #nominations = new Map<string, Nomination>()
  readonly #unsubscribe: readonly (() => void)[]

  constructor({ informers, clock, profile, onGone }: ClusterViewParts) {
    const ofNamespaces = informers.of(namespaces)
    const siblings = siblingsFrom(informers)
    this.#informers = informers
    this.#profile = profile
    this.memory = new PodMemory(profile)
    this.#onGone = onGone
    this.volumes = trackVolumes(informers)
    this.state = new ClusterState({
      volumes: this.volumes,
      namespaceLabels: (name) => ofNamespaces.get({ name })?.metadata.labels ?? {},
      siblings,
    })
    this.queue = new SchedulingQueue({ clock, wakes: (...event) => this.#wakes(...event) })
    informers.of(podDisruptionBudgets)
    this.#unsubscribe = [
      informers.of(nodes).subscribe({
        added: (node) => this.#setNode(node),
        updated: (node, previous) => this.#setNode(node, previous),
        deleted: (node) => this.state.removeNode(node.metadata.name ?? ''),
      }),
      ...this.#followVolumes(informers),
      ofNamespaces.subscribe({
        added: () => this.memory.clear(),
        updated: () => {
          this.memory.clear()
          this.queue.notify({ resource: 'namespaces', action: 'update' })
        },
        deleted: () => this.memory.clear(),
      }),
      informers.of(pods).subscribe({
        added: (pod) => this.#setPod(pod),
        updated: (pod, previous) => {
          if (pod.metadata.uid !== previous.metadata.uid) this.#removePod(previous)
          this.#setPod(pod, previous)
        },
        deleted: (pod) => this.#removePod(pod),
      }),
    ]
  }

  async whenSynced(signal: AbortSignal): Promise<void> {
    const { whenSynced } = this.#informers
    await whenSynced.call(this.#informers, signal)
  }

  /** The nodes as this pod should see them: pods of at least its priority that wait for a node have their place there. */
  snapshotFor(pod: PodInfo): Snapshot {
    const snapshot = this.state.snapshot()
    const fuller = new Map<string, NodeInfo>()
    for (const { pod: other, nodeName } of this.#nominations.values()) {
      const node = fuller.get(nodeName) ?? snapshot.node(nodeName)
      if (node && other.uid !== pod.uid && other.priority >= pod.priority) fuller.set(nodeName, withPod(node, other))
    }
    return fuller.size === 0 ? snapshot : withNodes(snapshot, fuller.values())
  }

  budgets(): readonly Budget[] {
    return this.#informers
      .of(podDisruptionBudgets)
      .list()
      .map(({ metadata, spec, status }) => {
        const selector = selectorFromLabelSelector(spec?.selector)
        return {
          namespace: metadata.namespace ?? '',
          allowed: status?.disruptionsAllowed ?? 0,
          matches: (pod) => selector.matches(pod.labels),
        }
      })
  }

  nominate(pod: PodInfo, nodeName: string): void {
    this.#nominations.set(pod.uid, { pod, nodeName })
  }

  nominatedNode(pod: PodInfo): string | undefined {
    return this.#nominations.get(pod.uid)?.nodeName ?? pod.pod.status?.nominatedNodeName
  }

  forgetNomination(uid: string): void {
    this.#nominations.delete(uid)
  }

  /** The binding failed: the place is free again. */
  release(pod: PodInfo): void {
    this.state.forget(pod.uid)
    this.queue.notify({ resource: 'pods', action: 'delete', pod })
  }

  [Symbol.dispose](): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.queue[Symbol.dispose]()
  }

  #followVolumes(informers: Informers): readonly (() => void)[] {
    const changed = (claim?: ObjectKey) =>
      this.queue.notify({ resource: 'volumes', action: 'update', ...(claim ? { claim } : {}) })
    const any = { added: () => changed(), updated: () => changed(), deleted: () => changed() }
    const one = (claim: PersistentVolumeClaim) => changed(keyOf(claim))
    return [
      informers.of(persistentVolumeClaims).subscribe({ added: one, updated: one }),
      informers.of(persistentVolumes).subscribe(any),
      informers.of(storageClasses).subscribe(any),
    ]
  }

  #wakes(pod: PodInfo, names: ReadonlySet<string>, event: ClusterEvent): boolean {
    // A cluster without nodes rejects without any plugin's word: every new node may help.
    if (names.size === 0) return event.resource === 'nodes'
    return this.#profile.plugins.some(({ plugin }) => names.has(plugin.name) && plugin.wakes?.(pod, event) === true)
  }

  #setNode(node: Node, previous?: Node): void {
    this.state.setNode(node)
    if (previous && !isChanged(node, previous)) return
    this.queue.notify({
      resource: 'nodes',
      action: previous ? 'update' : 'add',
      node: nodeInfoOf(node),
      ...(previous ? { previous: nodeInfoOf(previous) } : {}),
    })
  }

  #setPod(pod: Pod, previous?: Pod): void {
    const uid = pod.metadata.uid ?? ''
    if (isPodTerminal(pod)) this.#removePod(pod)
    else if (pod.spec?.nodeName) this.#setPlaced(pod, previous)
    else if (this.state.placed(uid)) return
    else if (pod.spec?.schedulerName !== this.#profile.schedulerName) return
    else if (pod.metadata.deletionTimestamp) this.#removePod(pod)
    else this.queue.set(podInfoOf(pod), gatesOf(pod))
  }

  #setPlaced(pod: Pod, previous: Pod | undefined): void {
    if (previous?.spec?.nodeName && isSame(pod, previous)) return
    const assumed = this.state.assumedOn(pod.metadata.uid ?? '', pod.spec?.nodeName ?? '')
    const isConfirmed = assumed !== undefined && isBound(pod, assumed.pod)
    const info = isConfirmed ? assumed : podInfoOf(pod)
    const known = previous?.spec?.nodeName ? this.state.placed(info.uid) : undefined
    this.queue.delete(info.uid)
    this.#nominations.delete(info.uid)
    if (isConfirmed) this.state.confirm(info.uid)
    else this.state.setPod(info)
    if (!known) this.queue.notify({ resource: 'pods', action: 'add', pod: info })
    else this.queue.notify({ resource: 'pods', action: 'update', pod: info, previous: known })
    this.#onGone(info.key)
  }

  #removePod(pod: Pod): void {
    const uid = pod.metadata.uid ?? ''
    const placed = this.state.removePod(uid)
    this.queue.delete(uid)
    this.#nominations.delete(uid)
    this.#onGone(keyText(keyOf(pod)))
    if (placed) this.queue.notify({ resource: 'pods', action: 'delete', pod: placed })
  }
}

const GATED: ReadonlySet<string> = new Set(['SchedulingGates'])
const NOT_GATED: ReadonlySet<string> = new Set()

function gatesOf(pod: Pod): ReadonlySet<string> {
  return (pod.spec?.schedulingGates ?? []).length > 0 ? GATED : NOT_GATED
}

/** Most changes of a pod on its node are of its status, which scheduling does not look at. */
function isSame(pod: Pod, previous: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp === previous.metadata.deletionTimestamp &&
    pod.status?.startTime === previous.status?.startTime &&
    deepEqual(pod.metadata.labels, previous.metadata.labels) &&
    deepEqual(pod.spec, previous.spec)
  )
}

/** Whether the pod is what was assumed to get a node, with nothing new but that. */
function isBound(pod: Pod, assumed: Pod): boolean {
  const spec = assumed.spec && { ...assumed.spec, nodeName: pod.spec?.nodeName }
  return isSame(pod, { ...assumed, spec })
}

/** Heartbeats change nothing that scheduling looks at. */
function isChanged(node: Node, previous: Node): boolean {
  return (
    !deepEqual(node.spec, previous.spec) ||
    !deepEqual(node.metadata.labels, previous.metadata.labels) ||
    !deepEqual(node.status?.allocatable, previous.status?.allocatable)
  )
}
