/**
 * Pure: routes → nftables rules of one node. One lookup finds a packet's service, however many there are:
 *
 *   10.96.0.50 . tcp . 80 → goto service/default/web/tcp/80 → dnat to one of its backends
 *
 * What changes is kept as data (chains, sets, elements), so that an update touches only what differs; see
 * `ruleset-change.ts`. What never changes is `baseRuleset`.
 */

import type { HostPort } from './host-ports.ts'
import { type Backend, backendText, type Protocol, type ServiceRoute } from './service-table.ts'

export const TABLE = 'ip t8s-proxy'

/** Maps and sets that packets are looked up in; their keys and values are nftables' own texts. */
export type TableName =
  | 'service-ports'
  | 'node-ports'
  | 'host-ports'
  | 'host-address-ports'
  | 'unserved-ports'
  | 'unserved-node-ports'
  | 'hairpins'

export interface Element {
  readonly table: TableName
  readonly key: string
  /** Empty in sets. */
  readonly value: string
}

/** The rules of one service, or of one pod's host ports. */
export interface Fragment {
  readonly chains: ReadonlyMap<string, readonly string[]>
  /** Name → lifetime in seconds of the clients that are remembered in it. */
  readonly affinitySets: ReadonlyMap<string, number>
  /** For addresses that nobody else can have. */
  readonly elements: readonly Element[]
  /** For addresses that users chose: the first to claim one has it. */
  readonly claims: readonly Element[]
}

export interface Ruleset {
  readonly chains: ReadonlyMap<string, readonly string[]>
  readonly affinitySets: ReadonlyMap<string, number>
  readonly elements: ReadonlyMap<TableName, ReadonlyMap<string, string>>
}

export interface ProxyRanges {
  readonly clusterPodCidr: string
  readonly serviceCidr: string
}

/** Packets with it leave under the node's address, so that their answers come back this way. */
const MASQUERADE_MARK = '0x4000'
const MARK = `meta mark set meta mark or ${MASQUERADE_MARK}`

const ADDRESS_PORT = 'ipv4_addr . inet_proto . inet_service'
const NODE_PORT = 'inet_proto . inet_service'
const BACKEND = 'ipv4_addr . inet_service'

/** An empty table with its hooks: replaces whatever was there. */
export function baseRuleset({ clusterPodCidr, serviceCidr }: ProxyRanges): string {
  return `add table ${TABLE}
delete table ${TABLE}
table ${TABLE} {
  map service-ports { type ${ADDRESS_PORT} : verdict; }
  map node-ports { type ${NODE_PORT} : verdict; }
  map host-ports { type ${NODE_PORT} : ${BACKEND}; }
  map host-address-ports { type ${ADDRESS_PORT} : ${BACKEND}; }
  set unserved-ports { type ${ADDRESS_PORT}; }
  set unserved-node-ports { type ${NODE_PORT}; }
  set hairpins { type ipv4_addr . ipv4_addr; }
  chain dispatch {
    ip daddr ${serviceCidr} ip saddr != ${clusterPodCidr} ${MARK}
    ip daddr . meta l4proto . th dport vmap @service-ports
    fib daddr type != local return
    meta l4proto { tcp, udp, sctp } dnat ip to ip daddr . meta l4proto . th dport map @host-address-ports
    meta l4proto { tcp, udp, sctp } dnat ip to meta l4proto . th dport map @host-ports
    meta l4proto . th dport vmap @node-ports
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    jump dispatch
  }
  chain output {
    type nat hook output priority -100; policy accept;
    jump dispatch
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    meta mark and ${MASQUERADE_MARK} == ${MASQUERADE_MARK} masquerade
    ct status dnat ip saddr 127.0.0.0/8 masquerade
    ct status dnat ip saddr . ip daddr @hairpins masquerade
  }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with icmp type port-unreachable
  }
  chain unserved {
    ct state != new return
    ip daddr . meta l4proto . th dport @unserved-ports goto refuse
    fib daddr type local meta l4proto . th dport @unserved-node-ports goto refuse
  }
  chain filter-input {
    type filter hook input priority filter; policy accept;
    jump unserved
  }
  chain filter-forward {
    type filter hook forward priority filter; policy accept;
    jump unserved
  }
  chain filter-output {
    type filter hook output priority filter; policy accept;
    jump unserved
  }
}
`
}

