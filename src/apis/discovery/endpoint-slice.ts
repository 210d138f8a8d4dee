/** EndpointSlices: a service's backends of one address family, at most 1,000 in a slice. */

import { isIPv4, isIPv6 } from 'node:net'
import { deepEqual } from '../../base/deep-equal.ts'
import {
  duplicate,
  type FieldError,
  FieldPath,
  invalidValue,
  notSupported,
  required,
  tooMany,
} from '../../machinery/meta/field-error.ts'
import { validateLabels } from '../../machinery/meta/labels.ts'
import { type Findings, isDns1123Subdomain, isValidLabelValue } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, listWithMore, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { withAbsent } from '../field-defaults.ts'
import {
  canonicalIpErrors,
  dnsLabelErrors,
  dnsSubdomainErrors,
  findingErrors,
  ipErrors,
  ipWarnings,
  PROTOCOLS,
  qualifiedNameErrors,
  specialIpErrors,
} from '../field-rules.ts'
import { immutable, nextGeneration, startGeneration } from '../strategy-parts.ts'
import type { Endpoint, EndpointHints, EndpointPort, EndpointSlice } from './types.gen.ts'

const ENDPOINTS_MAX = 1000
const ADDRESSES_MAX = 100
const PORTS_MAX = 20_000
const TOPOLOGY_HINTS_MAX = 8
const TOPOLOGY_LABELS_MAX = 16
const FQDN_WARNING = 'spec.addressType: FQDN endpoints are deprecated'
/** These write addresses as they should be. */
const CAREFUL_WRITERS = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io']
const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6']

/** The label that says whose endpoints a slice has. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name'

export const endpointSlices = defineResource<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  resource: 'endpointslices',
  scope: 'Namespaced',
  schema: builtinSchema('discovery.v1.EndpointSlice'),
  default: (object) => ({
    ...object,
    ...(object.ports ? { ports: object.ports.map(withPortDefaults) } : {}),
  }),
  prepareForCreate: (object) => startGeneration(withoutTopology(object, undefined)),
  prepareForUpdate: (object, previous) => withoutTopology(withGeneration(object, previous), previous),
  validate: (object) => [...sliceErrors(object), ...validateEndpoints(object)],
  ratchets: true,
  validateUpdate: (object, previous) => [
    ...sliceErrors(object),
    // Older versions took endpoints that are not taken any more: those may stay.
    ...(deepEqual(object.endpoints ?? [], previous.endpoints ?? []) ? [] : validateEndpoints(object)),
    ...immutable('addressType', object.addressType ?? '', previous.addressType),
  ],
  warnings: (object, previous) => [
    ...(previous === undefined && object.addressType === 'FQDN' ? [FQDN_WARNING] : []),
    ...addressWarnings(object),
  ],
  columns: [
    nameColumn,
    textColumn('AddressType', ({ addressType }: EndpointSlice) => addressType ?? ''),
    textColumn('Ports', ({ ports }: EndpointSlice) => listed((ports ?? []).map(portText))),
    textColumn('Endpoints', ({ endpoints }: EndpointSlice) =>
      listed((endpoints ?? []).flatMap((endpoint) => endpoint.addresses)),
    ),
    ageColumn,
  ],
})

const portText = ({ port, name }: EndpointPort): string => (port === undefined ? (name ?? '*') : String(port))
const listed = (items: readonly string[]): string => listWithMore(items) || '<unset>'

function withPortDefaults(port: EndpointPort): EndpointPort {
  return withAbsent(port, { name: '', protocol: 'TCP' })
}

/** The v1beta1 topology is kept where it is, and not taken anew. */
function withoutTopology(object: EndpointSlice, previous: EndpointSlice | undefined): EndpointSlice {
  if (deepEqual(object.endpoints, previous?.endpoints) || !object.endpoints) return object
  return { ...object, endpoints: object.endpoints.map(({ deprecatedTopology: _, ...endpoint }) => endpoint) }
}

function withGeneration(object: EndpointSlice, previous: EndpointSlice): EndpointSlice {
  const same =
    deepEqual({ ...object, metadata: {} }, { ...previous, metadata: {} }) &&
    deepEqual(object.metadata.labels ?? {}, previous.metadata.labels ?? {})
  return same ? object : nextGeneration(object, previous)
}

function addressWarnings({ metadata, endpoints }: EndpointSlice): readonly string[] {
  if (CAREFUL_WRITERS.includes(metadata.labels?.['endpointslice.kubernetes.io/managed-by'] ?? '')) return []
  return (endpoints ?? []).flatMap(({ addresses }, position) =>
    (addresses ?? []).flatMap((address, index) =>
      ipWarnings(new FieldPath('endpoints').index(position).child('addresses').index(index), address),
    ),
  )
}

function addressTypeErrors({ addressType }: EndpointSlice): readonly FieldError[] {
  const path = new FieldPath('addressType')
  if (!addressType) return [required(path)]
  return ADDRESS_TYPES.includes(addressType) ? [] : [notSupported(path, addressType, ADDRESS_TYPES)]
}

