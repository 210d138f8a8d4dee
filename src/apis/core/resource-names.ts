/** Which resources there are, in whole clusters, containers and quotas, and which quantities of them make sense. */

import { type FieldError, type FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import { parseQuantity, type Quantity, quantityText } from '../../machinery/meta/quantity.ts'
import { qualifiedNameErrors } from '../field-rules.ts'

const CONTAINER_RESOURCES = ['cpu', 'memory', 'ephemeral-storage']
const OBJECT_COUNTS = [
  'pods',
  'services',
  'resourcequotas',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]
const QUOTA_ONLY = [
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
]
const QUOTA_RESOURCES: ReadonlySet<string> = new Set([...CONTAINER_RESOURCES, ...QUOTA_ONLY, ...OBJECT_COUNTS])
const STANDARD_RESOURCES: ReadonlySet<string> = new Set([...QUOTA_RESOURCES, 'storage'])
/** Things that are counted whole. */
const INTEGER_RESOURCES: ReadonlySet<string> = new Set(OBJECT_COUNTS)

const isHugePages = (name: string): boolean => name.startsWith('hugepages-')

export function isStandardQuotaResource(name: string): boolean {
  return QUOTA_RESOURCES.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-')
}

/** A qualified name; without a domain it must be one that the API knows. */
export function resourceNameErrors(path: FieldPath, name: string): FieldError[] {
  const errors = qualifiedNameErrors(path, name)
  if (errors.length > 0 || name.includes('/')) return errors
  if (STANDARD_RESOURCES.has(name) || isStandardQuotaResource(name)) return []
  return [invalidValue(path, name, 'must be a standard resource type or fully qualified')]
}

export function containerResourceNameErrors(path: FieldPath, name: string): FieldError[] {
  const errors = resourceNameErrors(path, name)
  if (name.includes('/') || CONTAINER_RESOURCES.includes(name) || isHugePages(name)) return errors
  return [...errors, invalidValue(path, name, 'must be a standard resource for containers')]
}

export function quotaResourceNameErrors(path: FieldPath, name: string): FieldError[] {
  const errors = resourceNameErrors(path, name)
  if (name.includes('/') || isStandardQuotaResource(name)) return errors
  return [...errors, invalidValue(path, name, 'must be a standard resource for quota')]
}

/** Not negative, and whole where the thing is counted. */
export function quantityErrors(path: FieldPath, name: string, text: string): FieldError[] {
  const quantity = parsed(text)
  if (quantity === undefined) return []
  const shown = quantityText(quantity)
  const errors = quantity.nano < 0n ? [invalidValue(path, shown, 'must be greater than or equal to 0')] : []
  if (isCounted(name) && quantity.nano % NANO_PER_UNIT !== 0n)
    errors.push(invalidValue(path, shown, 'must be an integer'))
  return errors
}

const NANO_PER_UNIT = 1_000_000_000n

/** Undefined for what is no quantity: the schema has refused that before. */
function parsed(text: string): Quantity | undefined {
  const quantity = parseQuantity(String(text))
  return typeof quantity === 'string' ? undefined : quantity
}

function isCounted(name: string): boolean {
  if (INTEGER_RESOURCES.has(name)) return true
  return name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.')
}

/** Names are not judged here: a node may report what it likes. */
export function resourceListErrors(
  list: Readonly<Record<string, string>> | undefined,
  pathOf: (name: string) => FieldPath,
): FieldError[] {
  return Object.entries(list ?? {}).flatMap(([name, text]) => quantityErrors(pathOf(name), name, text))
}
