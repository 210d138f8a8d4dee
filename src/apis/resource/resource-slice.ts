/** ResourceSlices: devices that a driver offers, a part of a pool at a time. */

import { type FieldError, FieldPath, invalidValue, required } from '../../machinery/meta/field-error.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn, textColumn } from '../columns.ts'
import { validateNodeSelector } from '../core/pod/validate-affinity.ts'
import { defineResource } from '../define-resource.ts'
import type { WriteContext } from '../definition.ts'
import { mapField, mapItems, withAbsent } from '../field-defaults.ts'
import { bumpGeneration, immutable, startGeneration } from '../strategy-parts.ts'
import { boundedSet } from './bounded-lists.ts'
import { counterSetErrors, deviceErrors, nodeChoices, nodeNameErrors, onlyTrueErrors } from './device-rules.ts'
import { driverNameErrors, poolNameErrors } from './names.ts'
import type { Device, DeviceAttribute, ResourcePool, ResourceSlice, ResourceSliceSpec } from './types.gen.ts'

const DEVICES_MAX = 128
/** Devices with taints or shared counters are larger. */
const ADVANCED_DEVICES_MAX = 64
const COUNTER_SETS_MAX = 8
const NO_POOL: ResourcePool = { name: '', generation: 0, resourceSliceCount: 0 }
const specPath = new FieldPath('spec')

export const resourceSlices = defineResource<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  resource: 'resourceslices',
  scope: 'Cluster',
  schema: builtinSchema('resource.v1.ResourceSlice'),
  default: (object) => ({ ...object, spec: object.spec ?? { driver: '', pool: NO_POOL } }),
  prepareForCreate: (object, context) => prepare(startGeneration(object), context),
  prepareForUpdate: (object, previous, context) => bumpGeneration(prepare(object, context), previous),
  validate: ({ spec }) => sliceErrors(specPath, spec, spec),
  validateUpdate: ({ spec }, { spec: previous }) => sliceErrors(specPath, spec, previous),
  // Upstream says what may not change in the middle of what is wrong.
  ratchets: true,
  warnings: driverWarnings,
  deletion: { returns: 'object' },
  columns: [
    nameColumn,
    textColumn('Node', ({ spec }: ResourceSlice) => spec.nodeName ?? ''),
    textColumn('Driver', ({ spec }: ResourceSlice) => spec.driver ?? ''),
    textColumn('Pool', ({ spec }: ResourceSlice) => spec.pool?.name ?? ''),
    ageColumn,
  ],
  fields: ({ spec }) => ({ 'spec.driver': spec.driver ?? '', 'spec.nodeName': spec.nodeName ?? '' }),
  fieldLabels: ['metadata.name', 'spec.driver', 'spec.nodeName'],
})

function prepare(object: ResourceSlice, { nowMs }: WriteContext): ResourceSlice {
  const timeAdded = formatTime(nowMs)
  const prepared = (device: Device): Device => {
    const tainted = mapField(device, 'taints', (taints) =>
      mapItems(taints, (taint) => withAbsent(taint, { timeAdded })),
    )
    return withoutGatedFields(tainted)
  }
  return mapField(object, 'spec', (spec) => mapField(spec, 'devices', (devices) => mapItems(devices, prepared)))
}

/** What v1.36 drops unless its feature is switched on: lists in attributes, and mappings to resources of the node. */
function withoutGatedFields(device: Device): Device {
  const { nodeAllocatableResourceMappings: _mappings, ...rest } = device
  const ungated = device.nodeAllocatableResourceMappings === undefined ? device : rest
  const entries = Object.entries(device.attributes ?? {})
  if (!entries.some(([, attribute]) => hasList(attribute))) return ungated
  return {
    ...ungated,
    attributes: Object.fromEntries(entries.map(([name, attribute]) => [name, withoutLists(attribute)])),
  }
}

function hasList({ bools, ints, strings, versions }: DeviceAttribute): boolean {
  return [bools, ints, strings, versions].some((list) => list !== undefined)
}

function withoutLists(attribute: DeviceAttribute): DeviceAttribute {
  const { bools: _bools, ints: _ints, strings: _strings, versions: _versions, ...rest } = attribute
  return rest
}

function driverWarnings({ spec: { driver = '' } }: ResourceSlice): readonly string[] {
  if (driver === driver.toLowerCase()) return []
  return [`spec.driver: driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`]
}

function sliceErrors(path: FieldPath, spec: ResourceSliceSpec, previous: ResourceSliceSpec): readonly FieldError[] {
  const { devices, sharedCounters, perDeviceNodeSelection: perDevice = false } = spec
  const isAdvanced = (devices ?? []).some(
    ({ taints = [], consumesCounters = [] }) => taints.length > 0 || consumesCounters.length > 0,
  )
  return [
    ...driverNameErrors(path.child('driver'), spec.driver),
    ...poolErrors(path.child('pool'), spec.pool ?? NO_POOL),
    ...immutable(path.child('pool', 'name'), spec.pool?.name, previous.pool?.name),
    ...immutable(path.child('driver'), spec.driver, previous.driver),
    ...immutable(path.child('nodeName'), spec.nodeName, previous.nodeName),
    ...sliceNodeErrors(path, spec),
    ...(sharedCounters !== undefined && devices !== undefined
      ? [invalidValue(path, '', 'only one of `sharedCounters` or `devices` is allowed')]
      : []),
    ...boundedSet(
      path.child('devices'),
      devices,
      isAdvanced ? ADVANCED_DEVICES_MAX : DEVICES_MAX,
      (place, device) => deviceErrors(place, device, perDevice),
      ({ name = '' }) => name,
    ),
    ...boundedSet(
      path.child('sharedCounters'),
      sharedCounters,
      COUNTER_SETS_MAX,
      counterSetErrors,
      ({ name = '' }) => name,
    ),
  ]
}

function poolErrors(path: FieldPath, pool: ResourcePool): readonly FieldError[] {
  const { name, resourceSliceCount: count = 0, generation = 0 } = pool
  return [
    ...poolNameErrors(path.child('name'), name),
    ...(count > 0 ? [] : [invalidValue(path.child('resourceSliceCount'), count, 'must be greater than zero')]),
    ...(generation < 0
      ? [invalidValue(path.child('generation'), generation, 'must be greater than or equal to zero')]
      : []),
  ]
}

/** For which nodes the devices are there, said in exactly one way. */
function sliceNodeErrors(path: FieldPath, spec: ResourceSliceSpec): readonly FieldError[] {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec
  const set = nodeChoices({ nodeName, nodeSelector, allNodes, perDeviceNodeSelection })
  const oneOf = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
  const selectorPath = path.child('nodeSelector')
  const terms = nodeSelector?.nodeSelectorTerms ?? []
  const oneTerm = 'must have exactly one node selector term'
  return [
    ...nodeNameErrors(path.child('nodeName'), nodeName, 'must be either unset or set to a non-empty string'),
    ...(nodeSelector === undefined ? [] : validateNodeSelector(terms, selectorPath)),
    ...(nodeSelector === undefined || terms.length === 1
      ? []
      : [invalidValue(selectorPath.child('nodeSelectorTerms'), terms, oneTerm)]),
    ...onlyTrueErrors(path.child('allNodes'), allNodes),
    ...onlyTrueErrors(path.child('perDeviceNodeSelection'), perDeviceNodeSelection),
    ...(set.length === 0 ? [required(path, oneOf)] : []),
    ...(set.length > 1 ? [invalidValue(path, `{${set.join(', ')}}`, `${oneOf}, but multiple fields are set`)] : []),
  ]
}
