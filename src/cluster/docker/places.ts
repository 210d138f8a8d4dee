/** Where nodes on Docker live: sandboxes with a network of their own. Loaded with the first of them. */

import { nodes } from '../../apis/core/node.ts'
import { orAborted } from '../../base/deadline.ts'
import { followNodes } from '../../network/pods/follow-nodes.ts'
import { namespaceCommands } from '../../network/pods/namespace-command.ts'
import { createNodeNetwork, type NodeNetwork } from '../../network/pods/node-network.ts'
import { createPodNetwork } from '../../network/pods/pod-network.ts'
import { machineCapabilities } from '../../node/runtime/capabilities.ts'
import { openDockerEngine } from '../../node/runtime/docker-engine.ts'
import { createDockerNodes } from '../../node/runtime/docker-nodes.ts'
import { createDockerRuntime } from '../../node/runtime/docker-runtime.ts'
import type { DockerPlaces, PlaceParts } from '../node-place.ts'

export async function openDockerPlaces({
  config,
  environment,
  informers,
  services: servicesOf,
}: PlaceParts): Promise<DockerPlaces> {
  const { clock, log } = environment
  const { name: clusterName, podCidr: clusterPodCidr, serviceCidr } = config
  const capabilities = await machineCapabilities()
  const engine = await openDockerEngine({ host: `unix://${config.dockerSocket}`, capabilities })
  const dockerNodes = await createDockerNodes({ engine, clusterName, network: config.nodeCidr })
  const { networkCidr, gateway } = dockerNodes
  const services = await servicesOf()
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
