/** Rules for a service's ports: each alone, then the pairs of protocol and number that may not repeat. */

import { duplicate, type FieldError, type FieldPath, forbidden, required } from '../../../machinery/meta/field-error.ts'
import {
  dnsLabelErrors,
  portNumberErrors,
  portOrNameErrors,
  protocolErrors,
  qualifiedNameErrors,
} from '../../field-rules.ts'
import type { Service, ServicePort } from '../types.gen.ts'

export function validatePorts({ spec }: Service, path: FieldPath): readonly FieldError[] {
  const { ports = [], type } = spec
  return [
    ...ports.flatMap((port, index) => validatePort(port, ports.length > 1, path.index(index))),
    ...duplicates(
      ports,
      ({ name }) => name || undefined,
      (port, index) => duplicate(path.index(index).child('name'), port.name),
    ),
    ...(type === 'ClusterIP' ? nodePortsForbidden(ports, path) : []),
    ...duplicates(
      ports,
      ({ protocol, nodePort }) => (nodePort ? `${protocol} ${nodePort}` : undefined),
      ({ nodePort }, index) => duplicate(path.index(index).child('nodePort'), nodePort),
    ),
    ...duplicates(
      ports,
      ({ protocol, port }) => `${protocol} ${port}`,
      ({ protocol, port }, index) => duplicate(path.index(index), { protocol, port }),
    ),
  ]
}

function validatePort(port: ServicePort, nameRequired: boolean, path: FieldPath): readonly FieldError[] {
  const { name, protocol, targetPort, appProtocol } = port
  const errors: FieldError[] = []
  if (name) errors.push(...dnsLabelErrors(path.child('name'), name))
  else if (nameRequired) errors.push(required(path.child('name')))
  errors.push(...portNumberErrors(path.child('port'), port.port ?? 0))
  errors.push(...protocolErrors(path.child('protocol'), protocol))
  errors.push(...portOrNameErrors(path.child('targetPort'), targetPort ?? 0))
  if (appProtocol !== undefined) errors.push(...qualifiedNameErrors(path.child('appProtocol'), appProtocol))
  return errors
}

function nodePortsForbidden(ports: readonly ServicePort[], path: FieldPath): readonly FieldError[] {
  return ports.flatMap(({ nodePort }, index) =>
    nodePort ? [forbidden(path.index(index).child('nodePort'), "may not be used when `type` is 'ClusterIP'")] : [],
  )
}

/** An error for each port whose key an earlier one has; ports without a key never repeat. */
function duplicates(
  ports: readonly ServicePort[],
  keyOf: (port: ServicePort) => string | undefined,
  errorOf: (port: ServicePort, index: number) => FieldError,
): readonly FieldError[] {
  const seen = new Set<string>()
  return ports.flatMap((port, index) => {
    const key = keyOf(port)
    const repeated = key !== undefined && seen.has(key)
    if (key !== undefined) seen.add(key)
    return repeated ? [errorOf(port, index)] : []
  })
}
