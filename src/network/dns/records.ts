/**
 * Pure: the cluster's own names, as Kubernetes' DNS specification 1.1 has them.
 *
 *   web.default.svc.cluster.local              the service's address, or those of its ready pods when it is headless
 *   db-0.db.default.svc.cluster.local          one pod of a headless service, by its hostname
 *   _http._tcp.web.default.svc.cluster.local   port and host of a named port
 *   10-244-1-5.default.pod.cluster.local       the address in the name
 *
 * Names compare without regard to case; an answer repeats the question's name as it was asked.
 */

import { isIPv4 } from 'node:net'
import type { Answer } from 'dns-packet'
import type { Service } from '../../apis/core/types.gen.ts'
import { SERVICE_NAME_LABEL } from '../../apis/discovery/endpoint-slice.ts'
import type { Endpoint, EndpointSlice } from '../../apis/discovery/types.gen.ts'

/** What the answers are made from. Names are in lower case. */
export interface ClusterNames {
  hasNamespace(name: string): boolean
  service(namespace: string, name: string): Service | undefined
  slices(namespace: string, service: string): readonly EndpointSlice[]
  serviceAt(address: string): Service | undefined
  slicesAt(address: string): readonly EndpointSlice[]
}

export interface Zone {
  /** `cluster.local`, in lower case. */
  readonly domain: string
  /** The address under which pods reach the server. */
  readonly serverAddress: string
  readonly names: ClusterNames
}

export interface Question {
  readonly name: string
  readonly type: string
}

export type Resolution =
  | { readonly kind: 'found'; readonly answers: readonly Answer[]; readonly additionals: readonly Answer[] }
  /** The name exists, but has nothing of this type. */
  | { readonly kind: 'no-data' }
  | { readonly kind: 'no-name' }
  /** Another name has the answer; `target` may lie inside or outside. */
  | { readonly kind: 'alias'; readonly answer: Answer; readonly target: string }
  /** Not the cluster's to answer. */
  | { readonly kind: 'outside' }

/** In seconds, as upstream's server: an address may move at any time. */
const TTL_SECONDS = 5

const SPECIFICATION_VERSION = '1.1.0'
const SRV_WEIGHT = 100

const NO_DATA: Resolution = { kind: 'no-data' }
const NO_NAME: Resolution = { kind: 'no-name' }
const OUTSIDE: Resolution = { kind: 'outside' }

export function resolve(zone: Zone, question: Question): Resolution {
  const name = question.name.toLowerCase()
  const { domain } = zone
  if (name === domain) return apexAnswer(zone, question)
  if (name.endsWith(`.${domain}`)) {
    const labels = name.slice(0, -domain.length - 1).split('.')
    return insideAnswer(zone, question, labels)
  }
  const address = reversedAddress(name)
  return address === undefined ? OUTSIDE : pointerAnswer(zone, question, address)
}

/** Says how long an answer that is none may be remembered. */
export function authority({ domain }: Zone, serial: number): Answer {
  return {
    type: 'SOA',
    name: domain,
    ttl: TTL_SECONDS,
    data: {
      mname: `ns.dns.${domain}`,
      rname: `hostmaster.${domain}`,
      serial,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: TTL_SECONDS,
    },
  }
}

function apexAnswer(zone: Zone, { name, type }: Question): Resolution {
  if (type === 'SOA') return found([{ ...authority(zone, 1), name } as Answer])
  if (type !== 'NS') return NO_DATA
  const server = `ns.dns.${zone.domain}`
  const glue = addressRecord(server, zone.serverAddress)
  return found([{ type: 'NS', name, ttl: TTL_SECONDS, data: server }], [glue])
}

