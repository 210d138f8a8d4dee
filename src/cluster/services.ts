/** The service network of this process: a proxy for each of its Docker nodes. */

import type { Informers } from '../client/informers.ts'
import { namespaceCommands } from '../network/pods/namespace-command.ts'
import { flowCommands } from '../network/proxy/flows.ts'
import { type Proxy, startProxy } from '../network/proxy/proxy.ts'
import type { ClusterConfig } from './config.ts'
import type { Environment } from './environment.ts'

export interface ServiceNetwork extends AsyncDisposable {
  /**
   * From now on this node's rules follow the services; again after the node was made anew. `ready` resolves when they
   * hold all services there are.
   */
  add(node: NodePlace): Promise<{ readonly ready: Promise<void> }>
  remove(nodeName: string): Promise<void>
}

export interface NodePlace {
  readonly nodeName: string
  /** Host process id inside the node's network namespace. */
  readonly pid: number
}

export interface ServiceNetworkParts {
  readonly config: ClusterConfig
  readonly environment: Environment
  readonly informers: Informers
}

export function createServiceNetwork({ config, environment, informers }: ServiceNetworkParts): ServiceNetwork {
  const { clock, log } = environment
  const proxies = new Map<string, Proxy>()
  const ranges = { clusterPodCidr: config.podCidr, serviceCidr: config.serviceCidr }
  const remove = async (nodeName: string) => {
    const proxy = proxies.get(nodeName)
    proxies.delete(nodeName)
    await proxy?.[Symbol.asyncDispose]()
  }
  return {
    async add({ nodeName, pid }) {
      await remove(nodeName)
      const commands = namespaceCommands
      const proxy = startProxy({ informers, commands, flows: flowCommands, nodeName, pid, ranges, clock, log })
      proxies.set(nodeName, proxy)
      return proxy
    },
    remove,
    async [Symbol.asyncDispose]() {
      await Promise.all([...proxies.keys()].map(remove))
    },
  }
}
