/**
 * Load balancers for one machine: every Service of type LoadBalancer gets an address of the nodes' own network, so the
 * host and its other containers reach it like a node. One node answers for all of them; its rules, as those of every
 * node, lead on to the pods. See docs/decisions/0030-load-balancers-are-addresses-of-the-node-network.md.
 */

import { nodes } from '../../apis/core/node.ts'
import { services } from '../../apis/core/service/definition.ts'
import type { Node, Service } from '../../apis/core/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import { addressAt, type Cidr, cidrContains, cidrSize, parseCidr } from '../../base/ip.ts'
import type { Logger } from '../../base/log.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/events.ts'
import type { Informers } from '../../client/informers.ts'
import { isNotFound } from '../../machinery/meta/api-error.ts'
import { keyOf } from '../../machinery/meta/object.ts'
import { converge } from '../converge.ts'
import type { NamespaceCommands } from '../pods/namespace-command.ts'

export interface LoadBalancerParts {
  readonly informers: Informers
  readonly client: Client
  readonly events: EventRecorder
  readonly commands: Pick<NamespaceCommands, 'ip' | 'query'>
  /** The nodes' network. */
  readonly networkCidr: string
  /** The node that answers for the addresses; undefined while there is none. Asked each time. */
  readonly speaker: () => { readonly pid: number; readonly ip: string } | undefined
  readonly clock: Clock
  readonly log: Logger
}

export interface LoadBalancer extends AsyncDisposable {
  /** Looks again: after the machine's nodes have changed. */
  refresh(): void
}

export function startLoadBalancer(parts: LoadBalancerParts): LoadBalancer {
  const { informers, clock, log } = parts
  const all = informers.of(services)
  const loop = converge({
    clock,
    begin: (signal) => Promise.all([all.whenSynced(signal), informers.of(nodes).whenSynced(signal)]),
    work: () => balance(parts),
    onFailure: (error) => log.warn('the load balancers could not be brought up to date', { error: String(error) }),
  })
  const look = (service: Service) => {
    if (service.spec?.type === 'LoadBalancer' || addressOf(service) !== undefined) loop.wake()
  }
  const unsubscribe = all.subscribe({
    added: look,
    updated: (service, previous) => {
      look(previous)
      look(service)
    },
    deleted: look,
  })
  return {
    refresh: () => loop.wake(),
    async [Symbol.asyncDispose]() {
      unsubscribe()
      await loop[Symbol.asyncDispose]()
    },
  }
}

