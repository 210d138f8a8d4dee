/** The logical nodes of this process: made, started, stopped and removed by name, on Docker or simulated. */

import { join } from 'node:path'
import { nodes } from '../apis/core/node.ts'
import { orAborted } from '../base/deadline.ts'
import type { Informers } from '../client/informers.ts'
import { isNotFound } from '../machinery/meta/api-error.ts'
import { type NamespaceCommands, namespaceCommands } from '../network/pods/namespace-command.ts'
import { createNodeNetwork } from '../network/pods/node-network.ts'
import { createAddressNetwork, createPodNetwork } from '../network/pods/pod-network.ts'
import { machineCapabilities } from '../node/runtime/capabilities.ts'
import { type DockerEngine, openDockerEngine } from '../node/runtime/docker-engine.ts'
import { createDockerNodes, type DockerNodes } from '../node/runtime/docker-nodes.ts'
import { createDockerRuntime } from '../node/runtime/docker-runtime.ts'
import type { ContainerRuntime } from '../node/runtime/runtime.ts'
import { createSimulatedRuntime } from '../node/runtime/simulated-runtime.ts'
import type { ClusterConfig, NodeRuntime } from './config.ts'
import { API_SERVER_NAME, type ControlPlane } from './control-plane.ts'
import type { Environment } from './environment.ts'
import { keepNetwork, type NetworkKeeper } from './node-network.ts'
import { type RunningNode, startNode } from './node-parts.ts'
import type { ServiceNetwork } from './services.ts'

export interface NodeSupervisor extends AsyncDisposable {
  /** Makes or adopts the node; resolves when it runs, its `ready` when it has reported so. */
  start(name: string, runtime: NodeRuntime): Promise<RunningNode>
  /** The agent ends; what it started runs on. */
  stop(name: string): Promise<void>
  /** The node, its pods' containers and its object are gone. */
  remove(name: string): Promise<void>
  readonly running: ReadonlyMap<string, RunningNode>
  /** The host's address on the cluster's network; undefined while no Docker node has been started. */
  readonly gateway: string | undefined
}

export interface NodeSupervisorParts {
  readonly config: ClusterConfig
  readonly environment: Environment
  readonly informers: Informers
  readonly controlPlane: ControlPlane
  readonly services: ServiceNetwork
  /** Called once, before the first Docker node: the network of the nodes is there. */
  readonly onNetwork: (gateway: string) => Promise<void>
}

interface DockerSide {
  readonly engine: DockerEngine
  readonly nodes: DockerNodes
  readonly keeper: NetworkKeeper
}

/** Where simulated nodes say they are: a range for documentation that is on no network. */
const SIMULATED_ADDRESSES = '192.0.2.'

export function superviseNodes(parts: NodeSupervisorParts): NodeSupervisor {
  const { config, environment, informers } = parts
  const running = new Map<string, RunningNode>()
  let docker: Promise<DockerSide> | undefined
  let gateway: string | undefined

  const dockerSide = (): Promise<DockerSide> => {
    docker ??= openDockerSide(parts).then(async (side) => {
      gateway = side.nodes.gateway
      await parts.onNetwork(gateway)
      return side
    })
    return docker
  }
  const begin = async (name: string, kind: NodeRuntime): Promise<RunningNode> => {
    const place =
      kind === 'docker' ? await dockerPlace(parts, await dockerSide(), name) : simulatedPlace(parts, name, running.size)
    const { controlPlane } = parts
    const certificate = await controlPlane.issue(
      `kubelet-${name}`,
      [name, '127.0.0.1', place.ip],
      `system:node:${name}`,
      ['system:nodes'],
    )
    const client = controlPlane.clientAs({
      name: `system:node:${name}`,
      groups: ['system:nodes', 'system:authenticated'],
    })
    const node = await startNode({
      ...place,
      config,
      environment,
      client,
      informers,
      name,
      directory: join(config.directory, 'nodes', name, 'pods'),
      tls: { ...certificate, clientCa: controlPlane.authority.certificate },
      allowedNames: [API_SERVER_NAME],
    })
    running.set(name, node)
    return node
  }
  const stop = async (name: string): Promise<void> => {
    const node = running.get(name)
    running.delete(name)
    await node?.[Symbol.asyncDispose]()
  }
  return {
    running,
    get gateway() {
      return gateway
    },
    start: async (name, kind) => running.get(name) ?? (await begin(name, kind)),
    stop,
    async remove(name) {
      await stop(name)
      const side = await docker
      side?.keeper.remove(name)
      await parts.services.remove(name)
      await side?.nodes.remove(name)
      const client = parts.controlPlane.clientAs({ name: 'system:apiserver', groups: ['system:masters'] })
      await client
        .of(nodes)
        .delete({ name })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error
        })
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running.keys()].map(stop))
      const side = await docker?.catch(() => undefined)
      side?.keeper[Symbol.dispose]()
    },
  }
}

async function openDockerSide({ config, environment, informers }: NodeSupervisorParts): Promise<DockerSide> {
  const engine = await openDockerEngine({
    host: `unix://${config.dockerSocket}`,
    capabilities: await machineCapabilities(),
  })
  const dockerNodes = await createDockerNodes({ engine, clusterName: config.name, network: config.nodeCidr })
  const keeper = keepNetwork({ config, informers, commands: namespaceCommands, log: environment.log })
  return { engine, nodes: dockerNodes, keeper }
}

interface Place {
  readonly runtime: ContainerRuntime
  readonly ip: string
  readonly networkReady: (signal: AbortSignal) => Promise<void>
}

async function dockerPlace(
  { config, environment, services }: NodeSupervisorParts,
  { engine, nodes: dockerNodes, keeper }: DockerSide,
  name: string,
): Promise<Place> {
  const commands: NamespaceCommands = namespaceCommands
  const node = await dockerNodes.ensure(name)
  const network = createNodeNetwork({ commands, node, clusterPodCidr: config.podCidr, serviceCidr: config.serviceCidr })
  keeper.add(network)
  const proxy = await services.add(node)
  const pods = createPodNetwork(commands, network)
  const runtime = await createDockerRuntime({
    engine,
    clusterName: config.name,
    node,
    network: pods,
    clock: environment.clock,
  })
  const networkReady = async (signal: AbortSignal) => {
    await keeper.ready(name, signal)
    await orAborted(proxy.ready, signal)
  }
  return { runtime, ip: node.ip, networkReady }
}

function simulatedPlace({ environment, informers }: NodeSupervisorParts, name: string, index: number): Place {
  const { clock, random } = environment
  const informer = informers.of(nodes)
  const podCidr = () => informer.get({ name })?.spec?.podCIDR
  const runtime = createSimulatedRuntime({ clock, random, network: createAddressNetwork(podCidr) })
  const networkReady = (signal: AbortSignal) => informer.until(() => Boolean(podCidr()), signal)
  return { runtime, ip: `${SIMULATED_ADDRESSES}${index + 1}`, networkReady }
}
