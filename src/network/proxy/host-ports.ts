/** Pure: the ports of a node that its pods have asked for. */

import { isIPv4 } from 'node:net'
import type { Pod } from '../../apis/core/types.gen.ts'
import { type Backend, type Protocol, protocolOf } from './service-table.ts'

export interface HostPort {
  readonly protocol: Protocol
  /** Undefined: on every address of the node. */
  readonly address: string | undefined
  readonly port: number
  readonly backend: Backend
}

/** Pods on the node's own network listen there themselves. */
export function hostPortsOf({ spec, status }: Pod): readonly HostPort[] {
  const address = status?.podIP
  const isOver = status?.phase === 'Failed' || status?.phase === 'Succeeded'
  if (!spec || spec.hostNetwork || isOver || address === undefined || !isIPv4(address)) return []
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  const ports = [...spec.containers, ...sidecars].flatMap((container) => container.ports ?? [])
  return ports.flatMap(({ hostPort, hostIP = '', protocol, containerPort }) => {
    if (!hostPort) return []
    const wildcard = hostIP === '' || hostIP === '0.0.0.0'
    if (!wildcard && !isIPv4(hostIP)) return []
    const backend = { address, port: containerPort }
    return [{ protocol: protocolOf(protocol), address: wildcard ? undefined : hostIP, port: hostPort, backend }]
  })
}

export function hasHostPorts({ spec }: Pod): boolean {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]
  return containers.some(({ ports }) => ports?.some(({ hostPort }) => Boolean(hostPort)))
}
