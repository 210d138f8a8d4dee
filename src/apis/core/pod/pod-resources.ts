/**
 * What a pod asks for as a whole. Main containers and sidecars run together, so they add up; an init
 * container runs before the main ones, together with the sidecars started before it, so the pod needs the
 * larger of the two. Overhead comes on top. A request for the whole pod replaces what its containers add up to.
 */

import { addQuantities, compareQuantities, type Quantity, quantityOf } from '../../../machinery/meta/quantity.ts'
import type { Container, Pod, PodSpec } from '../types.gen.ts'
import { isRestartableInit } from './pod-status.ts'
import { isPodLevelResource, type ResourceList } from './resource-list.ts'

export type Quantities = ReadonlyMap<string, Quantity>

/** Requests per resource name, overhead included. */
export function podRequests(pod: Pod): Quantities {
  return specRequests(pod.spec ?? { containers: [] })
}

function specRequests(spec: PodSpec): Quantities {
  const total = wholePod(spec, 'requests')
  return spec.overhead ? sum(total, quantitiesOf(spec.overhead)) : total
}

/** Limits per resource name; overhead is added to those that are limited. */
export function podLimits(pod: Pod): Quantities {
  const spec = pod.spec ?? { containers: [] }
  const total = wholePod(spec, 'limits')
  const overhead = [...quantitiesOf(spec.overhead)].filter(([name]) => total.has(name))
  return sum(total, new Map(overhead))
}

/** What the containers need together, without the pod's own figures and overhead. */
export function containersTotal(spec: PodSpec, which: 'requests' | 'limits'): Quantities {
  let running: Quantities = new Map()
  for (const container of spec.containers ?? []) running = sum(running, containerList(container, which))
  let sidecars: Quantities = new Map()
  let starting: Quantities = new Map()
  for (const container of spec.initContainers ?? []) {
    const own = containerList(container, which)
    if (isRestartableInit(container)) {
      sidecars = sum(sidecars, own)
      starting = larger(starting, sidecars)
    } else {
      starting = larger(starting, sum(sidecars, own))
    }
  }
  return larger(sum(running, sidecars), starting)
}

function wholePod(spec: PodSpec, which: 'requests' | 'limits'): Quantities {
  const total = new Map(containersTotal(spec, which))
  for (const [name, quantity] of quantitiesOf(spec.resources?.[which])) {
    if (isPodLevelResource(name)) total.set(name, quantity)
  }
  return total
}

function containerList(container: Container, which: 'requests' | 'limits'): Quantities {
  return quantitiesOf(container.resources?.[which])
}

/** A list of resources with its texts read. */
export function quantitiesOf(list: ResourceList | undefined): Quantities {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, quantityOf(text)]))
}

function sum(left: Quantities, right: Quantities): Quantities {
  if (right.size === 0) return left
  const result = new Map(left)
  for (const [name, quantity] of right) {
    const before = result.get(name)
    result.set(name, before === undefined ? quantity : addQuantities(before, quantity))
  }
  return result
}

function larger(left: Quantities, right: Quantities): Quantities {
  if (right.size === 0) return left
  const result = new Map(left)
  for (const [name, quantity] of right) {
    const before = result.get(name)
    if (before === undefined || compareQuantities(before, quantity) < 0) result.set(name, quantity)
  }
  return result
}
