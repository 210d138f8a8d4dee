/**
 * Keeps the networks of this machine's nodes, and the host's routes, as the cluster's nodes want them: when a node gets
 * its range, when others come and go. What fails is tried again.
 */

import type { Node } from '../../apis/core/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import { orAborted } from '../../base/deadline.ts'
import { cidrContains, parseCidr } from '../../base/ip.ts'
import type { Logger } from '../../base/log.ts'
import type { Informer } from '../../client/informer.ts'
import { converge } from '../converge.ts'
import { updateHostRoutes } from './host-routes.ts'
import type { NamespaceCommands } from './namespace-command.ts'
import type { NodeNetwork } from './node-network.ts'
import type { ClusterRanges, NodeRoute } from './routes.ts'

export interface FollowNodesOptions {
  readonly nodes: Informer<Node>
  /** The nodes of this machine. Asked each time, so that it may grow. */
  readonly networks: () => readonly NodeNetwork[]
  /** The bridge network of the cluster: nodes with other addresses are not reached by routes. */
  readonly networkCidr: string
  readonly ranges: ClusterRanges
  readonly commands: NamespaceCommands
  readonly clock: Clock
  readonly log: Logger
}

export interface NodesFollower extends AsyncDisposable {
  /** Looks again: after the machine's nodes have changed. */
  refresh(): void
  /** Looks again; resolves when everything that is known at the time of the call is in place. */
  applied(signal: AbortSignal): Promise<void>
}

export function followNodes(options: FollowNodesOptions): NodesFollower {
  const { nodes, clock, log } = options
  const waiting: (() => void)[] = []
  const loop = converge({
    clock,
    begin: (signal) => nodes.whenSynced(signal),
    work: async () => {
      const served = waiting.length
      await apply(options)
      for (const done of waiting.splice(0, served)) done()
    },
    onFailure: (error) => log.warn('the nodes’ network could not be brought up to date', { error: String(error) }),
  })
  const unsubscribe = nodes.subscribe({
    added: loop.wake,
    deleted: loop.wake,
    updated: (node, previous) => {
      if (textOf(node) !== textOf(previous)) loop.wake()
    },
  })
  return {
    refresh: loop.wake,
    applied(signal) {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.push(resolve)
      loop.wake()
      return orAborted(promise, signal)
    },
    async [Symbol.asyncDispose]() {
      unsubscribe()
      await loop[Symbol.asyncDispose]()
    },
  }
}

async function apply({ nodes, networks, networkCidr, ranges, commands }: FollowNodesOptions): Promise<void> {
  const all = nodes.list()
  const routes = routesOf(all, networkCidr)
  const ranged = new Map(all.map((node) => [node.metadata.name ?? '', node.spec?.podCIDR]))
  const updates = networks().map(async (network) => {
    const podCidr = ranged.get(network.node.nodeName)
    if (podCidr) await network.update(podCidr, routes)
  })
  // One node in trouble must not keep the others waiting.
  const outcomes = await Promise.allSettled([...updates, updateHostRoutes(commands, ranges, routes)])
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) throw failed.reason
}

/** Pure: the nodes that have an address in the network and a range for their pods. */
export function routesOf(nodes: readonly Node[], networkCidr: string): readonly NodeRoute[] {
  const network = parseCidr(networkCidr)
  return nodes.flatMap((node) => {
    const ip = addressOf(node)
    const podCidr = node.spec?.podCIDR
    return network && ip && podCidr && cidrContains(network, ip) ? [{ ip, podCidr }] : []
  })
}

function addressOf(node: Node): string | undefined {
  return node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address
}

function textOf(node: Node): string {
  return `${addressOf(node)} ${node.spec?.podCIDR}`
}
