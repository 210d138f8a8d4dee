/** CSIStorageCapacities: how much a storage class has left where. */

import { type FieldError, FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import { validateLabelSelector } from '../../machinery/meta/labels.ts'
import { isNegative, quantityOf, quantityText } from '../../machinery/meta/quantity.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { createdAtColumn, nameColumn } from '../columns.ts'
import { deprecatedNodeLabelText } from '../core/pod/warnings.ts'
import { defineResource } from '../define-resource.ts'
import { dnsSubdomainErrors } from '../field-rules.ts'
import { immutable } from '../strategy-parts.ts'
import type { CSIStorageCapacity } from './types.gen.ts'

export const csiStorageCapacities = defineResource<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  resource: 'csistoragecapacities',
  scope: 'Namespaced',
  schema: builtinSchema('storage.v1.CSIStorageCapacity'),
  validate: validateCapacity,
  validateUpdate: (object, previous) => [
    ...immutable('nodeTopology', object.nodeTopology, previous.nodeTopology),
    ...immutable('storageClassName', object.storageClassName, previous.storageClassName),
  ],
  warnings: topologyWarnings,
  unconditionalUpdate: false,
  columns: [nameColumn, createdAtColumn],
})

const topologyPath = new FieldPath('nodeTopology')

function validateCapacity({
  nodeTopology,
  storageClassName = '',
  capacity,
}: CSIStorageCapacity): readonly FieldError[] {
  const quantity = quantityOf(capacity)
  const detail = 'must be greater than or equal to 0'
  return [
    ...validateLabelSelector(nodeTopology, topologyPath),
    ...dnsSubdomainErrors(new FieldPath('storageClassName'), storageClassName),
    ...(isNegative(quantity) ? [invalidValue(new FieldPath('capacity'), quantityText(quantity), detail)] : []),
  ]
}

function topologyWarnings({ nodeTopology }: CSIStorageCapacity): readonly string[] {
  const { matchExpressions = [], matchLabels = {} } = nodeTopology ?? {}
  const byExpression = matchExpressions.flatMap(({ key }, index) => {
    const text = deprecatedNodeLabelText(key)
    return text ? [`${topologyPath.child('matchExpressions').index(index).child('key')}: ${key} is ${text}`] : []
  })
  const byLabel = Object.keys(matchLabels).flatMap((key) => {
    const text = deprecatedNodeLabelText(key)
    return text ? [`${topologyPath.child('matchLabels', key)}: ${text}`] : []
  })
  return [...byExpression, ...byLabel]
}
