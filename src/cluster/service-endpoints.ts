/** From a service and its slices to the addresses behind one of its ports: pure. */

import type { Service } from '../apis/core/types.gen.ts'
import { SERVICE_NAME_LABEL } from '../apis/discovery/endpoint-slice.ts'
import type { EndpointSlice } from '../apis/discovery/types.gen.ts'
import type { ServiceEndpoint } from '../server/streaming-proxy.ts'

/** `port` is a name or a number, or empty for the only port. Undefined: the service has no such port. */
export function serviceEndpointsOf(
  service: Service,
  slices: readonly EndpointSlice[],
  port: string,
): readonly ServiceEndpoint[] | undefined {
  const ports = service.spec?.ports ?? []
  const wanted =
    port === '' && ports.length === 1
      ? ports[0]
      : ports.find((candidate) => candidate.name === port || String(candidate.port) === port)
  if (!wanted) return undefined
  const own = slices.filter(({ metadata }) => metadata.labels?.[SERVICE_NAME_LABEL] === service.metadata.name)
  return own.flatMap((slice) => {
    const number = slice.ports?.find(({ name }) => (name ?? '') === (wanted.name ?? ''))?.port
    if (number === undefined) return []
    const ready = (slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false)
    return ready.flatMap(({ addresses }) => addresses.slice(0, 1).map((address) => ({ address, port: number })))
  })
}
