/** What volume claims use of quotas: themselves and their storage, altogether and by storage class. */

import { deepEqual } from '../../../base/deep-equal.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import { compareQuantities, type Quantity, quantityFromValue, quantityOf } from '../../../machinery/meta/quantity.ts'
import { attributesClassNames, claimClassName } from '../persistent-volume/claim-class.ts'
import type { PersistentVolumeClaim } from '../types.gen.ts'
import { type Amounts, ONE } from './amounts.ts'
import { countName, type QuotaEvaluator, selectsValue } from './evaluator.ts'

const COUNT = countName('', 'persistentvolumeclaims')
const NAMES = ['persistentvolumeclaims', 'requests.storage']
/** `gold.storageclass.storage.k8s.io/requests.storage`: of the class `gold` only. */
const CLASS_INFIX = '.storageclass.storage.k8s.io/'

// Whoever asks this evaluator asks about objects of the resource that it names.
const claimOf = (object: KubeObject): PersistentVolumeClaim => object as PersistentVolumeClaim

export const claimEvaluator: QuotaEvaluator = {
  group: '',
  resource: 'persistentvolumeclaims',
  handles: ({ operation, subresource, object, previous }) => {
    if (subresource === '') return operation === 'CREATE' || operation === 'UPDATE'
    return subresource === 'status' && previous !== undefined && changesUsage(claimOf(object), claimOf(previous))
  },
  matchingNames: (names) =>
    [...names].filter(
      (name) => name === COUNT || NAMES.some((own) => name === own || name.endsWith(`${CLASS_INFIX}${own}`)),
    ),
  matchesScope: (selector, object) =>
    selector.scopeName === 'VolumeAttributesClass' && selectsValue(selector, attributesClassNames(claimOf(object))),
  usage: (object) => claimUsage(claimOf(object)),
  replenishes: (object, previous) => changesUsage(claimOf(object), claimOf(previous)),
}

function changesUsage(claim: PersistentVolumeClaim, previous: PersistentVolumeClaim): boolean {
  return (
    claim.status?.allocatedResources?.storage !== previous.status?.allocatedResources?.storage ||
    !deepEqual([...attributesClassNames(claim)].sort(), [...attributesClassNames(previous)].sort())
  )
}

function claimUsage(claim: PersistentVolumeClaim): Amounts {
  const usage = new Map([
    ['persistentvolumeclaims', ONE],
    [COUNT, ONE],
  ])
  const storage = storageOf(claim)
  if (storage) usage.set('requests.storage', storage)
  const className = claimClassName(claim)
  if (className === '') return usage
  usage.set(`${className}${CLASS_INFIX}persistentvolumeclaims`, ONE)
  if (storage) usage.set(`${className}${CLASS_INFIX}requests.storage`, storage)
  return usage
}

/** In whole bytes; while a claim grows or shrinks, the larger of what is wanted and what is allocated. */
function storageOf({ spec, status }: PersistentVolumeClaim): Quantity | undefined {
  const text = spec?.resources?.requests?.storage
  if (text === undefined) return undefined
  const wanted = quantityOf(text)
  const allocated = quantityOf(status?.allocatedResources?.storage)
  return wholeBytes(compareQuantities(allocated, wanted) > 0 ? allocated : wanted)
}

function wholeBytes(quantity: Quantity): Quantity {
  const up = (quantity.nano + 999_999_999n) / 1_000_000_000n
  return up * 1_000_000_000n === quantity.nano ? quantity : quantityFromValue(up, quantity.format)
}
