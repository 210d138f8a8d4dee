/** Endpoints: the older form of a service's backends, at most as good as EndpointSlices and kept in step with them. */

import { parseIp } from '../../base/ip.ts'
import { type FieldError, FieldPath, invalidValue, required } from '../../machinery/meta/field-error.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, NONE, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import {
  dnsLabelErrors,
  dnsSubdomainErrors,
  ipErrors,
  portNumberErrors,
  protocolErrors,
  qualifiedNameErrors,
  specialIpErrors,
} from '../field-rules.ts'
import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints } from './types.gen.ts'

export const endpoints = defineResource<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  listKind: 'EndpointsList',
  resource: 'endpoints',
  shortNames: ['ep'],
  scope: 'Namespaced',
  schema: builtinSchema('core.v1.Endpoints'),
  default: withProtocols,
  validate: ({ subsets = [] }) => subsets.flatMap(validateSubset),
  deprecationWarning: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  createOnUpdate: true,
  columns: [nameColumn, textColumn('Endpoints', endpointsText), ageColumn],
})

function withProtocols(object: Endpoints): Endpoints {
  if (object.subsets === undefined) return object
  const withProtocol = (port: EndpointPort): EndpointPort => ({ ...port, protocol: port.protocol || 'TCP' })
  const subsets = object.subsets.map((subset) =>
    subset.ports === undefined ? subset : { ...subset, ports: subset.ports.map(withProtocol) },
  )
  return { ...object, subsets }
}

function validateSubset(subset: EndpointSubset, position: number): FieldError[] {
  const path = new FieldPath('subsets').index(position)
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset
  const missing = addresses.length + notReadyAddresses.length === 0
  return [
    ...(missing ? [required(path, 'must specify `addresses` or `notReadyAddresses`')] : []),
    ...addresses.flatMap((address, index) => validateAddress(address, path.child('addresses').index(index))),
    ...notReadyAddresses.flatMap((address, index) =>
      validateAddress(address, path.child('notReadyAddresses').index(index)),
    ),
    ...ports.flatMap((port, index) => validatePort(port, ports.length > 1, path.child('ports').index(index))),
  ]
}

function validateAddress({ ip = '', hostname, nodeName }: EndpointAddress, path: FieldPath): FieldError[] {
  const errors = ipErrors(path.child('ip'), ip)
  if (hostname) errors.push(...dnsLabelErrors(path.child('hostname'), hostname))
  if (nodeName !== undefined) errors.push(...dnsSubdomainErrors(path.child('nodeName'), nodeName))
  return parseIp(ip)
    ? [...errors, ...specialIpErrors(path.child('ip'), ip)]
    : [...errors, invalidValue(path.child('ip'), ip, 'must be a valid IP address')]
}

function validatePort(port: EndpointPort, nameRequired: boolean, path: FieldPath): FieldError[] {
  const errors: FieldError[] = []
  if (nameRequired && !port.name) errors.push(required(path.child('name')))
  else if (port.name) errors.push(...dnsLabelErrors(path.child('name'), port.name))
  errors.push(...portNumberErrors(path.child('port'), port.port ?? 0))
  errors.push(...protocolErrors(path.child('protocol'), port.protocol))
  if (port.appProtocol !== undefined) errors.push(...qualifiedNameErrors(path.child('appProtocol'), port.appProtocol))
  return errors
}

/** The first three `ip:port`, then how many more there are. */
function endpointsText({ subsets = [] }: Endpoints): string {
  if (subsets.length === 0) return NONE
  const all = subsets.flatMap(({ addresses = [], ports = [] }) => {
    if (ports.length === 0) return addresses.map(({ ip }) => ip)
    return ports.flatMap(({ port }) =>
      addresses.map(({ ip }) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)),
    )
  })
  const text = all.slice(0, 3).join(',')
  return all.length > 3 ? `${text} + ${all.length - 3} more...` : text
}
