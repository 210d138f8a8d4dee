/** What is wrong with a device that a driver offers. */

import {
  type FieldError,
  type FieldPath,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../../machinery/meta/field-error.ts'
import { byteLength, isDns1123Subdomain, isValidLabelValue } from '../../machinery/meta/names.ts'
import { validateNodeSelector } from '../core/pod/validate-affinity.ts'
import { dnsLabelErrors, findingErrors, qualifiedNameErrors } from '../field-rules.ts'
import { bindingErrors } from './binding-rules.ts'
import { boundedList, boundedSet } from './bounded-lists.ts'
import { TAINT_EFFECTS } from './claim-rules.ts'
import { ATTRIBUTE_VALUE_BYTES_MAX, ATTRIBUTES_AND_CAPACITIES_MAX } from './device-limits.ts'
import { attributeNameErrors, shownKey } from './names.ts'
import { capacityErrors } from './request-policy.ts'
import type { Counter, CounterSet, Device, DeviceAttribute, DeviceTaint } from './types.gen.ts'

const TAINTS_MAX = 16
const COUNTER_CONSUMPTIONS_MAX = 2
const COUNTERS_MAX = 32

/** `perDevice`: nodes are chosen for each device, not for all of the slice. */
export function deviceErrors(path: FieldPath, device: Device, perDevice: boolean): readonly FieldError[] {
  const { name = '', attributes = {}, capacity = {}, allowMultipleAllocations: shared = false } = device
  const count = Object.keys(attributes).length + Object.keys(capacity).length
  const tooManyText = `the total number of attributes and capacities must not exceed ${ATTRIBUTES_AND_CAPACITIES_MAX}`
  return [
    ...dnsLabelErrors(path.child('name'), name),
    ...(count > ATTRIBUTES_AND_CAPACITIES_MAX ? [invalidValue(path, count, tooManyText)] : []),
    ...namedErrors(path.child('attributes'), attributes, attributeErrors),
    ...namedErrors(path.child('capacity'), capacity, (place, each) => capacityErrors(place, each, shared)),
    ...boundedList(path.child('taints'), device.taints, TAINTS_MAX, taintErrors),
    ...boundedSet(
      path.child('consumesCounters'),
      device.consumesCounters,
      COUNTER_CONSUMPTIONS_MAX,
      (place, { counterSet, counters }) => counterGroupErrors(place, 'counterSet', counterSet, counters),
      ({ counterSet = '' }) => counterSet,
    ),
    ...deviceNodeErrors(path, device, perDevice),
    ...bindingErrors(path, device),
  ]
}

function namedErrors<T>(
  path: FieldPath,
  values: Readonly<Record<string, T>>,
  rule: (path: FieldPath, value: T) => readonly FieldError[],
): readonly FieldError[] {
  return Object.entries(values).flatMap(([name, value]) => [
    ...attributeNameErrors(path, name),
    ...rule(path.key(shownKey(name)), value),
  ])
}

const NUMBER = '(?:0|[1-9]\\d*)'
const PRE_RELEASE = `(?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)`
const BUILD = '[0-9a-zA-Z-]+'
const SEMANTIC_VERSION = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-${PRE_RELEASE}(?:\\.${PRE_RELEASE})*)?(?:\\+${BUILD}(?:\\.${BUILD})*)?$`,
)

function attributeErrors(path: FieldPath, attribute: DeviceAttribute): readonly FieldError[] {
  const { string: text, version } = attribute
  const kinds = [attribute.bool, attribute.int, text, version].filter((value) => value !== undefined)
  const tooLongText = (field: string, value: string): readonly FieldError[] =>
    byteLength(value) > ATTRIBUTE_VALUE_BYTES_MAX ? [tooLong(path.child(field), ATTRIBUTE_VALUE_BYTES_MAX)] : []
  const notAVersion = 'must be a string compatible with semver.org spec 2.0.0'
  return [
    ...(text === undefined ? [] : tooLongText('string', text)),
    ...(version === undefined
      ? []
      : [
          ...(isSemanticVersion(version) ? [] : [invalidValue(path.child('version'), version, notAVersion)]),
          ...tooLongText('version', version),
        ]),
    ...(kinds.length === 1
      ? []
      : [invalidValue(path, kinds.length === 0 ? '' : attribute, 'exactly one value must be specified')]),
  ]
}

/** Longer texts than a value may be are not matched: they are refused for their length. */
function isSemanticVersion(text: string): boolean {
  return SEMANTIC_VERSION.test(text.slice(0, 2 * ATTRIBUTE_VALUE_BYTES_MAX))
}

function taintErrors(path: FieldPath, { key = '', value = '', effect }: DeviceTaint): readonly FieldError[] {
  const effectPath = path.child('effect')
  return [
    ...qualifiedNameErrors(path.child('key'), key),
    ...(value === '' ? [] : findingErrors(path.child('value'), value, isValidLabelValue(value))),
    ...(!effect
      ? [required(effectPath)]
      : TAINT_EFFECTS.includes(effect)
        ? []
        : [notSupported(effectPath, effect, TAINT_EFFECTS)]),
  ]
}

export function counterSetErrors(path: FieldPath, { name, counters }: CounterSet): readonly FieldError[] {
  return counterGroupErrors(path, 'name', name, counters)
}

/** Counters under the name of their set. */
function counterGroupErrors(
  path: FieldPath,
  nameField: string,
  name = '',
  counters: Readonly<Record<string, Counter>> = {},
): readonly FieldError[] {
  const names = Object.keys(counters)
  const countersPath = path.child('counters')
  return [
    ...(name === '' ? [required(path.child(nameField))] : dnsLabelErrors(path.child(nameField), name)),
    ...(names.length === 0
      ? [required(countersPath)]
      : names.length > COUNTERS_MAX
        ? [tooMany(countersPath, names.length, COUNTERS_MAX)]
        : names.flatMap((counter) => dnsLabelErrors(countersPath, counter))),
  ]
}

const NODE_FIELDS = '`nodeName`, `nodeSelector`'

function deviceNodeErrors(path: FieldPath, device: Device, perDevice: boolean): readonly FieldError[] {
  const { nodeName, nodeSelector, allNodes } = device
  if (!perDevice) {
    if (nodeName === undefined && nodeSelector === undefined && allNodes === undefined) return []
    const detail = `${NODE_FIELDS} and \`allNodes\` can only be set if \`perDeviceNodeSelection\` is set to true`
    return [invalidValue(path, null, `${detail} in the ResourceSlice spec`)]
  }
  const set = nodeChoices({ nodeName, nodeSelector, allNodes })
  const detail =
    `exactly one of ${NODE_FIELDS}, or \`allNodes\` is required when \`perDeviceNodeSelection\` ` +
    'is set to true in the ResourceSlice spec'
  return [
    ...nodeNameErrors(path.child('nodeName'), nodeName, 'must not be empty'),
    ...(nodeSelector === undefined
      ? []
      : validateNodeSelector(nodeSelector.nodeSelectorTerms, path.child('nodeSelector'))),
    ...onlyTrueErrors(path.child('allNodes'), allNodes),
    ...(set.length === 0 ? [required(path, detail)] : []),
    ...(set.length > 1 ? [invalidValue(path, `{${set.join(', ')}}`, detail)] : []),
  ]
}

/** The fields by which nodes are chosen, as messages name them. */
export function nodeChoices(fields: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    value === undefined || value === '' || value === false ? [] : [`\`${name}\``],
  )
}

export function nodeNameErrors(path: FieldPath, name: string | undefined, whenEmpty: string): readonly FieldError[] {
  if (name === undefined) return []
  return name === '' ? [invalidValue(path, name, whenEmpty)] : findingErrors(path, name, isDns1123Subdomain(name))
}

export function onlyTrueErrors(path: FieldPath, value: boolean | undefined): readonly FieldError[] {
  return value === false ? [invalidValue(path, value, 'must be either unset or set to true')] : []
}
