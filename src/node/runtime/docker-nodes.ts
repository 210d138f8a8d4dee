/**
 * Logical nodes on one engine: a bridge network per cluster, and on it one sandbox container per node, whose network
 * namespace is the node's machine. Nodes outlive the process that made them and are adopted by the next one.
 */

import { networkInterfaces } from 'node:os'
import type Docker from 'dockerode'
import { fnv32a } from '../../base/hash.ts'
import { addressAt, type Cidr, cidrContains, cidrSize, formatCidr, formatIp, parseCidr } from '../../base/ip.ts'
import { createTurns } from '../../base/turns.ts'
import {
  type DockerEngine,
  ignoring,
  isStatus,
  labelFilter,
  labels,
  messageOf,
  removeContainer,
} from './docker-engine.ts'
import { ensureSandboxImage, SANDBOX_IMAGE } from './docker-images.ts'
import type { NodeNamespace } from './pod-network.ts'

export interface DockerNodesOptions {
  readonly engine: DockerEngine
  readonly clusterName: string
  /** The nodes' network, as a CIDR. Default: the first free /24 of 172.30.0.0/15. */
  readonly network?: string | undefined
}

export interface DockerNodes {
  /** The network that the nodes are on, as a CIDR. */
  readonly networkCidr: string
  /** The host's address there. */
  readonly gateway: string
  /** Creates or adopts the node's sandbox. A new address is the lowest free one. */
  ensure(nodeName: string): Promise<DockerNode>
  /** Resolves when this sandbox has ended, with whatever ran in its network; or with the signal, which ends waiting. */
  ended(node: DockerNode, signal: AbortSignal): Promise<void>
  /** The node and everything that runs on it. */
  remove(nodeName: string): Promise<void>
}

export interface DockerNode extends NodeNamespace {
  /** What `hostNetwork` pods join. */
  readonly containerId: string
}

/** Where free networks are looked for: 512 networks of 254 nodes. */
const NETWORK_RANGE = '172.30.0.0/15'
const NETWORK_PREFIX_LENGTH = 24

export async function createDockerNodes(options: DockerNodesOptions): Promise<DockerNodes> {
  const { engine, clusterName } = options
  await ensureSandboxImage(engine)
  const { cidr, gateway } = await ensureNetwork(options)
  // Two must not find the same address free.
  const inTurn = createTurns()
  const ensure = async (nodeName: string): Promise<DockerNode> => {
    const existing = await findNode(engine.docker, clusterName, nodeName)
    const id = existing?.running ? existing.id : await replaceNode(engine.docker, clusterName, nodeName, existing, cidr)
    const state = await engine.docker.getContainer(id).inspect()
    const ip = state.Config.Labels[labels.address] ?? ''
    return { nodeName, containerId: id, pid: state.State.Pid, ip, gateway, networkCidr: formatCidr(cidr) }
  }
  return {
    networkCidr: formatCidr(cidr),
    gateway,
    ensure: (nodeName) => inTurn(() => ensure(nodeName)),
    async ended({ containerId }, signal) {
      try {
        await ignoring([404], engine.docker.getContainer(containerId).wait({ abortSignal: signal }))
      } catch (error) {
        if (!signal.aborted) throw error
      }
    },
    async remove(nodeName) {
      const filters = labelFilter([labels.cluster, clusterName], [labels.node, nodeName])
      const containers = await engine.docker.listContainers({ all: true, filters })
      await Promise.all(containers.map(({ Id }) => removeContainer(engine.docker, Id)))
    },
  }
}

/** Removes every container and network of a cluster, whether or not it runs. Safe to repeat. */
export async function removeClusterContainers({ docker }: DockerEngine, clusterName: string): Promise<void> {
  const filters = labelFilter([labels.cluster, clusterName])
  const containers = await docker.listContainers({ all: true, filters })
  await Promise.all(containers.map(({ Id }) => removeContainer(docker, Id)))
  const networks = await docker.listNetworks({ filters })
  for (const { Id } of networks) await removeNetwork(docker.getNetwork(Id))
}

/** Whatever is still connected is cut off first: a container that somebody else removes at this moment holds on to it. */
async function removeNetwork(network: Docker.Network): Promise<void> {
  try {
    const { Containers = {} } = await network.inspect()
    for (const Container of Object.keys(Containers)) {
      await ignoring([403, 404], network.disconnect({ Container, Force: true }))
    }
    await network.remove()
  } catch (error) {
    if (!isStatus(error, 404)) throw error
  }
}

interface Network {
  readonly cidr: Cidr
  readonly gateway: string
}

