/** RuntimeClasses: which container runtime a pod runs in, and what that costs and where it is to be had. */

import { type FieldError, FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import { validateLabels } from '../../machinery/meta/labels.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn, textColumn } from '../columns.ts'
import { validateTolerations } from '../core/pod/validate-affinity.ts'
import { containerResourceNameErrors, quantityErrors } from '../core/resource-names.ts'
import { defineResource } from '../define-resource.ts'
import { dnsLabelErrors } from '../field-rules.ts'
import { immutable } from '../strategy-parts.ts'
import type { RuntimeClass } from './types.gen.ts'

export const runtimeClasses = defineResource<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  resource: 'runtimeclasses',
  scope: 'Cluster',
  schema: builtinSchema('node.v1.RuntimeClass'),
  validate: validateRuntimeClass,
  validateUpdate: ({ handler }, previous) => immutable('handler', handler, previous.handler),
  createOnUpdate: true,
  unconditionalUpdate: false,
  columns: [nameColumn, textColumn('Handler', ({ handler }: RuntimeClass) => handler ?? ''), ageColumn],
})

function validateRuntimeClass({ handler = '', overhead, scheduling }: RuntimeClass): readonly FieldError[] {
  const podFixed = new FieldPath('overhead.podFixed')
  const overheads = Object.entries(overhead?.podFixed ?? {}).flatMap(([name, text]) => [
    ...containerResourceNameErrors(podFixed.key(name), name),
    ...quantityErrors(podFixed.key(name), name, text),
  ])
  const path = new FieldPath('scheduling')
  return [
    ...dnsLabelErrors(new FieldPath('handler'), handler),
    ...overheads,
    ...validateLabels(scheduling?.nodeSelector, path.child('nodeSelector')),
    ...validateTolerations(scheduling?.tolerations, path.child('tolerations')),
    ...duplicateTolerations(scheduling?.tolerations ?? [], path.child('tolerations')),
  ]
}

function duplicateTolerations(tolerations: readonly object[], path: FieldPath): readonly FieldError[] {
  const texts = tolerations.map((toleration) => JSON.stringify(toleration))
  return tolerations.flatMap((toleration, index) => {
    if (texts.indexOf(texts[index] ?? '') === index) return []
    return [invalidValue(path.index(index), toleration, 'duplicate toleration')]
  })
}
