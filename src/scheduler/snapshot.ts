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
import { AskedLabels } from './asked-labels.ts'
import type { PodInfo } from './pod-info.ts'
import { History, type Version } from './versions.ts'
import { NO_VOLUMES, type VolumeLookups } from './volume-lookups.ts'

export interface NodeInfo {
  readonly node: Node
  readonly name: string
  /** Of the cluster's nodes only this one has it, as long as it is there: what is known of nodes is kept under it. */
  readonly slot: number
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
  /** The node in that slot, if there is one. */
  at(slot: number): NodeInfo | undefined
  /** Shared by the snapshots in which the nodes stand as in this one. */
  readonly order: Order
  readonly version: Version
  readonly lookups: Lookups
}

/** What scheduling asks about other objects than nodes and pods. */
export interface Lookups {
  namespaceLabels(name: string): Labels
  /** The pods of the same service and workload: whom a pod without constraints of its own is spread against. */
  siblings(pod: PodInfo): Selector
  readonly volumes: VolumeLookups
  /** By the pods that are, or are about to be, on the nodes. */
  readonly asked: AskedLabels
}

/** What others know of the cluster. */
export type OtherLookups = Omit<Lookups, 'asked'>

const NO_LOOKUPS: OtherLookups = { namespaceLabels: () => ({}), siblings: () => nothingSelector, volumes: NO_VOLUMES }

const NO_AMOUNTS: Amounts = new Map()

/** `slot`: of no use outside a cluster. */
export function nodeInfoOf(node: Node, pods: readonly PodInfo[] = [], slot = 0): NodeInfo {
  return pods.reduce(withPod, {
    ...nodeFacts(node),
    slot,
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
  const { order, version, lookups } = snapshot
  const nodes = snapshot.nodes.slice()
  const apart = [...version.apart]
  for (const info of infos) {
    const at = snapshot.position(info.name)
    if (at === undefined) continue
    nodes[at] = info
    apart.push(info.slot)
  }
  return snapshotAt(nodes, order, { ...version, apart }, lookups)
}

/** Each node has a slot of its own. */
export function snapshotOf(nodes: readonly NodeInfo[], lookups = NO_LOOKUPS): Snapshot {
  const inTurn = zonesInTurn(nodes)
  const asked = new AskedLabels()
  for (const { pods } of nodes) for (const pod of pods) asked.note(pod)
  const version = { history: new History(), changes: 0, apart: [] }
  return snapshotAt(inTurn, orderOf(inTurn), version, { ...lookups, asked })
}

/** Where nodes stand. */
interface Order {
  readonly positions: ReadonlyMap<string, number>
  /** By position. */
  readonly slots: readonly number[]
  /** Positions by slot. */
  readonly ofSlots: readonly number[]
}

function orderOf(nodes: readonly NodeInfo[]): Order {
  const ofSlots: number[] = []
  for (const [position, { slot }] of nodes.entries()) ofSlots[slot] = position
  const positions = new Map(nodes.map(({ name }, position) => [name, position]))
  return { positions, slots: nodes.map(({ slot }) => slot), ofSlots }
}

function snapshotAt(nodes: readonly NodeInfo[], order: Order, version: Version, lookups: Lookups): Snapshot {
  const { positions, ofSlots } = order
  const standing = (place: number | undefined) => (place === undefined ? undefined : nodes[place])
  return {
    nodes,
    node: (name) => standing(positions.get(name)),
    position: (name) => positions.get(name),
    at: (slot) => standing(ofSlots[slot]),
    order,
    version,
    lookups,
  }
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
  readonly #asked = new AskedLabels()
  readonly #lookups: Lookups
  /** The nodes of the last snapshot and where each stands; absent when nodes came, went or changed zones. */
  #order: { readonly nodes: readonly NodeInfo[]; readonly order: Order } | undefined
  readonly #history = new History()
  /** Slots of nodes that are gone, and how many there are in all. */
  readonly #freeSlots: number[] = []
  #slots = 0
  /** Nodes that changed since the last snapshot. */
  readonly #changed = new Set<string>()
  #snapshot: Snapshot | undefined

  constructor(lookups = NO_LOOKUPS) {
    this.#lookups = { ...lookups, asked: this.#asked }
  }

  snapshot(): Snapshot {
    this.#snapshot ??= this.#takeSnapshot()
    return this.#snapshot
  }

  setNode(node: Node): void {
    const name = node.metadata.name ?? ''
    const before = this.#nodes.get(name)
    const pods = () => [...this.#pods.values()].flatMap(({ nodeName, info }) => (nodeName === name ? [info] : []))
    const slot = () => this.#freeSlots.pop() ?? this.#slots++
    this.#change(name, before ? withNode(before, node) : nodeInfoOf(node, pods(), slot()))
  }

  removeNode(name: string): void {
    const node = this.#nodes.get(name)
    if (!node) return
    this.#nodes.delete(name)
    this.#history.add(node.slot)
    this.#freeSlots.push(node.slot)
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

  /** A pod that is going to count on a node, as soon as others have left it. */
  expect(info: PodInfo): void {
    this.#asked.note(info)
  }

  #place(info: PodInfo, nodeName: string): void {
    this.#asked.note(info)
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
    this.#history.add(info.slot)
    this.#snapshot = undefined
  }

  /** Costs the changed nodes and one copy of the array, as long as the order of the nodes holds. */
  #takeSnapshot(): Snapshot {
    const { nodes, order } = this.#order ?? this.#newOrder()
    const current = nodes.slice()
    for (const name of this.#changed) {
      const position = order.positions.get(name)
      const info = this.#nodes.get(name)
      if (position !== undefined && info) current[position] = info
    }
    this.#changed.clear()
    this.#order = { nodes: current, order }
    const version = { history: this.#history, changes: this.#history.length, apart: [] }
    return snapshotAt(current, order, version, this.#lookups)
  }

  #newOrder() {
    const nodes = zonesInTurn([...this.#nodes.values()])
    return { nodes, order: orderOf(nodes) }
  }
}

/** One node of each zone after the other, so that whoever looks at a part of the nodes sees all zones. */
function zonesInTurn(nodes: readonly NodeInfo[]): readonly NodeInfo[] {
  const zones = [...groupBy(nodes, ({ node }) => zoneOf(node)).values()]
  if (zones.length <= 1) return nodes
  const inTurn: NodeInfo[] = []
  for (let turn = 0; inTurn.length < nodes.length; turn++) {
    for (const members of zones) {
      const node = members[turn]
      if (node) inTurn.push(node)
    }
  }
  return inTurn
}