function sliceErrors(object: EndpointSlice): readonly FieldError[] {
  return [...addressTypeErrors(object), ...validatePorts(object.ports ?? [])]
}

function validatePorts(ports: readonly EndpointPort[]): readonly FieldError[] {
  const path = new FieldPath('ports')
  if (ports.length > PORTS_MAX) return [tooMany(path, ports.length, PORTS_MAX)]
  const names = new Set<string>()
  return ports.flatMap(({ name = '', protocol, appProtocol }, index) => {
    const place = path.index(index)
    const errors = name === '' ? [] : dnsLabelErrors(place.child('name'), name)
    if (names.has(name)) errors.push(duplicate(place.child('name'), name))
    names.add(name)
    if (protocol === undefined) errors.push(required(place.child('protocol')))
    else if (!PROTOCOLS.includes(protocol)) errors.push(notSupported(place.child('protocol'), protocol, PROTOCOLS))
    if (appProtocol !== undefined) errors.push(...qualifiedNameErrors(place.child('appProtocol'), appProtocol))
    return errors
  })
}

function validateEndpoints({ endpoints, addressType }: EndpointSlice): readonly FieldError[] {
  const path = new FieldPath('endpoints')
  const list = endpoints ?? []
  if (list.length > ENDPOINTS_MAX) return [tooMany(path, list.length, ENDPOINTS_MAX)]
  return list.flatMap((endpoint, index) => validateEndpoint(endpoint, addressType, path.index(index)))
}

function validateEndpoint(endpoint: Endpoint, addressType: string, path: FieldPath): readonly FieldError[] {
  const { nodeName, hostname, hints, deprecatedTopology = {} } = endpoint
  const topologyPath = path.child('deprecatedTopology')
  const topologySize = Object.keys(deprecatedTopology).length
  return [
    // An absent list is stored as null, as upstream does.
    ...addressListErrors(endpoint.addresses ?? [], addressType, path.child('addresses')),
    ...(nodeName === undefined ? [] : dnsSubdomainErrors(path.child('nodeName'), nodeName)),
    ...(topologySize > TOPOLOGY_LABELS_MAX ? [tooMany(topologyPath, topologySize, TOPOLOGY_LABELS_MAX)] : []),
    ...validateLabels(deprecatedTopology, topologyPath),
    ...(hostname === undefined ? [] : dnsLabelErrors(path.child('hostname'), hostname)),
    ...(hints === undefined ? [] : hintErrors(hints, path.child('hints'))),
  ]
}

function addressListErrors(addresses: readonly string[], type: string, path: FieldPath): readonly FieldError[] {
  const errors = addresses.flatMap((address, index) => addressErrors(address, type, path, index))
  if (addresses.length === 0) return [required(path, 'must contain at least 1 address')]
  if (addresses.length <= ADDRESSES_MAX) return errors
  return [tooMany(path, addresses.length, ADDRESSES_MAX), ...errors]
}

/** An address of the wrong family is an error of the list, as upstream's. */
function addressErrors(address: string, type: string, path: FieldPath, index: number): readonly FieldError[] {
  const place = path.index(index)
  if (type === 'FQDN')
    return address === '' ? [required(place)] : findingErrors(place, address, fullyQualifiedFindings(address))
  if (type !== 'IPv4' && type !== 'IPv6') return []
  const [isOfFamily, rules] = type === 'IPv4' ? [isIPv4, ipErrors] : [isIPv6, canonicalIpErrors]
  const errors = rules(place, address)
  if (errors.length > 0) return errors
  const special = specialIpErrors(place, address)
  return isOfFamily(address) ? special : [invalidValue(path, address, `must be an ${type} address`), ...special]
}

function fullyQualifiedFindings(name: string): readonly string[] {
  const findings = isDns1123Subdomain(name.endsWith('.') ? name.slice(0, -1) : name)
  if (findings.length > 0) return findings
  return name.split('.').length < 2 ? ['should be a domain with at least two segments separated by dots'] : []
}

function hintErrors({ forZones = [], forNodes = [] }: EndpointHints, path: FieldPath): readonly FieldError[] {
  const zones = hintListErrors(forZones, path.child('forZones'), isValidLabelValue)
  if (forZones.length > TOPOLOGY_HINTS_MAX) return zones
  return [...zones, ...hintListErrors(forNodes, path.child('forNodes'), isDns1123Subdomain)]
}

function hintListErrors(
  hints: readonly { readonly name: string }[],
  path: FieldPath,
  rule: (name: string) => Findings,
): readonly FieldError[] {
  if (hints.length > TOPOLOGY_HINTS_MAX) return [tooMany(path, hints.length, TOPOLOGY_HINTS_MAX)]
  const names = new Set<string>()
  return hints.flatMap(({ name = '' }, index) => {
    const place = path.index(index).child('name')
    const repeated = names.has(name)
    names.add(name)
    return [...(repeated ? [duplicate(place, name)] : []), ...findingErrors(place, name, rule(name))]
  })
}
