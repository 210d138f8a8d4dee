/**
 * One logical node's network: a bridge that is the gateway of its pods, routes to the pods of the other nodes, and the
 * rules that every node has. Everything lies in the node's namespace and is gone with it.
 */

import { parseCidr } from '../../base/ip.ts'
import { createTurns } from '../../base/turns.ts'
import { AddressPool } from './address-pool.ts'
import type { NamespaceCommands } from './namespace-command.ts'
import { nodeRuleset } from './node-ruleset.ts'
import { type NodeRoute, nodeRoutes, parseRoutes, routeChanges, SHOW_ROUTES } from './routes.ts'

/** Also what other parts of the node's rules match on. */
export const BRIDGE = 'cni0'

/** The node's namespace, as the runtime made it. */
export interface NodePlace {
  readonly nodeName: string
  /** Host process id inside the node's network namespace. */
  readonly pid: number
  readonly ip: string
  readonly networkCidr: string
}

export interface NodeNetworkOptions {
  readonly commands: NamespaceCommands
  readonly node: NodePlace
  readonly clusterPodCidr: string
  readonly serviceCidr: string
}

export interface NodeNetwork {
  readonly node: NodePlace
  /** Undefined until the node has its part of the pods' range: no pod can start before. */
  readonly podCidr: string | undefined
  /**
   * Brings bridge, rules and routes to what is wanted; `nodes` may contain this one. Calls are carried out one after the
   * other. Safe to repeat: what is right already is not touched.
   */
  update(podCidr: string, nodes: readonly NodeRoute[]): Promise<void>
}

export function createNodeNetwork({ commands, node, clusterPodCidr, serviceCidr }: NodeNetworkOptions): NodeNetwork {
  const { pid, ip, networkCidr } = node
  let podCidr: string | undefined
  const inTurn = createTurns()

  const update = async (wanted: string, nodes: readonly NodeRoute[]): Promise<void> => {
    if (podCidr !== wanted) {
      await commands.ip(pid, bridgeChanges(await commands.query(pid, ['address', 'show']), gatewayOf(wanted)))
      await commands.nft(pid, nodeRuleset({ podCidr: wanted, clusterPodCidr, serviceCidr, networkCidr }))
    }
    const present = parseRoutes(await commands.query(pid, SHOW_ROUTES))
    await commands.ip(pid, routeChanges(present, nodeRoutes(ip, nodes)))
    podCidr = wanted
  }

  return {
    node,
    get podCidr() {
      return podCidr
    },
    update: (wanted, nodes) => inTurn(() => update(wanted, nodes)),
  }
}

/** The bridge's address with the block's prefix length: `10.244.1.1/24`. */
function gatewayOf(podCidr: string): string {
  const cidr = parseCidr(podCidr)
  if (cidr?.family !== 4) throw new Error(`${podCidr} is no IPv4 range for pods`)
  return `${new AddressPool(cidr).gateway}/${cidr.prefixLength}`
}

/** Pure: lines for `ip -batch` that give the bridge exactly this address. */
export function bridgeChanges(interfaces: readonly unknown[], gateway: string): readonly string[] {
  const bridge = interfaces.find((entry) => fieldOf(entry, 'ifname') === BRIDGE)
  const present = addressesOf(bridge)
  return [
    ...(bridge === undefined ? [`link add ${BRIDGE} type bridge`] : []),
    ...present.filter((address) => address !== gateway).map((address) => `address del ${address} dev ${BRIDGE}`),
    ...(present.includes(gateway) ? [] : [`address add ${gateway} dev ${BRIDGE}`]),
    `link set ${BRIDGE} up`,
  ]
}

function addressesOf(bridge: unknown): readonly string[] {
  const list = fieldOf(bridge, 'addr_info')
  if (!Array.isArray(list)) return []
  return list.map((entry) => `${fieldOf(entry, 'local')}/${fieldOf(entry, 'prefixlen')}`)
}

export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