/** `labels` are what stands before the domain. */
function insideAnswer(zone: Zone, question: Question, labels: readonly string[]): Resolution {
  const kind = labels.at(-1)
  if (labels.length === 1 && kind === 'dns-version') {
    const { name, type } = question
    return type === 'TXT' ? found([{ type, name, ttl: TTL_SECONDS, data: SPECIFICATION_VERSION }]) : NO_DATA
  }
  if (labels.join('.') === 'ns.dns') return addressesAnswer(question, [zone.serverAddress])
  if (kind !== 'svc' && kind !== 'pod') return NO_NAME
  if (labels.length === 1) return NO_DATA
  const namespace = labels.at(-2) ?? ''
  if (!zone.names.hasNamespace(namespace)) return NO_NAME
  if (labels.length === 2) return NO_DATA
  const rest = labels.slice(0, -2)
  return kind === 'pod' ? podAnswer(question, rest) : serviceAnswer(zone, question, namespace, rest)
}

function podAnswer(question: Question, labels: readonly string[]): Resolution {
  const address = labels.length === 1 ? (labels[0] ?? '').replaceAll('-', '.') : ''
  return isIPv4(address) ? addressesAnswer(question, [address]) : NO_NAME
}

/** `labels` end with the service's name. */
function serviceAnswer(zone: Zone, question: Question, namespace: string, labels: readonly string[]): Resolution {
  const name = labels.at(-1) ?? ''
  const service = zone.names.service(namespace, name)
  if (!service?.spec) return NO_NAME
  const { type, externalName, clusterIP } = service.spec
  if (type === 'ExternalName') return labels.length === 1 ? aliasAnswer(question, externalName ?? '') : NO_NAME
  const slices = zone.names.slices(namespace, name)
  const place: ServicePlace = { service, slices, host: `${name}.${namespace}.svc.${zone.domain}` }
  const [first = '', second = ''] = labels
  if (labels.length === 3 && first.startsWith('_') && second.startsWith('_'))
    return portAnswer(question, place, first.slice(1), second.slice(1))
  if (labels.length === 2) return endpointAnswer(question, place, first)
  if (labels.length !== 1) return NO_NAME
  if (question.type === 'SRV') return portAnswer(question, place, undefined, undefined)
  if (clusterIP !== 'None') return addressesAnswer(question, service.spec.clusterIPs ?? [clusterIP ?? ''])
  const addresses = readyEndpoints(slices).map(({ address }) => address)
  return addresses.length === 0 ? NO_NAME : addressesAnswer(question, addresses)
}

function aliasAnswer({ name, type }: Question, externalName: string): Resolution {
  const target = externalName.replace(/\.$/, '')
  const answer: Answer = { type: 'CNAME', name, ttl: TTL_SECONDS, data: target }
  if (type === 'CNAME') return found([answer])
  return { kind: 'alias', answer, target }
}

interface ServicePlace {
  readonly service: Service
  readonly slices: readonly EndpointSlice[]
  /** The service's full name. */
  readonly host: string
}

interface ReadyEndpoint {
  readonly address: string
  /** Its label under the service's name. */
  readonly label: string
  readonly slice: EndpointSlice
}

function readyEndpoints(slices: readonly EndpointSlice[]): readonly ReadyEndpoint[] {
  return slices
    .filter(({ addressType }) => addressType !== 'FQDN')
    .flatMap((slice) =>
      (slice.endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false)
        .flatMap((endpoint) =>
          endpoint.addresses.map((address) => ({ address, label: labelOf(endpoint, address), slice })),
        ),
    )
}

function labelOf({ hostname }: Endpoint, address: string): string {
  return (hostname || address.replaceAll(/[.:]/g, '-')).toLowerCase()
}

function endpointAnswer(question: Question, { slices }: ServicePlace, label: string): Resolution {
  const named = readyEndpoints(slices).filter((endpoint) => endpoint.label === label)
  if (named.length === 0) return NO_NAME
  return addressesAnswer(
    question,
    named.map(({ address }) => address),
  )
}

interface Target {
  readonly host: string
  readonly port: number
  readonly addresses: readonly string[]
}

