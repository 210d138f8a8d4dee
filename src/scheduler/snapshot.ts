/**
 * The nodes and the pods on them, as one attempt to schedule sees them. A snapshot never changes; the state
 * behind it is kept up to date from events, one node at a time, so a new snapshot costs its changes and one
 * array. Pods that are being bound count as if they were there ("assumed") until the API says so too.
 */

import { zoneOf } from '../apis/core/node.ts'
import type { Node } from '../apis/core/types.gen.ts'
import { groupBy } from '../base/group-by.ts'
import { type Labels, nothingSelector, type Selector } from '../machinery/meta/labels.ts'
import { type Amounts, amountsOf, combined } from './amounts.ts'
import type { PodInfo } from './pod-info.ts'
import { NO_VOLUMES, type VolumeLookups } from './volume-lookups.ts'

export interface NodeInfo {
  readonly node: Node
  readonly name: string
  readonly labels: Labels
  readonly allocatable: Amounts
  readonly pods: readonly PodInfo[]
  /** The sum of the pods' requests. */
  readonly requested: Amounts
  readonly expected: { readonly cpu: number; readonly memory: number }
  /** Pods with any (anti)affinity to pods, and with required anti-affinity: usually few. */
  readonly podsWithAffinity: readonly PodInfo[]
  readonly podsWithAntiAffinity: readonly PodInfo[]
  /** Bytes by image name. */
  readonly images: ReadonlyMap<string, number>
}

export interface Snapshot {
  /** In the order in which nodes are tried: zones take turns. */
  readonly nodes: readonly NodeInfo[]
  node(name: string): NodeInfo | undefined
  /** Where in `nodes` it stands. */
  position(name: string): number | undefined
  readonly lookups: Lookups
}

/** What scheduling asks about other objects than nodes and pods. */
export interface Lookups {
  namespaceLabels(name: string): Labels
  /** The pods of the same service and workload: whom a pod without constraints of its own is spread against. */
  siblings(pod: PodInfo): Selector
  readonly volumes: VolumeLookups
}

const NO_LOOKUPS: Lookups = { namespaceLabels: () => ({}), siblings: () => nothingSelector, volumes: NO_VOLUMES }

const NO_AMOUNTS: Amounts = new Map()

export function nodeInfoOf(node: Node, pods: readonly PodInfo[] = []): NodeInfo {
  return pods.reduce(withPod, {
    ...nodeFacts(node),
    pods: [],
    requested: NO_AMOUNTS,
    expected: { cpu: 0, memory: 0 },
    podsWithAffinity: [],
    podsWithAntiAffinity: [],
  })
}

/** The same pods on the node as it is now. */
function withNode(info: NodeInfo, node: Node): NodeInfo {
  return { ...info, ...nodeFacts(node) }
}

function nodeFacts(node: Node): Pick<NodeInfo, 'node' | 'name' | 'labels' | 'allocatable' | 'images'> {
  const images = new Map<string, number>()
  for (const image of node.status?.images ?? []) {
    for (const name of image.names ?? []) images.set(name, image.sizeBytes ?? 0)
  }
  return {
    node,
    name: node.metadata.name ?? '',
    labels: node.metadata.labels ?? {},
    allocatable: amountsOf(node.status?.allocatable),
    images,
  }
}

export function withPod(info: NodeInfo, pod: PodInfo): NodeInfo {
  return {
    ...info,
    pods: [...info.pods, pod],
    requested: combined(info.requested, pod.requests, 1),
    expected: { cpu: info.expected.cpu + pod.expected.cpu, memory: info.expected.memory + pod.expected.memory },
    podsWithAffinity: hasAffinity(pod) ? [...info.podsWithAffinity, pod] : info.podsWithAffinity,
    podsWithAntiAffinity:
      pod.requiredAntiAffinity.length > 0 ? [...info.podsWithAntiAffinity, pod] : info.podsWithAntiAffinity,
  }
}

export function withoutPod(info: NodeInfo, uid: string): NodeInfo {
  const pod = info.pods.find((entry) => entry.uid === uid)
  if (!pod) return info
  return {
    ...info,
    pods: info.pods.filter((entry) => entry !== pod),
    requested: combined(info.requested, pod.requests, -1),
    expected: { cpu: info.expected.cpu - pod.expected.cpu, memory: info.expected.memory - pod.expected.memory },
    podsWithAffinity: info.podsWithAffinity.filter((entry) => entry !== pod),
    podsWithAntiAffinity: info.podsWithAntiAffinity.filter((entry) => entry !== pod),
  }
}

function hasAffinity(pod: PodInfo): boolean {
  const { requiredAffinity, preferredAffinity, requiredAntiAffinity, preferredAntiAffinity } = pod
  return [requiredAffinity, preferredAffinity, requiredAntiAffinity, preferredAntiAffinity].some(
    ({ length }) => length > 0,
  )
}

/** The snapshot with these nodes as the infos say. */
export function withNodes(snapshot: Snapshot, infos: Iterable<NodeInfo>): Snapshot {
  const { position, lookups } = snapshot
  const nodes = snapshot.nodes.slice()
  for (const info of infos) {
    const at = position(info.name)
    if (at !== undefined) nodes[at] = info
  }
  return snapshotAt(nodes, position, lookups)
}

export function snapshotOf(nodes: readonly NodeInfo[], lookups = NO_LOOKUPS): Snapshot {
  const inTurn = zonesInTurn(nodes)
  const positions = positionsOf(inTurn)
  return snapshotAt(inTurn, (name) => positions.get(name), lookups)
}

