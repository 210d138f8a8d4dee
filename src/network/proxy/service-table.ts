/** Pure: a service and its slices → where each of its ports is asked for, and which addresses answer, seen from one node. */

import { isIPv4 } from 'node:net'
import type { Service, ServicePort } from '../../apis/core/types.gen.ts'
import type { Endpoint, EndpointSlice } from '../../apis/discovery/types.gen.ts'
import { byCodeUnit } from '../../base/group-by.ts'

export type Protocol = 'tcp' | 'udp' | 'sctp'

export interface Backend {
  readonly address: string
  readonly port: number
}

/** One port of a service. */
export interface ServiceRoute {
  /** `namespace/name/tcp/80`: unique, and safe as part of a rule's name. */
  readonly id: string
  readonly protocol: Protocol
  readonly port: number
  readonly clusterAddresses: readonly string[]
  readonly externalAddresses: readonly string[]
  readonly balancerAddresses: readonly string[]
  readonly nodePort: number | undefined
  /** All that answer. Terminating ones only while there is no other. */
  readonly backends: readonly Backend[]
  /** Those on this node. */
  readonly localBackends: readonly Backend[]
  readonly internalPolicy: 'Cluster' | 'Local'
  readonly externalPolicy: 'Cluster' | 'Local'
  /** A client keeps its backend for so long after its last connection. */
  readonly affinitySeconds: number | undefined
  /** Who may use the load balancer's addresses; empty: everyone. */
  readonly sourceRanges: readonly string[]
}

const AFFINITY_SECONDS_DEFAULT = 10_800

export function routesOf(
  service: Service,
  slices: readonly EndpointSlice[],
  nodeName: string,
): readonly ServiceRoute[] {
  const { metadata, spec } = service
  const clusterAddresses = addressesOf(service)
  if (!spec || spec.type === 'ExternalName' || clusterAddresses.length === 0) return []
  const shared = {
    clusterAddresses,
    externalAddresses: (spec.externalIPs ?? []).filter(isIPv4),
    balancerAddresses: balancerAddresses(service),
    internalPolicy: spec.internalTrafficPolicy ?? 'Cluster',
    externalPolicy: spec.externalTrafficPolicy ?? 'Cluster',
    affinitySeconds:
      spec.sessionAffinity === 'ClientIP'
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS_DEFAULT)
        : undefined,
    sourceRanges: (spec.loadBalancerSourceRanges ?? []).map((range) => range.trim()).filter(isIpv4Range),
  } as const
  return (spec.ports ?? []).map((servicePort): ServiceRoute => {
    const protocol = protocolOf(servicePort.protocol)
    const found = candidatesOf(servicePort, slices)
    return {
      ...shared,
      id: `${metadata.namespace}/${metadata.name}/${protocol}/${servicePort.port}`,
      protocol,
      port: servicePort.port,
      nodePort: spec.type === 'ClusterIP' ? undefined : servicePort.nodePort || undefined,
      backends: usable(found),
      localBackends: usable(found.filter(({ endpoint }) => endpoint.nodeName === nodeName)),
    }
  })
}

/** Empty for headless services and those that have no address yet. */
function addressesOf({ spec }: Service): readonly string[] {
  const all = spec?.clusterIPs ?? (spec?.clusterIP === undefined ? [] : [spec.clusterIP])
  return all.filter(isIPv4)
}

/** A balancer of mode Proxy wants to see the traffic itself. */
function balancerAddresses({ spec, status }: Service): readonly string[] {
  if (spec?.type !== 'LoadBalancer') return []
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, ipMode }) =>
    ip !== undefined && isIPv4(ip) && ipMode !== 'Proxy' ? [ip] : [],
  )
}

function isIpv4Range(range: string): boolean {
  const [address = '', length = ''] = range.split('/')
  return isIPv4(address) && /^\d{1,2}$/.test(length) && Number(length) <= 32
}

export function protocolOf(protocol: ServicePort['protocol']): Protocol {
  switch (protocol) {
    case 'UDP':
      return 'udp'
    case 'SCTP':
      return 'sctp'
    default:
      return 'tcp'
  }
}

interface Candidate {
  readonly endpoint: Endpoint
  readonly backend: Backend
}

function candidatesOf(
  { name = '', protocol = 'TCP' }: ServicePort,
  slices: readonly EndpointSlice[],
): readonly Candidate[] {
  return slices
    .filter(({ addressType }) => addressType === 'IPv4')
    .flatMap(({ ports, endpoints }) => {
      const matching = ports?.find((port) => (port.name ?? '') === name && (port.protocol ?? 'TCP') === protocol)
      const port = matching?.port
      if (port === undefined) return []
      return (endpoints ?? []).flatMap((endpoint) => {
        const [address] = endpoint.addresses
        return address !== undefined && isIPv4(address) ? [{ endpoint, backend: { address, port } }] : []
      })
    })
}

/** The ready ones; without any, those that still serve while they terminate. Each once, in a stable order. */
function usable(candidates: readonly Candidate[]): readonly Backend[] {
  const ready = candidates.filter(({ endpoint }) => endpoint.conditions?.ready !== false)
  const chosen = ready.length > 0 ? ready : candidates.filter(({ endpoint }) => isServing(endpoint))
  const byText = new Map(chosen.map(({ backend }) => [backendText(backend), backend]))
  return [...byText].sort(([left], [right]) => byCodeUnit(left, right)).map(([, backend]) => backend)
}

function isServing({ conditions }: Endpoint): boolean {
  return conditions?.terminating === true && conditions.serving === true
}

export function backendText({ address, port }: Backend): string {
  return `${address}:${port}`
}