/** Without port and protocol: all ports of the service. */
function portAnswer(
  { name, type }: Question,
  place: ServicePlace,
  port: string | undefined,
  protocol: string | undefined,
): Resolution {
  const targets = targetsOf(place, port, protocol)
  if (targets.length === 0) return port === undefined ? NO_DATA : NO_NAME
  if (type !== 'SRV')
    return addressesAnswer(
      { name, type },
      targets.flatMap(({ addresses }) => addresses),
    )
  const weight = Math.max(1, Math.floor(SRV_WEIGHT / targets.length))
  const answers = targets.map(
    ({ host, port: number }): Answer => ({
      type: 'SRV',
      name,
      ttl: TTL_SECONDS,
      data: { priority: 0, weight, port: number, target: host },
    }),
  )
  const hosts = new Map(targets.map((target) => [target.host, target.addresses]))
  const additionals = [...hosts].flatMap(([host, addresses]) =>
    addresses.map((address) => addressRecord(host, address)),
  )
  return found(answers, additionals)
}

function targetsOf(
  { service, slices, host }: ServicePlace,
  port: string | undefined,
  protocol: string | undefined,
): readonly Target[] {
  const isWanted = (candidate: { readonly name?: string | undefined; readonly protocol?: string | undefined }) =>
    port === undefined || (candidate.name === port && (candidate.protocol ?? 'TCP').toLowerCase() === protocol)
  const { clusterIP, clusterIPs, ports = [] } = service.spec ?? {}
  if (clusterIP !== 'None') {
    const addresses = clusterIPs ?? (clusterIP === undefined ? [] : [clusterIP])
    return ports.filter(isWanted).map((candidate) => ({ host, port: candidate.port, addresses }))
  }
  return readyEndpoints(slices).flatMap(({ address, label, slice }) =>
    (slice.ports ?? [])
      .filter(isWanted)
      .flatMap(({ port: number }) =>
        number === undefined ? [] : [{ host: `${label}.${host}`, port: number, addresses: [address] }],
      ),
  )
}

function pointerAnswer(zone: Zone, { name, type }: Question, address: string): Resolution {
  const pointers = pointersTo(zone, address)
  if (pointers.length === 0) return OUTSIDE
  if (type !== 'PTR') return NO_DATA
  return found(pointers.map((data): Answer => ({ type: 'PTR', name, ttl: TTL_SECONDS, data })))
}

function pointersTo({ names, domain }: Zone, address: string): readonly string[] {
  const service = names.serviceAt(address)
  if (service) return [`${service.metadata.name}.${service.metadata.namespace}.svc.${domain}`]
  const pointers = names.slicesAt(address).flatMap((slice) => {
    const name = slice.metadata.labels?.[SERVICE_NAME_LABEL]
    if (name === undefined) return []
    return readyEndpoints([slice])
      .filter((endpoint) => endpoint.address === address)
      .map(({ label }) => `${label}.${name}.${slice.metadata.namespace}.svc.${domain}`)
  })
  return [...new Set(pointers)]
}

/** `4.3.2.1.in-addr.arpa` → `1.2.3.4`. */
function reversedAddress(name: string): string | undefined {
  const suffix = '.in-addr.arpa'
  if (!name.endsWith(suffix)) return undefined
  const address = name.slice(0, -suffix.length).split('.').reverse().join('.')
  return isIPv4(address) ? address : undefined
}

function addressesAnswer({ name, type }: Question, addresses: readonly string[]): Resolution {
  const records = [...new Set(addresses)].map((address) => addressRecord(name, address))
  const wanted = records.filter((record) => record.type === type || type === 'ANY')
  return wanted.length === 0 ? NO_DATA : found(wanted)
}

function addressRecord(name: string, address: string): Answer {
  return { type: isIPv4(address) ? 'A' : 'AAAA', name, ttl: TTL_SECONDS, data: address }
}

function found(answers: readonly Answer[], additionals: readonly Answer[] = []): Resolution {
  return { kind: 'found', answers, additionals }
}
