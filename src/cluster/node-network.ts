/** Keeps every node's routes, and the host's, in step with the nodes of the cluster. */

import { nodes } from '../apis/core/node.ts'
import type { Node } from '../apis/core/types.gen.ts'
import type { Logger } from '../base/log.ts'
import type { Informers } from '../client/informers.ts'
import { updateHostRoutes } from '../network/pods/host-routes.ts'
import type { NamespaceCommands } from '../network/pods/namespace-command.ts'
import type { NodeNetwork } from '../network/pods/node-network.ts'
import type { NodeRoute } from '../network/pods/routes.ts'
import type { ClusterConfig } from './config.ts'

export interface NetworkKeeper extends Disposable {
  /** From now on this node's network is kept, too. */
  add(network: NodeNetwork): void
  remove(nodeName: string): void
  /** Resolves when the node has its part of the pods' range and all its routes. */
  ready(nodeName: string, signal: AbortSignal): Promise<void>
}

export interface NetworkKeeperParts {
  readonly config: ClusterConfig
  readonly informers: Informers
  readonly commands: NamespaceCommands
  readonly log: Logger
}

export function keepNetwork({ config, informers, commands, log }: NetworkKeeperParts): NetworkKeeper {
  const networks = new Map<string, NodeNetwork>()
  const informer = informers.of(nodes)
  const ranges = { clusterName: config.name, clusterPodCidr: config.podCidr, serviceCidr: config.serviceCidr }
  let turn: Promise<void> = Promise.resolve()

  const update = async () => {
    const routes = informer.list().flatMap(routeOf)
    await updateHostRoutes(
      commands,
      ranges,
      routes.filter(({ ip }) => [...networks.values()].some(({ node }) => node.ip === ip)),
    )
    await Promise.all(
      [...networks.values()].map(async (network) => {
        const podCidr = informer.get({ name: network.node.nodeName })?.spec?.podCIDR
        if (podCidr) await network.update(podCidr, routes)
      }),
    )
  }
  /** One update at a time; what changes meanwhile is in the next. */
  const schedule = (): Promise<void> => {
    turn = turn
      .then(update)
      .catch((error: unknown) => log.warn('the network of the nodes could not be updated', { error: String(error) }))
    return turn
  }
  const unsubscribe = informer.subscribe({
    added: schedule,
    updated: (node, previous) => {
      if (JSON.stringify(routeOf(node)) !== JSON.stringify(routeOf(previous))) void schedule()
    },
    deleted: schedule,
  })
  return {
    add(network) {
      networks.set(network.node.nodeName, network)
    },
    remove(nodeName) {
      networks.delete(nodeName)
      void schedule()
    },
    async ready(nodeName, signal) {
      await informer.until(() => Boolean(informer.get({ name: nodeName })?.spec?.podCIDR), signal)
      await schedule()
    },
    [Symbol.dispose]: () => unsubscribe(),
  }
}

function routeOf({ status, spec }: Node): NodeRoute[] {
  const ip = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address
  return ip && spec?.podCIDR ? [{ ip, podCidr: spec.podCIDR }] : []
}
