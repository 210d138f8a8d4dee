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
import { afterMicrotasks } from '../base/event-loop.ts'
import type { Informers } from '../client/informers.ts'
import { selectorFromLabelSelector } from '../machinery/meta/labels.ts'
import { keyOf, keyText, type ObjectKey } from '../machinery/meta/object.ts'
import { PodMemory } from './alike.ts'
import type { ClusterEvent, Profile } from './framework.ts'
import { type PodInfo, podInfoOf } from './pod-info.ts'
import type { Budget } from './preempt.ts'
import { type QueueParts, SchedulingQueue } from './queue.ts'
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
  /** Nodes with the pods that wait for them, as they were put together last. */
  readonly #fuller = new WeakMap<NodeInfo, { readonly others: readonly PodInfo[]; readonly node: NodeInfo }>()
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
    const wakes: QueueParts['wakes'] = (...event) => this.#wakes(...event)
    this.queue = new SchedulingQueue({ clock, wakes, whenTold: afterMicrotasks })
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
    if (this.#nominations.size === 0) return snapshot
    const coming = new Map<NodeInfo, PodInfo[]>()
    for (const { pod: other, nodeName } of this.#nominations.values()) {
      const node = snapshot.node(nodeName)
      if (!node || other.uid === pod.uid || other.priority < pod.priority) continue
      const there = coming.get(node)
      if (there) there.push(other)
      else coming.set(node, [other])
    }
    return withNodes(
      snapshot,
      [...coming].map(([node, others]) => this.#withComing(node, others)),
    )
  }

  /** The same object as long as the node and those that wait for it are the same: what is known of it holds. */
  #withComing(node: NodeInfo, others: readonly PodInfo[]): NodeInfo {
    const known = this.#fuller.get(node)
    if (known?.others.length === others.length && known.others.every((other, index) => other === others[index]))
      return known.node
    const fuller = others.reduce(withPod, node)
    this.#fuller.set(node, { others, node: fuller })
    return fuller
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
    this.state.expect(pod)
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
    const isOther = !previous || isChanged(node, previous)
    // What is known of a node holds as long as it is the same one: not until its next heartbeat only.
    if (isOther || !deepEqual(node.status?.images, previous.status?.images)) this.state.setNode(node)
    if (!isOther) return
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
    const info = placedInfo(pod, assumed)
    const known = previous?.spec?.nodeName ? this.state.placed(info.uid) : undefined
    this.queue.delete(info.uid)
    this.#nominations.delete(info.uid)
    if (info === assumed) this.state.confirm(info.uid)
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
  return isSameButLabels(pod, previous) && deepEqual(pod.metadata.labels, previous.metadata.labels)
}

function isSameButLabels(pod: Pod, previous: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp === previous.metadata.deletionTimestamp &&
    pod.status?.startTime === previous.status?.startTime &&
    deepEqual(pod.spec, previous.spec)
  )
}

/** What was assumed, where the pod has got nothing new but its node: at most labels, of the node's zone. */
function placedInfo(pod: Pod, assumed: PodInfo | undefined): PodInfo {
  if (!assumed) return podInfoOf(pod)
  const { nodeName } = pod.spec ?? {}
  const spec = assumed.pod.spec && { ...assumed.pod.spec, nodeName }
  if (!isSameButLabels(pod, { ...assumed.pod, spec })) return podInfoOf(pod)
  const { labels = {} } = pod.metadata
  return deepEqual(labels, assumed.labels) ? assumed : { ...assumed, pod, labels }
}

/** Heartbeats change nothing that lets a pod go on. */
function isChanged(node: Node, previous: Node): boolean {
  return (
    !deepEqual(node.spec, previous.spec) ||
    !deepEqual(node.metadata.labels, previous.metadata.labels) ||
    !deepEqual(node.status?.allocatable, previous.status?.allocatable)
  )
}
