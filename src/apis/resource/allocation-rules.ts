/** What is wrong with the status of a claim: what was allocated, for whom, and what drivers say of it. */

import { isIPv4 } from 'node:net'
import { deepEqual } from '../../base/deep-equal.ts'
import { formatIp, parseCidr, parseIp } from '../../base/ip.ts'
import {
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../../machinery/meta/field-error.ts'
import { byteLength } from '../../machinery/meta/names.ts'
import { conditionsErrors } from '../condition-rules.ts'
import { validateNodeSelector } from '../core/pod/validate-affinity.ts'
import { dnsLabelErrors } from '../field-rules.ts'
import { immutable } from '../strategy-parts.ts'
import { bindingErrors } from './binding-rules.ts'
import { boundedList, boundedSet, repeatedErrors } from './bounded-lists.ts'
import {
  CONFIGURATIONS_MAX,
  type RequestNames,
  requestReferenceErrors,
  requestReferencesErrors,
} from './claim-rules.ts'
import { configurationErrors, rawObjectErrors } from './configuration-rules.ts'
import { driverNameErrors, poolNameErrors, uidErrors } from './names.ts'
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  NetworkDeviceData,
  ResourceClaimConsumerReference,
  ResourceClaimStatus,
} from './types.gen.ts'

const CONSUMERS_MAX = 256
const RESULTS_MAX = 32
const CONDITIONS_MAX = 8
const INTERFACE_NAME_BYTES_MAX = 256
const HARDWARE_ADDRESS_BYTES_MAX = 128
const IPS_MAX = 16
const CONFIGURATION_SOURCES = ['FromClaim', 'FromClass']

/** `deleted`: the claim waits for its deletion, so nobody new may use it. */
export function claimStatusErrors(
  path: FieldPath,
  status: ResourceClaimStatus,
  previous: ResourceClaimStatus,
  names: RequestNames,
  deleted: boolean,
): readonly FieldError[] {
  const { reservedFor = [], devices = [], allocation } = status
  const reservedPath = path.child('reservedFor')
  const devicesPath = path.child('devices')
  const allocated = new Set((allocation?.devices?.results ?? []).map(deviceKey))
  const allocationPath = path.child('allocation')
  return [
    ...boundedSet(reservedPath, reservedFor, CONSUMERS_MAX, consumerErrors, ({ uid = '' }) => uid),
    ...devices.flatMap((device, index) => deviceStatusErrors(devicesPath.index(index), device, allocated)),
    ...repeatedErrors(devicesPath, devices, deviceKey, unreadableKey),
    ...reservationErrors(reservedPath, status, previous, deleted),
    ...(allocation === undefined
      ? []
      : previous.allocation === undefined
        ? allocationErrors(allocationPath, allocation, names)
        : immutable(allocationPath, allocation, previous.allocation)),
  ]
}

interface DeviceReference {
  readonly driver: string
  readonly pool: string
  readonly device: string
  readonly shareID?: string | undefined
}

export function deviceKey({ driver, pool, device, shareID = '' }: DeviceReference): string {
  return JSON.stringify([driver, pool, device, shareID])
}

/** Upstream's messages show the four parts of a key as empty objects. */
function unreadableKey(): object {
  return { Driver: {}, Pool: {}, Device: {}, ShareID: {} }
}

function reservationErrors(
  path: FieldPath,
  { reservedFor = [], allocation }: ResourceClaimStatus,
  previous: ResourceClaimStatus,
  deleted: boolean,
): readonly FieldError[] {
  if (reservedFor.length === 0) return []
  if (allocation === undefined) return [forbidden(path, 'may not be specified when `allocated` is not set')]
  const before = previous.reservedFor ?? []
  if (!deleted || reservedFor.every((consumer) => before.some((other) => deepEqual(other, consumer)))) return []
  const detail = 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'
  return [forbidden(path, detail)]
}

function consumerErrors(path: FieldPath, consumer: ResourceClaimConsumerReference): readonly FieldError[] {
  return (['resource', 'name', 'uid'] as const).flatMap((field) =>
    consumer[field] ? [] : [required(path.child(field))],
  )
}