/** What one port of a service adds. */
export function serviceFragment(route: ServiceRoute, ranges: ProxyRanges): Fragment {
  const { clusterAddresses, externalAddresses, balancerAddresses, protocol, port, nodePort } = route
  const key = (address: string) => `${address} . ${protocol} . ${port}`
  const external = [...externalAddresses, ...balancerAddresses]
  const nodeKeys = nodePort === undefined ? [] : [`${protocol} . ${nodePort}`]
  if (route.backends.length === 0) {
    return {
      chains: new Map(),
      affinitySets: new Map(),
      elements: [
        ...elementsOf('unserved-ports', clusterAddresses.map(key)),
        ...elementsOf('unserved-node-ports', nodeKeys),
      ],
      claims: elementsOf('unserved-ports', external.map(key)),
    }
  }
  const chains = new Map<string, readonly string[]>()
  const affinitySets = new Map<string, number>()
  const add = (kind: 'service' | 'local', backends: readonly Backend[]) =>
    addBalancing(chains, affinitySets, route, kind, backends)
  const everywhere = add('service', route.backends)
  const here = route.localBackends.length === 0 ? 'drop' : `goto local/${route.id}`
  const needsLocal = route.internalPolicy === 'Local' || route.externalPolicy === 'Local'
  if (needsLocal && route.localBackends.length > 0) add('local', route.localBackends)
  const inside = route.internalPolicy === 'Local' ? here : everywhere
  const outside = `goto external/${route.id}`
  const guarded = route.sourceRanges.length > 0 ? `goto guard/${route.id}` : outside
  if (external.length + nodeKeys.length > 0) chains.set(`external/${route.id}`, externalRules(route, ranges, here))
  if (balancerAddresses.length > 0 && guarded !== outside)
    chains.set(`guard/${route.id}`, [`ip saddr != { ${route.sourceRanges.join(', ')} } drop`, outside])
  return {
    chains,
    affinitySets,
    elements: [
      ...elementsOf('service-ports', clusterAddresses.map(key), inside),
      ...elementsOf('node-ports', nodeKeys, outside),
      ...elementsOf(
        'hairpins',
        route.localBackends.map(({ address }) => `${address} . ${address}`),
      ),
    ],
    claims: [
      ...elementsOf('service-ports', balancerAddresses.map(key), guarded),
      ...elementsOf('service-ports', externalAddresses.map(key), outside),
    ],
  }
}

function elementsOf(table: TableName, keys: readonly string[], value = ''): readonly Element[] {
  return keys.map((key) => ({ table, key, value }))
}

/** Traffic from outside: to this node's backends only where the service wants to see its clients' addresses. */
function externalRules(route: ServiceRoute, { clusterPodCidr }: ProxyRanges, here: string): readonly string[] {
  const everywhere = `goto service/${route.id}`
  if (route.externalPolicy === 'Cluster') return [MARK, everywhere]
  return [
    // What comes from the cluster itself is not kept to one node.
    `ip saddr ${clusterPodCidr} ${everywhere}`,
    `fib saddr type local ${MARK} ${everywhere}`,
    here,
  ]
}

/** Adds the chain that chooses a backend, and returns the verdict that leads there. */
function addBalancing(
  chains: Map<string, readonly string[]>,
  affinitySets: Map<string, number>,
  route: ServiceRoute,
  kind: 'service' | 'local',
  backends: readonly Backend[],
): string {
  const name = `${kind}/${route.id}`
  if (route.affinitySeconds === undefined) {
    chains.set(name, [translation(route.protocol, backends)])
    return `goto ${name}`
  }
  const targets = backends.map((backend) => {
    const place = `${route.id}/${backend.address}/${backend.port}`
    const set = `clients/${route.affinitySeconds}/${place}`
    affinitySets.set(set, route.affinitySeconds ?? 0)
    chains.set(`endpoint/${place}`, [`update @${set} { ip saddr }`, translation(route.protocol, [backend])])
    return { set, verdict: `goto endpoint/${place}` }
  })
  chains.set(name, [
    ...targets.map(({ set, verdict }) => `ip saddr @${set} ${verdict}`),
    `numgen random mod ${targets.length} vmap { ${targets.map(({ verdict }, index) => `${index} : ${verdict}`).join(', ')} }`,
  ])
  return `goto ${name}`
}

function translation(protocol: Protocol, backends: readonly Backend[]): string {
  const [first] = backends
  if (backends.length === 1 && first) return `meta l4proto ${protocol} dnat to ${backendText(first)}`
  const choices = backends.map(({ address, port }, index) => `${index} : ${address} . ${port}`)
  return `meta l4proto ${protocol} dnat ip to numgen random mod ${backends.length} map { ${choices.join(', ')} }`
}

/** What the host ports of one pod add. */
export function hostPortFragment(ports: readonly HostPort[]): Fragment {
  const claims = ports.flatMap(({ protocol, address, port, backend }): Element[] => {
    const value = `${backend.address} . ${backend.port}`
    const own = `${backend.address} . ${backend.address}`
    const target: Element =
      address === undefined
        ? { table: 'host-ports', key: `${protocol} . ${port}`, value }
        : { table: 'host-address-ports', key: `${address} . ${protocol} . ${port}`, value }
    return [target, { table: 'hairpins', key: own, value: '' }]
  })
  return { chains: new Map(), affinitySets: new Map(), elements: [], claims }
}

/** All fragments together. Of two that claim the same address, the one that comes first has it. */
export function mergeFragments(fragments: Iterable<Fragment>): Ruleset {
  const all = [...fragments]
  const chains = new Map<string, readonly string[]>()
  const affinitySets = new Map<string, number>()
  const elements = new Map<TableName, Map<string, string>>()
  const served = new Map<string, TableName>()
  const put = ({ table, key, value }: Element) => {
    const place = `${familyOf(table)} ${key}`
    const holder = served.get(place)
    if (holder !== undefined && holder !== table) return
    served.set(place, table)
    const known = elements.get(table) ?? new Map<string, string>()
    elements.set(table, known)
    if (!known.has(key)) known.set(key, value)
  }
  for (const fragment of all) {
    for (const [name, rules] of fragment.chains) chains.set(name, rules)
    for (const [name, seconds] of fragment.affinitySets) affinitySets.set(name, seconds)
    for (const element of fragment.elements) put(element)
  }
  for (const { claims } of all) for (const claim of claims) put(claim)
  return { chains, affinitySets, elements }
}

/** An address is either served or refused, never both. */
function familyOf(table: TableName): string {
  if (table === 'unserved-ports') return 'service-ports'
  return table === 'unserved-node-ports' ? 'node-ports' : table
}
