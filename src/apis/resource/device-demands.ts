/** How many devices a request is for when it does not say. */

import { mapField, mapItems, withAbsent, withZero } from '../field-defaults.ts'
import type { DeviceRequest, DeviceToleration, ExactDeviceRequest, ResourceClaimSpec } from './types.gen.ts'

export function defaultClaimSpec(spec: ResourceClaimSpec): ResourceClaimSpec {
  return mapField(spec, 'devices', (devices) =>
    mapField(devices, 'requests', (requests) => mapItems(requests, defaultRequest)),
  )
}

function defaultRequest(request: DeviceRequest): DeviceRequest {
  const exact = mapField(request, 'exactly', defaultDemand)
  return mapField(exact, 'firstAvailable', (alternatives) => mapItems(alternatives, defaultDemand))
}

function defaultDemand<T extends ExactDeviceRequest>(demand: T): T {
  const tolerating = mapField<ExactDeviceRequest, 'tolerations'>(demand, 'tolerations', defaultTolerations)
  const moded = withAbsent(tolerating, { allocationMode: 'ExactCount' })
  // The moves above change fields that every demand has, and keep the others.
  return (moded.allocationMode === 'ExactCount' ? withZero(moded, { count: 1 }) : moded) as T
}

export function defaultTolerations(tolerations: readonly DeviceToleration[]): readonly DeviceToleration[] {
  return mapItems(tolerations, (toleration) => withAbsent(toleration, { operator: 'Equal' }))
}
