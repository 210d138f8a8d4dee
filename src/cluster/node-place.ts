/** Where logical nodes live: sandboxes on Docker with a network of their own, or nothing but an address. */

import { nodes } from '../apis/core/node.ts'
import { orAborted } from '../base/deadline.ts'
import { addressAt, type Cidr } from '../base/ip.ts'
import type { Informers } from '../client/informers.ts'
import { followNodes } from '../network/pods/follow-nodes.ts'
import { namespaceCommands } from '../network/pods/namespace-command.ts'
import { createNodeNetwork, type NodeNetwork } from '../network/pods/node-network.ts'
import { createAddressNetwork, createPodNetwork } from '../network/pods/pod-network.ts'
import { machineCapabilities } from '../node/runtime/capabilities.ts'
import { openDockerEngine } from '../node/runtime/docker-engine.ts'
import { createDockerNodes } from '../node/runtime/docker-nodes.ts'
import { createDockerRuntime } from '../node/runtime/docker-runtime.ts'
import type { ContainerRuntime } from '../node/runtime/runtime.ts'
import { createSimulatedRuntime } from '../node/runtime/simulated-runtime.ts'
import type { ClusterConfig } from './config.ts'
import type { Environment } from './environment.ts'
import type { ServiceNetwork } from './services.ts'

export interface NodePlace {
  readonly runtime: ContainerRuntime
  readonly ip: string
  /** False: its containers are simulated, and need no files. */
  readonly hasProcesses: boolean
  /** Resolves when the node's network carries pods. */
  readonly networkReady: (signal: AbortSignal) => Promise<void>
  /** Resolves when the place is gone, with whatever ran in it. */
  readonly ended: Promise<void>
}

export interface PlaceParts {
  readonly config: ClusterConfig
  readonly environment: Environment
  readonly informers: Informers
  readonly services: ServiceNetwork
}

/** The cluster's side of one Docker Engine. */
export interface DockerPlaces extends AsyncDisposable {
  /** The host's address on the cluster's network. */
  readonly gateway: string
  /** Makes the node's sandbox, or adopts the one that is there. */
  place(name: string): Promise<NodePlace>
  remove(name: string): Promise<void>
}

export async function openDockerPlaces({
  config,
  environment,
  informers,
  services,
}: PlaceParts): Promise<DockerPlaces> {
  const { clock, log } = environment
  const { name: clusterName, podCidr: clusterPodCidr, serviceCidr } = config
  const capabilities = await machineCapabilities()
  const engine = await openDockerEngine({ host: `unix://${config.dockerSocket}`, capabilities })
  const dockerNodes = await createDockerNodes({ engine, clusterName, network: config.nodeCidr })
  const { networkCidr, gateway } = dockerNodes
  const networks = new Map<string, NodeNetwork>()
  const closing = new AbortController()
  const commands = namespaceCommands
  const informer = informers.of(nodes)
  const follower = followNodes({
    nodes: informer,
    networks: () => [...networks.values()],
    networkCidr,
    ranges: { clusterName, clusterPodCidr, serviceCidr },
    ...{ commands, clock, log },
  })
  return {
    gateway,
    async place(name) {
      const node = await dockerNodes.ensure(name)
      const network = createNodeNetwork({ commands, node, clusterPodCidr, serviceCidr })
      networks.set(name, network)
      const proxy = await services.add(node)
      const pods = createPodNetwork(commands, network)
      const runtime = await createDockerRuntime({ engine, clusterName, node, network: pods, clock })
      const networkReady = async (signal: AbortSignal) => {
        await informer.until(() => Boolean(informer.get({ name })?.spec?.podCIDR), signal)
        await follower.applied(signal)
        await orAborted(proxy.ready, signal)
      }
      const ended = dockerNodes.ended(node, closing.signal)
      return { runtime, ip: node.ip, hasProcesses: true, networkReady, ended }
    },
    async remove(name) {
      networks.delete(name)
      await services.remove(name)
      await dockerNodes.remove(name)
      follower.refresh()
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      await follower[Symbol.asyncDispose]()
    },
  }
}

/** Where simulated nodes say they are, 198.18.0.0/15: 131,072 addresses for benchmarks, which no network routes. */
const SIMULATED_ADDRESSES: Cidr = { family: 4, base: 0xc612_0000n, prefixLength: 15 }

export function simulatedPlace({ environment, informers }: PlaceParts, name: string, index: number): NodePlace {
  const { clock, random } = environment
  const informer = informers.of(nodes)
  const podCidr = () => informer.get({ name })?.spec?.podCIDR
  return {
    runtime: createSimulatedRuntime({ clock, random, network: createAddressNetwork(podCidr) }),
    ip: addressAt(SIMULATED_ADDRESSES, index + 1),
    hasProcesses: false,
    networkReady: (signal) => informer.until(() => Boolean(podCidr()), signal),
    ended: new Promise(() => {}),
  }
}
