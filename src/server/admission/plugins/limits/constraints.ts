/** What limit ranges refuse, in upstream's words: too little, too much, or a limit too far above its request. */

import { podLimits, podRequests, type Quantities, quantitiesOf } from '../../../../apis/core/pod/pod-resources.ts'
import type { LimitRangeItem, PersistentVolumeClaim, Pod } from '../../../../apis/core/types.gen.ts'
import { byCodeUnit } from '../../../../base/group-by.ts'
import {
  compareQuantities,
  isZero,
  type Quantity,
  quantityOf,
  quantityText,
  toFloat,
} from '../../../../machinery/meta/quantity.ts'

/** What somebody asks for. */
interface Asked {
  readonly requests: Quantities
  readonly limits: Quantities
}

/** One bound on one resource. */
interface Bound {
  /** `Container`, `Pod`, `PersistentVolumeClaim`. */
  readonly type: string
  readonly resource: string
  readonly amount: Quantity
}

type Amounts = Readonly<Record<string, string>> | undefined

export function podViolations(pod: Pod, items: readonly LimitRangeItem[]): readonly string[] {
  const { spec } = pod
  if (!spec) return []
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ resources }) => ({
    requests: quantitiesOf(resources?.requests),
    limits: quantitiesOf(resources?.limits),
  }))
  return items.flatMap((item) => {
    if (item.type === 'Container') return containers.flatMap((asked) => violations(item, asked))
    return item.type === 'Pod' ? violations(item, wholePod(pod)) : []
  })
}

/** Bounds are on what its containers ask for; the overhead of running it is not the user's. */
function wholePod(pod: Pod): Asked {
  const { overhead: _, ...spec } = pod.spec ?? { containers: [] }
  return { requests: podRequests({ ...pod, spec }), limits: podLimits({ ...pod, spec }) }
}

/** Claims have no limits: bounds are on what they request. */
export function claimViolations({ spec }: PersistentVolumeClaim, items: readonly LimitRangeItem[]): readonly string[] {
  const asked = { requests: quantitiesOf(spec?.resources?.requests), limits: quantitiesOf(undefined) }
  return items
    .filter(({ type }) => type === 'PersistentVolumeClaim')
    .flatMap((item) => [...each(item, item.min, asked, belowMinimum), ...each(item, item.max, asked, requestAbove)])
}

function violations(item: LimitRangeItem, asked: Asked): readonly string[] {
  return [
    ...each(item, item.min, asked, belowMinimum),
    ...each(item, item.max, asked, aboveMaximum),
    ...each(item, item.maxLimitRequestRatio, asked, aboveRatio),
  ]
}

function each(
  { type }: LimitRangeItem,
  bounds: Amounts,
  asked: Asked,
  check: (bound: Bound, asked: Asked) => string | undefined,
): readonly string[] {
  return Object.entries(bounds ?? {})
    .toSorted(([left], [right]) => byCodeUnit(left, right))
    .flatMap(([resource, text]) => check({ type, resource, amount: quantityOf(text) }, asked) ?? [])
}

function belowMinimum(bound: Bound, { requests, limits }: Asked): string | undefined {
  const request = requests.get(bound.resource)
  const limit = limits.get(bound.resource)
  if (!request) return usage('minimum', bound, '.  No request is specified')
  if (compareQuantities(request, bound.amount) < 0)
    return usage('minimum', bound, `, but request is ${quantityText(request)}`)
  if (limit && compareQuantities(limit, bound.amount) < 0)
    return usage('minimum', bound, `, but limit is ${quantityText(limit)}`)
  return undefined
}

function aboveMaximum(bound: Bound, asked: Asked): string | undefined {
  const limit = asked.limits.get(bound.resource)
  if (!limit) return usage('maximum', bound, '.  No limit is specified')
  if (compareQuantities(limit, bound.amount) > 0)
    return usage('maximum', bound, `, but limit is ${quantityText(limit)}`)
  return asked.requests.has(bound.resource) ? requestAbove(bound, asked) : undefined
}

function requestAbove(bound: Bound, { requests }: Asked): string | undefined {
  const request = requests.get(bound.resource)
  if (!request) return usage('maximum', bound, '.  No request is specified')
  if (compareQuantities(request, bound.amount) <= 0) return undefined
  return usage('maximum', bound, `, but request is ${quantityText(request)}`)
}

function aboveRatio({ type, resource, amount }: Bound, { requests, limits }: Asked): string | undefined {
  const request = requests.get(resource)
  const limit = limits.get(resource)
  const rule = `${resource} max limit to request ratio per ${type} is ${quantityText(amount)}`
  if (!request || isZero(request)) return `${rule}, but no request is specified or request is 0`
  if (!limit || isZero(limit)) return `${rule}, but no limit is specified or limit is 0`
  const ratio = toFloat(limit) / toFloat(request)
  return ratio > toFloat(amount) ? `${rule}, but provided ratio is ${ratio.toFixed(6)}` : undefined
}

function usage(which: 'minimum' | 'maximum', { type, resource, amount }: Bound, trouble: string): string {
  return `${which} ${resource} usage per ${type} is ${quantityText(amount)}${trouble}`
}
