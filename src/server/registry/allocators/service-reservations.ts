/**
 * What a service needs before it is written: an address, node ports, a health check port. Taken in memory, kept with
 * the write, given back when the write fails. The pools are filled from the stored services when first used.
 */

import { isHeadless, needsClusterIp, needsHealthCheck, needsNodePort } from '../../../apis/core/service/kinds.ts'
import { validateClusterIps } from '../../../apis/core/service/validate-cluster-ips.ts'
import type { Service, ServicePort, ServiceSpec } from '../../../apis/core/types.gen.ts'
import type { Cidr } from '../../../base/ip.ts'
import type { Random } from '../../../base/random.ts'
import { internalError, invalid } from '../../../machinery/meta/api-error.ts'
import { FieldPath, invalidValue } from '../../../machinery/meta/field-error.ts'
import type { Reservations } from '../admission-hooks.ts'
import { type ClusterIpAllocator, createClusterIpAllocator } from './cluster-ip.ts'
import { createNodePortAllocator, type NodePortAllocator, type PortRange } from './node-port.ts'

export interface ServiceReservationParts {
  readonly serviceCidr: Cidr
  readonly nodePorts: PortRange
  readonly random: Random
  /** All services there are. */
  stored(): Promise<readonly Service[]>
}

interface Pools {
  readonly addresses: ClusterIpAllocator
  readonly ports: NodePortAllocator
}

export function serviceReservations(parts: ServiceReservationParts): Reservations<Service> {
  let filled: Promise<Pools> | undefined
  const pools = (): Promise<Pools> => {
    filled ??= fill(parts)
    return filled
  }
  return {
    async reserve(object, previous, dryRun) {
      const lease = new Lease(await pools(), previous)
      try {
        const families = withFamilies(withPolicyOf(object, previous), lease, previous)
        const reserved = withNodePorts(withAddress(families, lease), lease, previous)
        const commit = () => (dryRun ? lease.release() : lease.commit(reserved))
        return { object: reserved, commit, release: () => lease.release() }
      } catch (error) {
        lease.release()
        throw error
      }
    },
    removed(object) {
      void pools().then(({ addresses, ports }) => {
        for (const address of addressesOf(object)) addresses.release(address)
        for (const port of portsOf(object)) ports.release(port)
      })
    },
  }
}

async function fill({ serviceCidr, nodePorts, random, stored }: ServiceReservationParts): Promise<Pools> {
  const addresses = createClusterIpAllocator(serviceCidr, random)
  const ports = createNodePortAllocator(nodePorts, random)
  for (const service of await stored()) {
    for (const address of addressesOf(service)) addresses.take(address)
    for (const port of portsOf(service)) ports.take(port)
  }
  return { addresses, ports }
}

function addressesOf({ spec }: Service): readonly string[] {
  return (spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])).filter((ip) => ip !== '' && ip !== 'None')
}

/** Each once: TCP and UDP may share a number. */
function portsOf({ spec }: Service): ReadonlySet<number> {
  const ports = (spec.ports ?? []).map(({ nodePort }) => nodePort ?? 0)
  return new Set([...ports, spec.healthCheckNodePort ?? 0].filter((port) => port > 0))
}

/** What one write has taken beyond what the previous object had. */
class Lease {
  readonly pools: Pools
  readonly #previous: Service | undefined
  readonly #hadAddresses: ReadonlySet<string>
  readonly #hadPorts: ReadonlySet<number>
  readonly #addresses: string[] = []
  readonly #ports = new Set<number>()
  #settled = false

  constructor(pools: Pools, previous: Service | undefined) {
    this.pools = pools
    this.#previous = previous
    this.#hadAddresses = new Set(previous ? addressesOf(previous) : [])
    this.#hadPorts = previous ? portsOf(previous) : new Set()
  }

