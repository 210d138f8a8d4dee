/** EndpointSlices: a service's backends of one address family, at most 1,000 in a slice. */

import { isIPv4, isIPv6 } from 'node:net'
import { deepEqual } from '../../base/deep-equal.ts'
import {
  duplicate,
  type FieldError,
  FieldPath,
  notSupported,
  required,
  tooMany,
} from '../../machinery/meta/field-error.ts'
import { isDns1123Subdomain } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, listWithMore, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import {
  dnsLabelErrors,
  dnsSubdomainErrors,
  findingErrors,
  ipv4Errors,
  ipv6Errors,
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
  prepareForUpdate: (object, previous) => withGeneration(withoutTopology(object, previous), previous),
  validate: (object) => [
    ...addressTypeErrors(object),
    ...validatePorts(object.ports ?? []),
    ...validateEndpoints(object),
  ],
  validateUpdate: (object, previous) => immutable('addressType', object.addressType, previous.addressType),
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
  return { ...port, name: port.name ?? '', protocol: port.protocol || 'TCP' }
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

function addressTypeErrors({ addressType }: EndpointSlice): readonly FieldError[] {
  const path = new FieldPath('addressType')
  if (!addressType) return [required(path)]
  return ADDRESS_TYPES.includes(addressType) ? [] : [notSupported(path, addressType, ADDRESS_TYPES)]
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
    if (!protocol) errors.push(required(place.child('protocol')))
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
  const { nodeName, hostname, hints } = endpoint
  // An absent list is stored as null, as upstream does.
  const addresses = endpoint.addresses ?? []
  const addressesPath = path.child('addresses')
  const errors = addresses.flatMap((address, index) => addressErrors(address, addressType, addressesPath.index(index)))
  if (addresses.length === 0) errors.push(required(addressesPath, 'must contain at least 1 address'))
  else if (addresses.length > ADDRESSES_MAX) errors.push(tooMany(addressesPath, addresses.length, ADDRESSES_MAX))
  if (nodeName !== undefined) errors.push(...dnsSubdomainErrors(path.child('nodeName'), nodeName))
  if (hostname !== undefined) errors.push(...dnsLabelErrors(path.child('hostname'), hostname))
  if (hints !== undefined) errors.push(...hintErrors(hints, path.child('hints')))
  return errors
}

function addressErrors(address: string, addressType: string, path: FieldPath): FieldError[] {
  if (addressType === 'IPv4')
    return [...ipv4Errors(path, address), ...(isIPv4(address) ? specialIpErrors(path, address) : [])]
  if (addressType === 'IPv6')
    return [...ipv6Errors(path, address), ...(isIPv6(address) ? specialIpErrors(path, address) : [])]
  return addressType === 'FQDN' ? findingErrors(path, address, fullyQualifiedFindings(address)) : []
}

function fullyQualifiedFindings(name: string): readonly string[] {
  const findings = isDns1123Subdomain(name.endsWith('.') ? name.slice(0, -1) : name)
  if (findings.length > 0) return findings
  return name.split('.').length < 2 ? ['should be a domain with at least two segments separated by dots'] : []
}

function hintErrors({ forZones = [], forNodes = [] }: EndpointHints, path: FieldPath): readonly FieldError[] {
  return [...hintListErrors(forZones, path.child('forZones')), ...hintListErrors(forNodes, path.child('forNodes'))]
}

function hintListErrors(hints: readonly { readonly name: string }[], path: FieldPath): readonly FieldError[] {
  if (hints.length > TOPOLOGY_HINTS_MAX) return [tooMany(path, hints.length, TOPOLOGY_HINTS_MAX)]
  const names = new Set<string>()
  return hints.flatMap(({ name }, index) => {
    const place = path.index(index).child('name')
    const repeated = names.has(name)
    names.add(name)
    return [...(repeated ? [duplicate(place, name)] : []), ...dnsSubdomainErrors(place, name)]
  })
}