function allocationErrors(path: FieldPath, allocation: AllocationResult, names: RequestNames): readonly FieldError[] {
  const { devices = {}, nodeSelector } = allocation
  const devicesPath = path.child('devices')
  return [
    ...boundedList(devicesPath.child('results'), devices.results, RESULTS_MAX, (place, result) =>
      resultErrors(place, result, names),
    ),
    // Those of the class and those of the claim.
    ...boundedList(devicesPath.child('config'), devices.config, 2 * CONFIGURATIONS_MAX, (place, config) =>
      allocatedConfigurationErrors(place, config, names),
    ),
    ...(nodeSelector === undefined
      ? []
      : validateNodeSelector(nodeSelector.nodeSelectorTerms, path.child('nodeSelector'))),
  ]
}

function resultErrors(
  path: FieldPath,
  result: DeviceRequestAllocationResult,
  names: RequestNames,
): readonly FieldError[] {
  const { request = '', driver, pool, device = '', shareID } = result
  return [
    ...requestReferenceErrors(path.child('request'), request, names),
    ...driverNameErrors(path.child('driver'), driver),
    ...poolNameErrors(path.child('pool'), pool),
    ...dnsLabelErrors(path.child('device'), device),
    ...bindingErrors(path, result),
    ...(shareID === undefined ? [] : uidErrors(path.child('shareID'), shareID)),
  ]
}

function allocatedConfigurationErrors(
  path: FieldPath,
  config: DeviceAllocationConfiguration,
  names: RequestNames,
): readonly FieldError[] {
  const sourcePath = path.child('source')
  return [
    ...(!config.source
      ? [required(sourcePath)]
      : CONFIGURATION_SOURCES.includes(config.source)
        ? []
        : [notSupported(sourcePath, config.source, CONFIGURATION_SOURCES)]),
    ...requestReferencesErrors(path.child('requests'), config.requests, names),
    ...configurationErrors(path, config),
  ]
}

function deviceStatusErrors(
  path: FieldPath,
  status: AllocatedDeviceStatus,
  allocated: ReadonlySet<string>,
): readonly FieldError[] {
  const { driver, pool, device = '', shareID, conditions, data } = status
  const conditionsPath = path.child('conditions')
  const count = (conditions ?? []).length
  return [
    ...driverNameErrors(path.child('driver'), driver),
    ...poolNameErrors(path.child('pool'), pool),
    ...dnsLabelErrors(path.child('device'), device),
    ...(shareID === undefined ? [] : uidErrors(path.child('shareID'), shareID)),
    ...(allocated.has(deviceKey(status))
      ? []
      : [invalidValue(path, unreadableKey(), 'must be an allocated device in the claim')]),
    ...(count > CONDITIONS_MAX ? [tooMany(conditionsPath, count, CONDITIONS_MAX)] : []),
    ...conditionsErrors(conditionsPath, conditions ?? []),
    ...(data === undefined ? [] : rawObjectErrors(path.child('data'), data)),
    ...(status.networkData === undefined ? [] : networkErrors(path.child('networkData'), status.networkData)),
  ]
}

function networkErrors(path: FieldPath, data: NetworkDeviceData): readonly FieldError[] {
  const { interfaceName = '', hardwareAddress = '', ips } = data
  return [
    ...(byteLength(interfaceName) > INTERFACE_NAME_BYTES_MAX
      ? [tooLong(path.child('interfaceName'), INTERFACE_NAME_BYTES_MAX)]
      : []),
    ...(byteLength(hardwareAddress) > HARDWARE_ADDRESS_BYTES_MAX
      ? [tooLong(path.child('hardwareAddress'), HARDWARE_ADDRESS_BYTES_MAX)]
      : []),
    ...boundedSet(path.child('ips'), ips, IPS_MAX, interfaceAddressErrors, (ip) => ip),
  ]
}

/** An address with the length of its network's prefix, in canonical form. */
function interfaceAddressErrors(path: FieldPath, text: string): readonly FieldError[] {
  const cidr = parseCidr(text)
  const ip = text.slice(0, text.indexOf('/'))
  const address = parseIp(ip)
  if (cidr === undefined || address === undefined) {
    const detail = 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'
    return [invalidValue(path, text, detail)]
  }
  const canonical = `${isIPv4(ip) ? ip : formatIp(address.family, address.value)}/${cidr.prefixLength}`
  return text === canonical ? [] : [invalidValue(path, text, `must be in canonical form ("${canonical}")`)]
}
