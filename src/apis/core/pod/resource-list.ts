/** Lists of resources by name, as they stand in specs: which names there are and how their quantities are kept. */

import { parseQuantity, quantityText, roundUpToMilli } from '../../../machinery/meta/quantity.ts'
import { mapField } from '../../field-defaults.ts'
import type { ResourceRequirements } from '../types.gen.ts'

export type ResourceList = Readonly<Record<string, string>>

const NATIVE_PREFIX = 'kubernetes.io/'
const HUGE_PAGES_PREFIX = 'hugepages-'

export function isHugePages(name: string): boolean {
  return name.startsWith(HUGE_PAGES_PREFIX)
}

/** What the API itself defines: without a domain, or in its own. */
export function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes(NATIVE_PREFIX)
}

/** Whole things that nodes offer under a vendor's domain, such as `example.com/gpu`. */
export function isExtendedResource(name: string): boolean {
  return !isNativeResource(name) && !name.startsWith('requests.')
}

/** Resources of which limits may add up to more than there is. */
export function isOvercommitAllowed(name: string): boolean {
  return isNativeResource(name) && !isHugePages(name)
}

/** What may be asked for the pod as a whole. */
export function isPodLevelResource(name: string): boolean {
  return name === 'cpu' || name === 'memory' || isHugePages(name)
}

/** Thousandths are the finest the API keeps: finer quantities are rounded up. Anything else stays as written. */
export function roundedList(list: ResourceList): ResourceList {
  let result = list
  for (const [name, text] of Object.entries(list)) {
    const quantity = parseQuantity(text)
    if (typeof quantity === 'string') continue
    const rounded = roundUpToMilli(quantity)
    if (rounded !== quantity) result = { ...result, [name]: quantityText(rounded) }
  }
  return result
}

export function roundedResources(resources: ResourceRequirements): ResourceRequirements {
  return mapField(mapField(resources, 'limits', roundedList), 'requests', roundedList)
}