async function balance({ informers, client, events, commands, networkCidr, speaker }: LoadBalancerParts) {
  const network = parseCidr(networkCidr)
  if (!network) return
  const taken = informers.of(nodes).list().flatMap(nodeAddresses)
  const plan = planBalancers(informers.of(services).list(), network, taken)
  const node = speaker()
  if (node) await announce(commands, node, network, plan.addresses)
  for (const { service, address } of plan.changes) {
    const ingress = address === undefined ? [] : [{ ip: address, ipMode: 'VIP' }]
    const patch = { type: 'merge', body: { status: { loadBalancer: { ingress } } } } as const
    try {
      await client.of(services).patch(keyOf(service), patch, { subresource: 'status' })
      if (address !== undefined) events.event(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer')
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
  const failure = `Error syncing load balancer: failed to ensure load balancer: ${networkCidr} has no free address`
  for (const service of plan.failed) events.event(service, 'Warning', 'SyncLoadBalancerFailed', failure)
}

export interface BalancerPlan {
  /** Services whose status is to say this address, or none. */
  readonly changes: readonly { readonly service: Service; readonly address: string | undefined }[]
  /** All addresses to answer for. */
  readonly addresses: readonly string[]
  /** Services for which no address was left. */
  readonly failed: readonly Service[]
}

/** Addresses are taken from the network's end; nodes take theirs from its start. */
const ADDRESSES_MAX = 128n

/** Pure. An address once given stays; a wish is granted where the address is free. */
export function planBalancers(all: readonly Service[], network: Cidr, taken: readonly string[]): BalancerPlan {
  const balanced = all.filter(isBalanced).sort(byAge)
  const used = new Set(taken)
  const given = new Map<Service, string>()
  const take = (service: Service, address: string | undefined) => {
    if (given.has(service) || address === undefined || used.has(address) || !isUsable(network, address)) return
    used.add(address)
    given.set(service, address)
  }
  for (const service of balanced) {
    const wish = service.spec?.loadBalancerIP
    if (!wish || wish === addressOf(service)) take(service, addressOf(service))
  }
  for (const service of balanced) take(service, service.spec?.loadBalancerIP || undefined)
  for (const service of balanced) {
    if (!service.spec?.loadBalancerIP && !given.has(service)) take(service, freeAddress(network, used))
  }
  const changes = all
    .filter((service) => isBalanced(service) || isLeftOver(service))
    .filter((service) => given.get(service) !== addressOf(service))
    .map((service) => ({ service, address: given.get(service) }))
  return { changes, addresses: [...given.values()], failed: balanced.filter((service) => !given.has(service)) }
}

/** Services with a class of their own are somebody else's. */
function isBalanced({ metadata, spec }: Service): boolean {
  return spec?.type === 'LoadBalancer' && spec.loadBalancerClass === undefined && !metadata.deletionTimestamp
}

/** It was one, and still has the address. */
function isLeftOver(service: Service): boolean {
  return service.spec?.type !== 'LoadBalancer' && addressOf(service) !== undefined
}

function addressOf({ status }: Service): string | undefined {
  return status?.loadBalancer?.ingress?.[0]?.ip
}

function nodeAddresses({ status }: Node): readonly string[] {
  return (status?.addresses ?? []).map(({ address }) => address)
}

function byAge(left: Service, right: Service): number {
  const age = ({ metadata }: Service) => `${metadata.creationTimestamp} ${metadata.namespace}/${metadata.name}`
  return byCodeUnit(age(left), age(right))
}

/** Neither the network's own address, nor its host's, nor that for all. */
function isUsable(network: Cidr, address: string): boolean {
  const reserved = [addressAt(network, 0), addressAt(network, 1), addressAt(network, cidrSize(network) - 1n)]
  return cidrContains(network, address) && !reserved.includes(address)
}

function freeAddress(network: Cidr, used: ReadonlySet<string>): string | undefined {
  const last = cidrSize(network) - 2n
  for (let offset = last; offset > 1n && offset > last - ADDRESSES_MAX; offset--) {
    const address = addressAt(network, offset)
    if (!used.has(address)) return address
  }
  return undefined
}

/** The node answers for exactly these addresses, besides its own. */
async function announce(
  commands: LoadBalancerParts['commands'],
  { pid, ip }: { readonly pid: number; readonly ip: string },
  network: Cidr,
  addresses: readonly string[],
): Promise<void> {
  await commands.ip(pid, announcements(await commands.query(pid, ['address', 'show']), ip, network, addresses))
}

/** Pure: lines for `ip -batch`. A balancer's address is known by its prefix of 32 bits within the network. */
export function announcements(
  interfaces: readonly unknown[],
  nodeAddress: string,
  network: Cidr,
  wanted: readonly string[],
): readonly string[] {
  for (const { name, addresses } of interfaces.map(readInterface)) {
    if (!addresses.some(({ address }) => address === nodeAddress)) continue
    const present = addresses
      .filter(({ address, prefixLength }) => prefixLength === 32 && cidrContains(network, address))
      .map(({ address }) => address)
      .filter((address) => address !== nodeAddress)
    return [
      ...present
        .filter((address) => !wanted.includes(address))
        .map((address) => `address del ${address}/32 dev ${name}`),
      ...wanted
        .filter((address) => !present.includes(address))
        .map((address) => `address add ${address}/32 dev ${name}`),
    ]
  }
  return []
}

/** One entry of `ip -json address show`. */
function readInterface(entry: unknown) {
  const { ifname, addr_info: list } = entry as { readonly ifname?: unknown; readonly addr_info?: unknown }
  const addresses = (Array.isArray(list) ? list : []).flatMap((item: unknown) => {
    const { local, prefixlen } = item as { readonly local?: unknown; readonly prefixlen?: unknown }
    return typeof local === 'string' ? [{ address: local, prefixLength: prefixlen }] : []
  })
  return { name: String(ifname), addresses }
}
