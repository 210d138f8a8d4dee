/** LimitRanges: bounds and defaults for what a pod, a container or a claim of a namespace may ask for. */

import {
  duplicate,
  type FieldError,
  FieldPath,
  forbidden,
  invalidValue,
  required,
} from '../../machinery/meta/field-error.ts'
import { compareQuantities, type Quantity, quantityOf, quantityText, toFloat } from '../../machinery/meta/quantity.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { createdAtColumn, nameColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { mapField, mapItems, withAbsent } from '../field-defaults.ts'
import { qualifiedNameErrors } from '../field-rules.ts'
import { isOvercommitAllowed } from './pod/resource-list.ts'
import { containerResourceNameErrors, resourceNameErrors } from './resource-names.ts'
import type { LimitRange, LimitRangeItem } from './types.gen.ts'

export const limitRanges = defineResource<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  resource: 'limitranges',
  shortNames: ['limits'],
  scope: 'Namespaced',
  schema: builtinSchema('core.v1.LimitRange'),
  default: (object) =>
    mapField(object, 'spec', (spec) => mapField(spec, 'limits', (limits) => mapItems(limits, defaultItem))),
  validate: validateLimitRange,
  createOnUpdate: true,
  columns: [nameColumn, createdAtColumn],
})

/** A container's default limit is the maximum, its default request that limit or else the minimum. */
function defaultItem(item: LimitRangeItem): LimitRangeItem {
  if (item.type !== 'Container') return item
  const limit = withAbsent({ ...item.default }, item.max ?? {})
  const request = withAbsent(withAbsent({ ...item.defaultRequest }, limit), item.min ?? {})
  return {
    ...item,
    ...(Object.keys(limit).length > 0 ? { default: limit } : {}),
    ...(Object.keys(request).length > 0 ? { defaultRequest: request } : {}),
  }
}

const TYPES = ['Container', 'PersistentVolumeClaim', 'Pod']
const LISTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

function validateLimitRange({ spec }: LimitRange): readonly FieldError[] {
  const limits = spec?.limits ?? []
  const types = limits.map(({ type }) => type)
  return limits.flatMap((item, index) => {
    const path = new FieldPath('spec.limits').index(index)
    const repeated = types.indexOf(item.type) < index ? [duplicate(path.child('type'), item.type)] : []
    return [...typeErrors(item.type, path.child('type')), ...repeated, ...itemErrors(item, path)]
  })
}

function typeErrors(type: string, path: FieldPath): readonly FieldError[] {
  const errors = qualifiedNameErrors(path, type)
  if (errors.length > 0 || type.includes('/') || TYPES.includes(type)) return errors
  return [invalidValue(path, type, 'must be a standard limit type or fully qualified')]
}

function itemErrors(item: LimitRangeItem, path: FieldPath): readonly FieldError[] {
  const isPod = item.type === 'Pod'
  const nameErrors = isPod || item.type === 'Container' ? containerResourceNameErrors : resourceNameErrors
  const errors: FieldError[] = []
  for (const list of LISTS) {
    const names = Object.keys(item[list] ?? {})
    if (!isPod || !list.startsWith('default'))
      errors.push(...names.flatMap((name) => nameErrors(path.child(list).key(name), name)))
    else if (names.length > 0) errors.push(forbidden(path.child(list), "may not be specified when `type` is 'Pod'"))
  }
  if (item.type === 'PersistentVolumeClaim' && !item.min?.storage && !item.max?.storage) {
    const detail = 'either minimum or maximum storage value is required, but neither was provided'
    errors.push(required(path.child('limits'), detail))
  }
  const names = new Set(LISTS.flatMap((list) => Object.keys(item[list] ?? {})))
  return [...errors, ...[...names].sort().flatMap((name) => boundErrors(item, name, path))]
}

/** How the bounds of one resource must lie to each other: the smaller's list and word, then the larger's. */
const ORDER = [
  { low: ['min', 'min value'], high: ['max', 'max value'], at: 'min', shown: 'low' },
  { low: ['min', 'min value'], high: ['defaultRequest', 'default request value'], at: 'defaultRequest', shown: 'high' },
  { low: ['defaultRequest', 'default request value'], high: ['max', 'max value'], at: 'defaultRequest', shown: 'low' },
  {
    low: ['defaultRequest', 'default request value'],
    high: ['default', 'default limit value'],
    at: 'defaultRequest',
    shown: 'low',
  },
  { low: ['min', 'min value'], high: ['default', 'default value'], at: 'default', shown: 'low' },
  { low: ['default', 'default value'], high: ['max', 'max value'], at: 'default', shown: 'high' },
] as const

function boundErrors(item: LimitRangeItem, name: string, path: FieldPath): readonly FieldError[] {
  const errors = ORDER.flatMap(({ low: [lowList, lowWord], high: [highList, highWord], at, shown }) => {
    const [low, high] = [boundOf(item, lowList, name), boundOf(item, highList, name)]
    if (!low || !high || compareQuantities(low, high) <= 0) return []
    const detail = `${lowWord} ${quantityText(low)} is greater than ${highWord} ${quantityText(high)}`
    return [invalidValue(path.child(at).key(name), quantityText(shown === 'low' ? low : high), detail)]
  })
  return [...errors, ...ratioErrors(item, name, path), ...overcommitErrors(item, name, path)]
}

function ratioErrors(item: LimitRangeItem, name: string, path: FieldPath): readonly FieldError[] {
  const ratio = boundOf(item, 'maxLimitRequestRatio', name)
  if (!ratio) return []
  const text = quantityText(ratio)
  const place = path.child('maxLimitRequestRatio').key(name)
  const errors = toFloat(ratio) < 1 ? [invalidValue(place, text, `ratio ${text} is less than 1`)] : []
  const [min, max] = [boundOf(item, 'min', name), boundOf(item, 'max', name)]
  if (!min || !max) return errors
  const widest = toFloat(max) / toFloat(min)
  if (toFloat(ratio) <= widest) return errors
  return [...errors, invalidValue(place, text, `ratio ${text} is greater than max/min = ${widest.toFixed(6)}`)]
}

/** Of what cannot be handed out twice, the request is the limit. */
function overcommitErrors(item: LimitRangeItem, name: string, path: FieldPath): readonly FieldError[] {
  const [limit, request] = [boundOf(item, 'default', name), boundOf(item, 'defaultRequest', name)]
  if (isOvercommitAllowed(name) || !limit || !request || compareQuantities(limit, request) === 0) return []
  const shown = quantityText(request)
  const detail = `default value ${quantityText(limit)} must equal to defaultRequest value ${shown} in ${name}`
  return [invalidValue(path.child('defaultRequest').key(name), shown, detail)]
}

function boundOf(item: LimitRangeItem, list: (typeof LISTS)[number], name: string): Quantity | undefined {
  const text = item[list]?.[name]
  return text === undefined ? undefined : quantityOf(text)
}
