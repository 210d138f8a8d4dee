/**
 * Which remembered UDP flows lead astray once the routes have changed. A TCP connection ends by itself when its backend
 * does; a UDP flow is kept by every packet its client sends, and would go to an address that is gone for ever.
 */

import { CommandFailed, runInNamespace } from '../pods/namespace-command.ts'
import type { HostPort } from './host-ports.ts'
import { type Backend, backendText, type ServiceRoute } from './service-table.ts'

export interface Flow {
  /** Undefined: on every address of the node. */
  readonly destination: string | undefined
  readonly port: number
  /** The backend it leads to; undefined: any, or none at all. */
  readonly backend: Backend | undefined
}

export interface FlowCommands {
  /** Makes the kernel forget these flows, so that their next packets are balanced anew. */
  forget(pid: number, flows: readonly Flow[]): Promise<void>
}

/** Where UDP packets are addressed to → the backends that answer there. */
export type UdpFrontends = ReadonlyMap<string, Frontend>

interface Frontend {
  readonly destination: string | undefined
  readonly port: number
  /** By their texts. */
  readonly backends: ReadonlyMap<string, Backend>
}

export function udpFrontends(routes: Iterable<ServiceRoute>, hostPorts: Iterable<HostPort>): UdpFrontends {
  const frontends = new Map<string, Frontend>()
  const add = (destination: string | undefined, port: number, backends: readonly Backend[]) =>
    frontends.set(`${destination ?? '*'}:${port}`, {
      destination,
      port,
      backends: new Map(backends.map((backend) => [backendText(backend), backend])),
    })
  for (const route of routes) {
    if (route.protocol !== 'udp') continue
    const addresses = [...route.clusterAddresses, ...route.externalAddresses, ...route.balancerAddresses]
    for (const address of addresses) add(address, route.port, route.backends)
    if (route.nodePort !== undefined) add(undefined, route.nodePort, route.backends)
  }
  for (const { protocol, address, port, backend } of hostPorts) if (protocol === 'udp') add(address, port, [backend])
  return frontends
}

/** Flows to backends that no longer answer, and those that found nobody before there was one. */
export function staleFlows(previous: UdpFrontends, next: UdpFrontends): readonly Flow[] {
  const stale: Flow[] = []
  for (const [key, { destination, port, backends }] of previous) {
    const left = next.get(key)?.backends
    for (const [text, backend] of backends) if (!left?.has(text)) stale.push({ destination, port, backend })
  }
  for (const [key, { destination, port, backends }] of next) {
    const hadNone = (previous.get(key)?.backends.size ?? 0) === 0
    if (hadNone && backends.size > 0) stale.push({ destination, port, backend: undefined })
  }
  return stale
}

/** Processes at once: each takes a few ms. */
const CONCURRENT_COMMANDS = 8

export const flowCommands: FlowCommands = {
  async forget(pid, flows) {
    for (let start = 0; start < flows.length; start += CONCURRENT_COMMANDS)
      await Promise.all(flows.slice(start, start + CONCURRENT_COMMANDS).map((flow) => forgetOne(pid, flow)))
  },
}

async function forgetOne(pid: number, { destination, port, backend }: Flow): Promise<void> {
  const words = ['conntrack', '-D', '-f', 'ipv4', '-p', 'udp', '--orig-port-dst', String(port)]
  if (destination !== undefined) words.push('--orig-dst', destination)
  if (backend !== undefined) words.push('--reply-src', backend.address, '--reply-port-src', String(backend.port))
  try {
    await runInNamespace(pid, words, '')
  } catch (error) {
    // The command fails, too, when there is no such flow.
    if (!(error instanceof CommandFailed && error.message.includes('0 flow entries'))) throw error
  }
}
