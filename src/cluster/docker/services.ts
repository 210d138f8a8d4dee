/**
 * The service network of this process: a proxy for each of its Docker nodes, the DNS server that all pods ask, and
 * addresses for load balancers.
 */

import type { Client } from '../../client/client.ts'
import { createEventRecorder } from '../../client/events.ts'
import type { Informers } from '../../client/informers.ts'
import { upstreamsOf } from '../../network/dns/forward.ts'
import { startDnsServer } from '../../network/dns/server.ts'
import { namespaceCommands } from '../../network/pods/namespace-command.ts'
import type { NodePlace } from '../../network/pods/node-network.ts'
import { flowCommands } from '../../network/proxy/flows.ts'
import { type LoadBalancer, startLoadBalancer } from '../../network/proxy/load-balancer.ts'
import { type ServiceProxy, startProxy } from '../../network/proxy/proxy.ts'
import { publishDnsEndpoints } from '../bootstrap.ts'
import { type ClusterConfig, dnsAddress } from '../config.ts'
import type { Environment } from '../environment.ts'

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

export interface ServiceNetworkParts {
  readonly config: ClusterConfig
  readonly environment: Environment
  readonly informers: Informers
  /** Publishes where the DNS server is. */
  readonly client: Client
  readonly clientOf: (controller: string) => Client
}

interface Served {
  readonly node: NodePlace
  readonly proxy: ServiceProxy
}

export function createServiceNetwork(parts: ServiceNetworkParts): ServiceNetwork {
  const { config, environment, informers } = parts
  const { clock, log } = environment
  const stack = new AsyncDisposableStack()
  const served = new Map<string, Served>()
  let balancer: LoadBalancer | undefined
  const commands = namespaceCommands
  const ranges = { clusterPodCidr: config.podCidr, serviceCidr: config.serviceCidr }

  const remove = async (nodeName: string) => {
    const entry = served.get(nodeName)
    served.delete(nodeName)
    await entry?.proxy[Symbol.asyncDispose]()
    balancer?.refresh()
  }
  return {
    async open(gateway) {
      stack.use(await openDns(parts, gateway))
    },
    async add(node) {
      const { nodeName, pid, networkCidr } = node
      await remove(nodeName)
      const proxy = startProxy({ informers, commands, flows: flowCommands, nodeName, pid, ranges, clock, log })
      served.set(nodeName, { node, proxy })
      // The oldest node answers for all balancers; the next one takes over when it goes.
      const speaker = () => served.values().next().value?.node
      balancer ??= stack.use(balance(parts, networkCidr, speaker))
      balancer.refresh()
      return proxy
    },
    remove,
    async [Symbol.asyncDispose]() {
      await stack.disposeAsync()
      await Promise.all([...served.keys()].map(remove))
    },
  }
}

async function openDns({ config, environment, informers, client }: ServiceNetworkParts, gateway: string) {
  const { clock, random, log, resolvConf } = environment
  const clusterDns = dnsAddress(config)
  const upstreams = upstreamsOf(resolvConf, [clusterDns, gateway])
  const { domain } = config
  const server = await startDnsServer({
    informers,
    host: gateway,
    domain,
    clusterDns,
    upstreams,
    clock,
    random,
    log,
  })
  await publishDnsEndpoints(client, { address: gateway, port: server.port })
  return server
}

function balance(
  { environment, informers, clientOf }: ServiceNetworkParts,
  networkCidr: string,
  speaker: () => NodePlace | undefined,
): LoadBalancer {
  const { clock, log } = environment
  const client = clientOf('service-lb-controller')
  const events = createEventRecorder({ client, clock, log, component: 'service-controller' })
  return startLoadBalancer({ informers, client, events, commands: namespaceCommands, networkCidr, speaker, clock, log })
}