  /** Undefined: it is ours. */
  takeAddress(address: string): string | undefined {
    if (this.#hadAddresses.has(address)) return undefined
    const refusal = this.pools.addresses.take(address)
    if (refusal === undefined) this.#addresses.push(address)
    return refusal
  }

  anyAddress(): string {
    const address = this.pools.addresses.takeAny()
    if (address === undefined) throw internalError('failed to allocate a serviceIP: range is full')
    this.#addresses.push(address)
    return address
  }

  /** Undefined: it is ours. */
  takePort(port: number): string | undefined {
    if (this.#hadPorts.has(port) || this.#ports.has(port)) return undefined
    const refusal = this.pools.ports.take(port)
    if (refusal === undefined) this.#ports.add(port)
    return refusal
  }

  anyPort(): number {
    const port = this.pools.ports.takeAny()
    if (port === undefined) throw internalError('failed to allocate a nodePort: range is full')
    this.#ports.add(port)
    return port
  }

  /** The write holds: what only the previous object had is free again. */
  commit(written: Service): void {
    if (this.#settled) return
    this.#settled = true
    if (!this.#previous) return
    const addresses = new Set(addressesOf(written))
    for (const address of this.#hadAddresses) if (!addresses.has(address)) this.pools.addresses.release(address)
    const ports = portsOf(written)
    for (const port of this.#hadPorts) if (!ports.has(port)) this.pools.ports.release(port)
  }

  release(): void {
    if (this.#settled) return
    this.#settled = true
    for (const address of this.#addresses) this.pools.addresses.release(address)
    for (const port of this.#ports) this.pools.ports.release(port)
  }
}

const specPath = new FieldPath('spec')
const refuse = (service: Service, path: FieldPath, value: unknown, detail: string) =>
  invalid({ group: '', kind: 'Service' }, service.metadata.name ?? '', [invalidValue(path, value, detail)])

/** An update that says nothing of it keeps the policy. */
function withPolicyOf(service: Service, previous: Service | undefined): Service {
  const { ipFamilyPolicy } = previous?.spec ?? {}
  if (!needsClusterIp(service) || ipFamilyPolicy === undefined || service.spec.ipFamilyPolicy !== undefined)
    return service
  return withSpec(service, { ipFamilyPolicy })
}

/** The cluster has one address family; a headless service without selector may have endpoints of both. */
function withFamilies(service: Service, { pools: { addresses } }: Lease, previous: Service | undefined): Service {
  const { spec } = service
  if (!needsClusterIp(service)) return service
  const errors = validateClusterIps(service, previous)
  if (errors.length > 0) throw invalid({ group: '', kind: 'Service' }, service.metadata.name ?? '', errors)
  const { family } = addresses
  const open = isHeadless(service) && Object.keys(spec.selector ?? {}).length === 0
  if (open) {
    const other = family === 'IPv4' ? 'IPv6' : 'IPv4'
    const ipFamilyPolicy = spec.ipFamilyPolicy ?? 'RequireDualStack'
    const both: ServiceSpec['ipFamilies'] = ipFamilyPolicy === 'SingleStack' ? [family] : [family, other]
    return withSpec(service, { ipFamilyPolicy, ipFamilies: spec.ipFamilies?.length ? spec.ipFamilies : both })
  }
  const ipFamilyPolicy = spec.ipFamilyPolicy ?? 'SingleStack'
  if (ipFamilyPolicy === 'RequireDualStack') {
    const detail = 'this cluster is not configured for dual-stack services'
    throw refuse(service, specPath.child('ipFamilyPolicy'), ipFamilyPolicy, detail)
  }
  for (const [index, wanted] of (spec.ipFamilies ?? []).entries())
    if (wanted !== family)
      throw refuse(service, specPath.child('ipFamilies').index(index), wanted, 'not configured on this cluster')
  return withSpec(service, { ipFamilyPolicy, ipFamilies: [family] })
}

function withAddress(service: Service, lease: Lease): Service {
  if (!needsClusterIp(service) || isHeadless(service)) return service
  const { clusterIPs = [] } = service.spec
  const wanted = clusterIPs[0] ?? service.spec.clusterIP ?? ''
  if (wanted === '') return withClusterIp(service, freshAddress(service, lease))
  const refusal = lease.takeAddress(wanted)
  if (refusal === undefined) return withClusterIp(service, wanted)
  throw refuse(service, specPath.child('clusterIPs'), [wanted], `failed to allocate IP ${wanted}: ${refusal}`)
}

function freshAddress({ metadata }: Service, lease: Lease): string {
  const { first } = lease.pools.addresses
  const isApiServer = metadata.namespace === 'default' && metadata.name === 'kubernetes'
  return isApiServer && lease.takeAddress(first) === undefined ? first : lease.anyAddress()
}

function withClusterIp(service: Service, address: string): Service {
  return withSpec(service, { clusterIP: address, clusterIPs: [address] })
}

function withNodePorts(service: Service, lease: Lease, previous: Service | undefined): Service {
  const { ports = [], type } = service.spec
  const explicit = ports.some(({ nodePort }) => nodePort)
  const reserved =
    needsNodePort(service) || (type === 'LoadBalancer' && explicit)
      ? withSpec(service, { ports: reservePorts(service, ports, lease) })
      : service
  // One that is there may not change, as validation says.
  const isNew = previous === undefined || !needsHealthCheck(previous)
  return isNew && needsHealthCheck(reserved) ? withHealthCheckPort(reserved, lease) : reserved
}

/** Ports of one number that differ in protocol share their node port. */
function reservePorts(service: Service, ports: readonly ServicePort[], lease: Lease): readonly ServicePort[] {
  const asked = ports.map((port, index) => {
    if (!port.nodePort) return port
    const refusal = lease.takePort(port.nodePort)
    if (refusal === undefined) return port
    throw refuse(service, specPath.child('ports').index(index).child('nodePort'), port.nodePort, refusal)
  })
  if (!needsNodePort(service)) return asked
  const shared = new Map<string, number>()
  for (const { port, protocol = 'TCP', nodePort } of asked) if (nodePort) shared.set(`${port} ${protocol}`, nodePort)
  return asked.map((port) =>
    port.nodePort ? port : { ...port, nodePort: sharedPort(port, shared) ?? note(port, shared, lease.anyPort()) },
  )
}

function sharedPort({ port, protocol = 'TCP' }: ServicePort, known: ReadonlyMap<string, number>): number | undefined {
  if (known.has(`${port} ${protocol}`)) return undefined
  return known.get(`${port} ${protocol === 'TCP' ? 'UDP' : 'TCP'}`)
}

function note({ port, protocol = 'TCP' }: ServicePort, known: Map<string, number>, nodePort: number): number {
  known.set(`${port} ${protocol}`, nodePort)
  return nodePort
}

const PORT_MAX = 65_535

function withHealthCheckPort(service: Service, lease: Lease): Service {
  const asked = service.spec.healthCheckNodePort
  if (!asked) return withSpec(service, { healthCheckNodePort: lease.anyPort() })
  // What is no port is refused by validation.
  if (asked < 1 || asked > PORT_MAX) return service
  const refusal = lease.takePort(asked)
  if (refusal === undefined) return service
  throw refuse(service, specPath.child('healthCheckNodePort'), asked, refusal)
}

function withSpec(service: Service, changed: Partial<ServiceSpec>): Service {
  return { ...service, spec: { ...service.spec, ...changed } }
}
