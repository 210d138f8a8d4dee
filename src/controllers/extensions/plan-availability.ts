/** Whether a registered version can be reached, as far as that can be told without calling its server: pure. */

import { AVAILABLE } from '../../apis/apiregistration/api-service.ts'
import type { APIService, APIServiceCondition } from '../../apis/apiregistration/types.gen.ts'
import type { Service } from '../../apis/core/types.gen.ts'
import type { EndpointSlice } from '../../apis/discovery/types.gen.ts'
import { setCondition } from '../../machinery/meta/conditions.ts'
import { formatTime } from '../../machinery/meta/time.ts'

export interface AvailabilityView {
  readonly apiService: APIService
  /** Where the server is. Undefined: there is no such Service. */
  readonly service: Service | undefined
  readonly slices: readonly EndpointSlice[]
}

export interface Finding {
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

const LOCAL: Finding = { status: 'True', reason: 'Local', message: 'Local APIServices are always available' }
export const PASSED: Finding = { status: 'True', reason: 'Passed', message: 'all checks passed' }
const DEFAULT_PORT = 443

/** Undefined: nothing speaks against it, its server has to be asked. */
export function findAvailability({ apiService, service, slices }: AvailabilityView): Finding | undefined {
  const place = apiService.spec.service
  if (place === undefined) return LOCAL
  const { namespace = '', name = '', port = DEFAULT_PORT } = place
  const subject = `service/${name} in ${JSON.stringify(namespace)}`
  if (service === undefined) return unavailable('ServiceNotFound', `${subject} is not present`)
  // Only behind an address of the cluster is the Service's port what is called.
  if (service.spec?.type !== 'ClusterIP') return undefined
  const listening = service.spec.ports?.find((candidate) => candidate.port === port)
  if (listening === undefined) return unavailable('ServicePortError', `${subject} is not listening on port ${port}`)

  if (slices.length === 0) return unavailable('EndpointsNotFound', `cannot find endpointslices for ${subject}`)
  const { name: portName = '' } = listening
  if (slices.some((slice) => hasEndpoint(slice, portName))) return undefined
  const missing = `have no addresses with port name ${JSON.stringify(portName)}`
  return unavailable('MissingEndpoints', `endpointslices for ${subject} ${missing}`)
}

function hasEndpoint({ endpoints, ports }: EndpointSlice, portName: string): boolean {
  const ready = (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false)
  return ready && (ports ?? []).some(({ name = '', port }) => name === portName && port !== undefined)
}

export function unavailable(reason: string, message: string): Finding {
  return { status: 'False', reason, message }
}

/** Undefined: it says so already. */
export function withAvailability(apiService: APIService, finding: Finding, nowMs: number): APIService | undefined {
  const conditions = apiService.status?.conditions ?? []
  const condition: APIServiceCondition = { type: AVAILABLE, ...finding }
  const next = setCondition(conditions, condition, formatTime(nowMs))
  return next === conditions ? undefined : { ...apiService, status: { ...apiService.status, conditions: [...next] } }
}
