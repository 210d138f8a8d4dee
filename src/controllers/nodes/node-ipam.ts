/** node-ipam-controller: every node gets its own part of the pods' address range. */

import { nodes } from '../../apis/core/node.ts'
import type { Node } from '../../apis/core/types.gen.ts'
import { assert } from '../../base/assert.ts'
import { type Cidr, cidrSize, formatCidr, parseCidr } from '../../base/ip.ts'
import { keyOf, type ObjectKey } from '../../machinery/meta/object.ts'
import { type Cache, defineController, type Plan, type ReconcilingController } from '../runtime/controller.ts'
import { plannedEvent } from '../runtime/status.ts'

export interface NodeIpamView {
  readonly node: Node
  /** Ranges that other nodes have. */
  readonly taken: ReadonlySet<string>
  readonly cluster: Cidr
  readonly prefixLength: number
}

/** The nodes that have a range, and those that go without: there may be many more. */
const RANGED_INDEX = 'spec.podCIDR'
const UNRANGED_INDEX = 'no spec.podCIDR'

/** One worker: two nodes must not be given the same range. */
const WORKERS = 1

export function nodeIpamController(podCidr: string, prefixLength: number): ReconcilingController<NodeIpamView> {
  const cluster = parseCidr(podCidr)
  assert(cluster, 'the configuration was checked')
  return defineController({
    name: 'node-ipam-controller',
    reconciles: nodes,
    workers: WORKERS,
    ignores: hasSameRange,
    watches: [{ definition: nodes, keysOf: nextInLine, ignores: hasSameRange }],
    observe: (cache, key): NodeIpamView | undefined => {
      const node = cache.get(nodes, key)
      if (!node || node.spec?.podCIDR) return undefined
      const informer = cache.informer(nodes)
      informer.addIndex(RANGED_INDEX, ({ spec }) => (spec?.podCIDR ? [''] : []))
      const taken = new Set(informer.byIndex(RANGED_INDEX, '').flatMap(({ spec }) => spec?.podCIDR ?? []))
      return { node, taken, cluster, prefixLength }
    },
    plan: planNodeIpam,
  })
}

function hasSameRange({ spec }: Node, previous: Node): boolean {
  return spec?.podCIDR === previous.spec?.podCIDR
}

/** Where a node got a range, or went and left one, there may be one for the next. */
function nextInLine({ spec }: Node, cache: Cache): readonly ObjectKey[] {
  if (!spec?.podCIDR) return []
  const informer = cache.informer(nodes)
  informer.addIndex(UNRANGED_INDEX, (node) => (node.spec?.podCIDR ? [] : ['']))
  return informer.byIndex(UNRANGED_INDEX, '').slice(0, 1).map(keyOf)
}

export function planNodeIpam({ node, taken, cluster, prefixLength }: NodeIpamView): Plan {
  const podCIDR = freeRange(cluster, prefixLength, taken)
  if (podCIDR === undefined) {
    const message = `Node ${node.metadata.name} status is now: CIDRNotAvailable`
    const event = plannedEvent(nodes, node, { type: 'Normal', reason: 'CIDRNotAvailable', message })
    return { actions: [{ do: 'event', event }] }
  }
  const body = { spec: { podCIDR, podCIDRs: [podCIDR] } }
  return {
    actions: [
      { do: 'patch', definition: nodes, key: { name: node.metadata.name ?? '' }, patch: { type: 'merge', body } },
    ],
  }
}

function freeRange(cluster: Cidr, prefixLength: number, taken: ReadonlySet<string>): string | undefined {
  const size = cidrSize({ ...cluster, prefixLength })
  for (let base = cluster.base; base < cluster.base + cidrSize(cluster); base += size) {
    const range = formatCidr({ family: cluster.family, base, prefixLength })
    if (!taken.has(range)) return range
  }
  return undefined
}
