/**
 * Connects pods to their node: a pair of interfaces, one end in the pod, one in the node's bridge. A pod's address has a
 * prefix of 32 bits, so even pods of the same node reach each other through the node's rules.
 *
 * The kernel keeps the books: the node's end carries `t8s/<pod uid>/<address>/<process id>`
 * as its alias. A new process reads them, and what belonged to a pod's namespace goes when that goes.
 */

import { parseCidr, parseIp } from '../../base/ip.ts'
import { createKeyedTurns } from '../../base/turns.ts'
import { AddressPool } from './address-pool.ts'
import type { NamespaceCommands } from './namespace-command.ts'
import { BRIDGE, fieldOf, type NodeNetwork } from './node-network.ts'

/** As the node's runtime wants it. */
export interface PodNetwork {
  attach(pod: PodAttachment): Promise<{ readonly ips: readonly string[] }>
  detach(podUid: string): Promise<void>
}

export interface PodAttachment {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly pid: number
}

interface Connection {
  readonly interfaceName: string
  readonly address: string
  readonly pid: number
}

export function createPodNetwork(commands: NamespaceCommands, network: NodeNetwork): PodNetwork {
  const books = createBooks(commands, network)

  /** One thing at a time for each pod. */
  const inTurn = createKeyedTurns<string>()

  const disconnect = async (uid: string): Promise<void> => {
    const { connections, pool } = await books()
    const connection = connections.get(uid)
    if (!connection) return
    await commands.ip(network.node.pid, [`link del ${connection.interfaceName}`]).catch(ignoreMissing)
    connections.delete(uid)
    pool.release(connection.address)
  }

  const connect = async ({ uid, pid }: PodAttachment): Promise<{ readonly ips: readonly string[] }> => {
    const { connections, pool } = await books()
    const present = connections.get(uid)
    if (present?.pid === pid && pool.contains(present.address)) return { ips: [present.address] }
    if (present) await disconnect(uid)
    const address = pool.allocate()
    const connection: Connection = { interfaceName: freeName(connections), address, pid }
    connections.set(uid, connection)
    try {
      await commands.ip(network.node.pid, nodeEnd(uid, connection))
      await commands.ip(pid, podEnd(address, pool.gateway))
    } catch (error) {
      await disconnect(uid)
      throw error
    }
    return { ips: [address] }
  }

  return {
    attach: (pod) => inTurn(pod.uid, () => connect(pod)),
    detach: (podUid) => inTurn(podUid, () => disconnect(podUid)),
  }
}

interface Books {
  readonly connections: Map<string, Connection>
  readonly pool: AddressPool
}

/** Read from the kernel once per range of the node. */
function createBooks(commands: NamespaceCommands, network: NodeNetwork): () => Promise<Books> {
  let current: { readonly podCidr: string; readonly books: Promise<Books> } | undefined
  const read = async (podCidr: string): Promise<Books> => {
    const cidr = parseCidr(podCidr)
    if (!cidr) throw new Error(`${podCidr} is no range for pods`)
    const pool = new AddressPool(cidr)
    const interfaces = await commands.query(network.node.pid, ['link', 'show'])
    const connections = readConnections(interfaces)
    await commands.ip(
      network.node.pid,
      leftovers(interfaces, connections).map((name) => `link del ${name}`),
    )
    for (const { address } of connections.values()) pool.reserve(address)
    return { connections, pool }
  }
  return () => {
    const { podCidr } = network
    if (podCidr === undefined) throw new Error(`node ${network.node.nodeName} has no range for its pods yet`)
    if (current?.podCidr === podCidr) return current.books
    const books = read(podCidr)
    current = { podCidr, books }
    books.catch(() => {
      current = undefined
    })
    return books
  }
}

/** Pure: what the aliases of the bridge's interfaces say. */
export function readConnections(interfaces: readonly unknown[]): Map<string, Connection> {
  const connections = new Map<string, Connection>()
  for (const entry of interfaces) {
    const interfaceName = fieldOf(entry, 'ifname')
    const [owner, uid, address, pid] = String(fieldOf(entry, 'ifalias') ?? '').split('/')
    if (owner !== 't8s' || typeof interfaceName !== 'string' || !uid || !address || !pid) continue
    connections.set(uid, { interfaceName, address, pid: Number(pid) })
  }
  return connections
}

/** Interfaces of an attempt that ended before it could sign its work. */
function leftovers(interfaces: readonly unknown[], connections: ReadonlyMap<string, Connection>): readonly string[] {
  const taken = namesOf(connections)
  const names = interfaces.map((entry) => String(fieldOf(entry, 'ifname')))
  return names.filter((name) => /^veth\d+$/.test(name) && !taken.has(name))
}

function namesOf(connections: ReadonlyMap<string, Connection>): ReadonlySet<string> {
  return new Set([...connections.values()].map(({ interfaceName }) => interfaceName))
}

function freeName(connections: ReadonlyMap<string, Connection>): string {
  const taken = namesOf(connections)
  for (let number = connections.size; ; number++) {
    const name = `veth${number}`
    if (!taken.has(name)) return name
  }
}

function nodeEnd(uid: string, { interfaceName, address, pid }: Connection): readonly string[] {
  return [
    `link add ${interfaceName} type veth peer name eth0 address ${macOf(address)} netns ${pid}`,
    `link set ${interfaceName} alias t8s/${uid}/${address}/${pid}`,
    `link set ${interfaceName} master ${BRIDGE} up`,
    `link set ${interfaceName} type bridge_slave hairpin on`,
  ]
}

function podEnd(address: string, gateway: string): readonly string[] {
  return [
    'link set lo up',
    `address add ${address}/32 dev eth0`,
    'link set eth0 up',
    `route add ${gateway} dev eth0 scope link`,
    `route add default via ${gateway} dev eth0`,
  ]
}

/** Follows from the address, so that an address used again is not looked for at its former place. */
function macOf(address: string): string {
  const value = parseIp(address)?.value ?? 0n
  const bytes = [24n, 16n, 8n, 0n].map((shift) => ((value >> shift) & 255n).toString(16).padStart(2, '0'))
  return ['0a:58', ...bytes].join(':')
}

/** The interface goes with the pod's namespace, often before anyone asks. */
function ignoreMissing(error: unknown): void {
  if (error instanceof Error && error.message.includes('Cannot find device')) return
  throw error
}

/** Addresses without interfaces: for nodes whose pods are simulated. */
export function createAddressNetwork(podCidr: () => string | undefined): PodNetwork {
  const connections = new Map<string, string>()
  let pool: { readonly podCidr: string; readonly addresses: AddressPool } | undefined
  const current = (): AddressPool => {
    const wanted = podCidr()
    const cidr = parseCidr(wanted ?? '')
    if (wanted === undefined || !cidr) throw new Error('the node has no range for its pods yet')
    if (pool?.podCidr !== wanted) pool = { podCidr: wanted, addresses: new AddressPool(cidr) }
    return pool.addresses
  }
  return {
    async attach({ uid }) {
      const address = connections.get(uid) ?? current().allocate()
      connections.set(uid, address)
      return { ips: [address] }
    },
    async detach(podUid) {
      const address = connections.get(podUid)
      if (address === undefined) return
      connections.delete(podUid)
      pool?.addresses.release(address)
    },
  }
}