async function ensureNetwork({ engine, clusterName, network }: DockerNodesOptions): Promise<Network> {
  const filters = labelFilter([labels.cluster, clusterName])
  const [existing] = await engine.docker.listNetworks({ filters })
  const config = existing?.IPAM?.Config?.[0]
  const cidr = parseCidr(config?.Subnet ?? '')
  if (cidr && config?.Gateway !== undefined) return { cidr, gateway: config.Gateway }
  const wanted = network === undefined ? freeNetworks() : [parsed(network)]
  for (const candidate of wanted) {
    const created = await tryCreateNetwork(engine.docker, clusterName, candidate)
    if (created) return created
  }
  throw new Error(`no free network for the nodes of cluster ${clusterName} in ${network ?? NETWORK_RANGE}`)
}

function parsed(network: string): Cidr {
  const cidr = parseCidr(network)
  if (cidr?.family !== 4) throw new Error(`${network} is no IPv4 network`)
  return cidr
}

/** Networks of the range that no interface of this machine is in. */
function* freeNetworks(): Generator<Cidr> {
  const range = parsed(NETWORK_RANGE)
  const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address))
  const step = 1n << BigInt(32 - NETWORK_PREFIX_LENGTH)
  for (let base = range.base; base < range.base + cidrSize(range); base += step) {
    const candidate: Cidr = { family: 4, base, prefixLength: NETWORK_PREFIX_LENGTH }
    if (!addresses.some((address) => cidrContains(candidate, address))) yield candidate
  }
}

/** Undefined: the engine has given the range, or a part of it, to another network. */
async function tryCreateNetwork(docker: Docker, clusterName: string, cidr: Cidr): Promise<Network | undefined> {
  const gateway = addressAt(cidr, 1)
  try {
    await docker.createNetwork({
      Name: `t8s-${clusterName}`,
      Driver: 'bridge',
      CheckDuplicate: true,
      IPAM: { Driver: 'default', Config: [{ Subnet: formatCidr(cidr), Gateway: gateway }] },
      Options: { 'com.docker.network.bridge.name': bridgeName(clusterName) },
      Labels: { [labels.cluster]: clusterName, [labels.kind]: 'network' },
    })
    return { cidr, gateway }
  } catch (error) {
    if (/overlaps|already in use/i.test(messageOf(error))) return undefined
    throw error
  }
}

/** Interface names have 15 characters at most. */
function bridgeName(clusterName: string): string {
  return `t8s-${fnv32a(clusterName).toString(16).padStart(8, '0')}`
}

interface FoundNode {
  readonly id: string
  readonly running: boolean
  readonly address: string
}

async function findNode(docker: Docker, cluster: string, node: string): Promise<FoundNode | undefined> {
  const filters = labelFilter([labels.cluster, cluster], [labels.node, node], [labels.kind, 'node'])
  const [found] = await docker.listContainers({ all: true, filters })
  if (!found) return undefined
  return { id: found.Id, running: found.State === 'running', address: found.Labels[labels.address] ?? '' }
}

/** A node forwards for its pods, whichever way packets come back, and may send loopback addresses to them (hostPorts). */
const ROUTER_SYSCTLS = {
  'net.ipv4.ip_forward': '1',
  'net.ipv4.conf.all.rp_filter': '0',
  'net.ipv4.conf.default.rp_filter': '0',
  'net.ipv4.conf.all.send_redirects': '0',
  'net.ipv4.conf.default.send_redirects': '0',
  'net.ipv4.conf.all.route_localnet': '1',
}

/** A node that has stopped comes back with the address it had. */
async function replaceNode(
  docker: Docker,
  clusterName: string,
  nodeName: string,
  previous: FoundNode | undefined,
  network: Cidr,
): Promise<string> {
  if (previous) await removeContainer(docker, previous.id)
  const address = previous?.address || (await freeAddress(docker, clusterName, network))
  const container = await docker.createContainer({
    name: `t8s_${clusterName}_node_${nodeName}`,
    Image: SANDBOX_IMAGE,
    Hostname: nodeName.slice(0, 63),
    Labels: {
      [labels.cluster]: clusterName,
      [labels.node]: nodeName,
      [labels.kind]: 'node',
      [labels.address]: address,
    },
    HostConfig: {
      NetworkMode: `t8s-${clusterName}`,
      IpcMode: 'shareable',
      Sysctls: ROUTER_SYSCTLS,
      LogConfig: { Type: 'none', Config: {} },
      ReadonlyRootfs: true,
    },
    NetworkingConfig: { EndpointsConfig: { [`t8s-${clusterName}`]: { IPAMConfig: { IPv4Address: address } } } },
  })
  await container.start()
  return container.id
}

async function freeAddress(docker: Docker, clusterName: string, network: Cidr): Promise<string> {
  const filters = labelFilter([labels.cluster, clusterName], [labels.kind, 'node'])
  const nodes = await docker.listContainers({ all: true, filters })
  const taken = new Set(nodes.map((node) => node.Labels[labels.address]))
  const last = network.base + cidrSize(network) - 1n
  for (let value = network.base + 2n; value < last; value++) {
    const address = formatIp(4, value)
    if (!taken.has(address)) return address
  }
  throw new Error(`no free address for a node in ${formatCidr(network)}`)
}