function snapshotAt(nodes: readonly NodeInfo[], position: Snapshot['position'], lookups: Lookups): Snapshot {
  const at = (place: number | undefined) => (place === undefined ? undefined : nodes[place])
  return { nodes, node: (name) => at(position(name)), position, lookups }
}

function positionsOf(nodes: readonly NodeInfo[]): ReadonlyMap<string, number> {
  return new Map(nodes.map(({ name }, position) => [name, position]))
}

interface Assigned {
  readonly nodeName: string
  readonly info: PodInfo
}

/** What events say, and what is assumed. */
export class ClusterState {
  readonly #nodes = new Map<string, NodeInfo>()
  /** By uid, also of pods whose node is not known (yet). */
  readonly #pods = new Map<string, Assigned>()
  readonly #assumed = new Set<string>()
  readonly #lookups: Lookups
  /** The nodes of the last snapshot and where each stands; absent when nodes came, went or changed zones. */
  #order: { readonly nodes: readonly NodeInfo[]; readonly positions: ReadonlyMap<string, number> } | undefined
  /** Nodes that changed since the last snapshot. */
  readonly #changed = new Set<string>()
  #snapshot: Snapshot | undefined

  constructor(lookups = NO_LOOKUPS) {
    this.#lookups = lookups
  }

  snapshot(): Snapshot {
    this.#snapshot ??= this.#takeSnapshot()
    return this.#snapshot
  }

  setNode(node: Node): void {
    const name = node.metadata.name ?? ''
    const before = this.#nodes.get(name)
    const pods = () => [...this.#pods.values()].flatMap(({ nodeName, info }) => (nodeName === name ? [info] : []))
    this.#change(name, before ? withNode(before, node) : nodeInfoOf(node, pods()))
  }

  removeNode(name: string): void {
    this.#nodes.delete(name)
    this.#order = undefined
    this.#snapshot = undefined
  }

  /** A pod that the API shows on a node. */
  setPod(info: PodInfo): void {
    this.#assumed.delete(info.uid)
    this.#place(info, info.pod.spec?.nodeName ?? '')
  }

  /** What is assumed of a pod that the API does not show on this node yet. */
  assumedOn(uid: string, nodeName: string): PodInfo | undefined {
    const placed = this.#assumed.has(uid) ? this.#pods.get(uid) : undefined
    return placed?.nodeName === nodeName ? placed.info : undefined
  }

  /** The API shows the pod as it was assumed: nothing changes on its node. */
  confirm(uid: string): void {
    this.#assumed.delete(uid)
  }

  /** Answers what was known of it, if it was on a node. */
  removePod(uid: string): PodInfo | undefined {
    const before = this.#pods.get(uid)
    this.#assumed.delete(uid)
    if (!before) return undefined
    this.#pods.delete(uid)
    const node = this.#nodes.get(before.nodeName)
    if (node) this.#change(node.name, withoutPod(node, uid))
    return before.info
  }

  /** What is known of a pod on a node. */
  placed(uid: string): PodInfo | undefined {
    return this.#pods.get(uid)?.info
  }

  /** Counts the pod on the node from now on, before the API knows. */
  assume(info: PodInfo, nodeName: string): void {
    this.#assumed.add(info.uid)
    this.#place(info, nodeName)
  }

  /** The binding failed: takes an assumed pod back. Nothing happens when the API has shown the pod meanwhile. */
  forget(uid: string): void {
    if (this.#assumed.has(uid)) this.removePod(uid)
  }

  #place(info: PodInfo, nodeName: string): void {
    const before = this.#pods.get(info.uid)
    if (before) {
      const node = this.#nodes.get(before.nodeName)
      if (node) this.#change(node.name, withoutPod(node, info.uid))
    }
    this.#pods.set(info.uid, { nodeName, info })
    const node = this.#nodes.get(nodeName)
    if (node) this.#change(nodeName, withPod(node, info))
  }

  #change(name: string, info: NodeInfo): void {
    const before = this.#nodes.get(name)
    if (!before || zoneOf(before.node) !== zoneOf(info.node)) this.#order = undefined
    this.#nodes.set(name, info)
    this.#changed.add(name)
    this.#snapshot = undefined
  }

  /** Costs the changed nodes and one copy of the array, as long as the order of the nodes holds. */
  #takeSnapshot(): Snapshot {
    const { nodes, positions } = this.#order ?? this.#newOrder()
    const current = nodes.slice()
    for (const name of this.#changed) {
      const position = positions.get(name)
      const info = this.#nodes.get(name)
      if (position !== undefined && info) current[position] = info
    }
    this.#changed.clear()
    this.#order = { nodes: current, positions }
    return snapshotAt(current, (name) => positions.get(name), this.#lookups)
  }

  #newOrder() {
    const nodes = zonesInTurn([...this.#nodes.values()])
    return { nodes, positions: positionsOf(nodes) }
  }
}

/** One node of each zone after the other, so that whoever looks at a part of the nodes sees all zones. */
function zonesInTurn(nodes: readonly NodeInfo[]): readonly NodeInfo[] {
  const zones = [...groupBy(nodes, ({ node }) => zoneOf(node)).values()]
  if (zones.length <= 1) return nodes
  const longest = Math.max(...zones.map((members) => members.length))
  return Array.from({ length: longest }, (_, turn) => zones.flatMap((members) => members[turn] ?? [])).flat()
}
