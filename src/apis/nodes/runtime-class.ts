/** RuntimeClasses: which container runtime a pod runs in, and what that costs and where it is to be had. */

import { duplicate, type FieldError, FieldPath, required } from '../../machinery/meta/field-error.ts'
import { validateLabels } from '../../machinery/meta/labels.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn, textColumn } from '../columns.ts'
import { validateTolerations } from '../core/pod/validate-affinity.ts'
import { deprecatedNodeLabelText } from '../core/pod/warnings.ts'
import { containerResourceNameErrors, quantityErrors } from '../core/resource-names.ts'
import type { Toleration } from '../core/types.gen.ts'
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
  warnings: selectorWarnings,
  validateUpdate: ({ handler }, previous) => immutable('handler', handler, previous.handler),
  createOnUpdate: true,
  unconditionalUpdate: false,
  columns: [nameColumn, textColumn('Handler', ({ handler }: RuntimeClass) => handler ?? ''), ageColumn],
})

const handlerPath = new FieldPath('handler')

function selectorWarnings({ scheduling }: RuntimeClass): readonly string[] {
  return Object.keys(scheduling?.nodeSelector ?? {}).flatMap((key) => {
    const text = deprecatedNodeLabelText(key)
    return text ? [`scheduling.nodeSelector: ${text}`] : []
  })
}

function validateRuntimeClass({ handler = '', overhead, scheduling }: RuntimeClass): readonly FieldError[] {
  // Upstream judges an overhead as the limits of a container, and names it so.
  const podFixed = new FieldPath('overhead.limits')
  const overheads = Object.entries(overhead?.podFixed ?? {}).flatMap(([name, text]) => [
    ...containerResourceNameErrors(podFixed.key(name), name),
    ...quantityErrors(podFixed.key(name), name, text),
  ])
  const path = new FieldPath('scheduling')
  return [
    ...(handler === '' ? [required(handlerPath)] : dnsLabelErrors(handlerPath, handler)),
    ...overheads,
    ...validateLabels(scheduling?.nodeSelector, path.child('nodeSelector')),
    ...validateTolerations(scheduling?.tolerations, path.child('tolerations')),
    ...duplicateTolerations(scheduling?.tolerations ?? [], path.child('tolerations')),
  ]
}

function duplicateTolerations(tolerations: readonly Toleration[], path: FieldPath): readonly FieldError[] {
  const texts = tolerations.map(({ key, operator, value, effect }) => JSON.stringify([key, operator, value, effect]))
  return tolerations.flatMap((toleration, index) => {
    if (texts.indexOf(texts[index] ?? '') === index) return []
    return [duplicate(path.index(index), toleration)]
  })
}
