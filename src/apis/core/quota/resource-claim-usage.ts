/** What claims of devices use of quotas: themselves, and as many devices of each class as they may get. */

import type { KubeObject } from '../../../machinery/meta/object.ts'
import { addQuantities, compareQuantities, type Quantity, quantityFromValue } from '../../../machinery/meta/quantity.ts'
import type { DeviceRequest, DeviceSubRequest, ExactDeviceRequest, ResourceClaim } from '../../resource/types.gen.ts'
import { type Amounts, ONE } from './amounts.ts'
import { countName, type QuotaEvaluator } from './evaluator.ts'

const GROUP = 'resource.k8s.io'
const COUNT = countName(GROUP, 'resourceclaims')
/** `gpu.deviceclass.resource.k8s.io/devices`: devices of the class `gpu`. */
const DEVICES_SUFFIX = '.deviceclass.resource.k8s.io/devices'
/** Devices that a claim can get at most: what "all" counts as. */
const DEVICES_MAX = 32

export const resourceClaimEvaluator: QuotaEvaluator = {
  group: GROUP,
  resource: 'resourceclaims',
  handles: ({ operation, subresource }) => subresource === '' && (operation === 'CREATE' || operation === 'UPDATE'),
  matchingNames: (names) => [...names].filter((name) => name === COUNT || name.endsWith(DEVICES_SUFFIX)),
  matchesScope: () => false,
  // Whoever asks this evaluator asks about objects of the resource that it names.
  usage: (object: KubeObject) => resourceClaimUsage(object as ResourceClaim),
  replenishes: () => false,
}

function resourceClaimUsage({ spec }: ResourceClaim): Amounts {
  const usage = new Map([[COUNT, ONE]])
  for (const request of spec.devices?.requests ?? []) {
    for (const [name, quantity] of requestUsage(request)) {
      const before = usage.get(name)
      usage.set(name, before ? addQuantities(before, quantity) : quantity)
    }
  }
  return usage
}

/** Of alternatives the dearest of each class counts: it is not known yet which one it will be. */
function requestUsage({ exactly, firstAvailable = [] }: DeviceRequest): Amounts {
  const usage = new Map<string, Quantity>()
  for (const choice of firstAvailable.length > 0 ? firstAvailable : exactly ? [exactly] : []) {
    const name = `${choice.deviceClassName}${DEVICES_SUFFIX}`
    const quantity = quantityFromValue(devicesOf(choice), 'DecimalSI')
    const before = usage.get(name)
    if (!before || compareQuantities(quantity, before) > 0) usage.set(name, quantity)
  }
  return usage
}

function devicesOf({ allocationMode, count = 0 }: ExactDeviceRequest | DeviceSubRequest): number {
  return allocationMode === 'All' ? DEVICES_MAX : count
}
