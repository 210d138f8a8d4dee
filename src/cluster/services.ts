/** The service network of this process: a proxy for each of its Docker nodes, and the DNS server that all pods ask. */

import type { Client } from '../client/client.ts'
import type { Informers } from '../client/informers.ts'
import { upstreamsOf } from '../network/dns/forward.ts'
import { startDnsServer } from '../network/dns/server.ts'
import { namespaceCommands } from '../network/pods/namespace-command.ts'
import { flowCommands } from '../network/proxy/flows.ts'
import { type ServiceProxy, startProxy } from '../network/proxy/proxy.ts'
import { publishDnsEndpoints } from './bootstrap.ts'
import { type ClusterConfig, dnsAddress } from './config.ts'
import type { Environment } from './environment.ts'

export interface ServiceNetwork extends AsyncDisposable {
  /** Answers names on this address of the machine, which the nodes reach. */
  open(gateway: string): Promise<void>
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
  readonly client: Client
}

export function createServiceNetwork(parts: ServiceNetworkParts): ServiceNetwork {
  const { config, environment, informers, client } = parts
  const { clock, random, log } = environment
  const stack = new AsyncDisposableStack()
  const proxies = new Map<string, ServiceProxy>()
  const ranges = { clusterPodCidr: config.podCidr, serviceCidr: config.serviceCidr }
  const remove = async (nodeName: string) => {
    const proxy = proxies.get(nodeName)
    proxies.delete(nodeName)
    await proxy?.[Symbol.asyncDispose]()
  }
  return {
    async open(gateway) {
      const clusterDns = dnsAddress(config)
      const upstreams = upstreamsOf(environment.resolvConf, [clusterDns, gateway])
      const { domain } = config
      const options = { informers, host: gateway, domain, clusterDns, upstreams, clock, random, log }
      const server = stack.use(await startDnsServer(options))
      await publishDnsEndpoints(client, { address: gateway, port: server.port })
    },
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
      await stack.disposeAsync()
    },
  }
}
