/** StorageClasses: how volumes are provisioned for claims that name the class. What a class does never changes. */

import { deepEqual } from '../../base/deep-equal.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import { duplicate, type FieldError, FieldPath, notSupported, required } from '../../machinery/meta/field-error.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn, textColumn } from '../columns.ts'
import type { TopologySelectorTerm } from '../core/types.gen.ts'
import { defineResource } from '../define-resource.ts'
import { withAbsent } from '../field-defaults.ts'
import { qualifiedNameErrors } from '../field-rules.ts'
import { immutable } from '../strategy-parts.ts'
import { parameterErrors, provisionerErrors } from './class-rules.ts'
import type { StorageClass } from './types.gen.ts'

const IS_DEFAULT = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']
const BINDING_MODES = ['Immediate', 'WaitForFirstConsumer']
const RECLAIM_POLICIES = ['Delete', 'Retain']

export const storageClasses = defineResource<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  resource: 'storageclasses',
  shortNames: ['sc'],
  scope: 'Cluster',
  schema: builtinSchema('storage.v1.StorageClass'),
  default: (object) => withAbsent(object, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  validate: validateStorageClass,
  validateUpdate,
  deletion: { returns: 'object' },
  columns: [
    { ...nameColumn, value: nameText },
    textColumn('Provisioner', ({ provisioner }: StorageClass) => provisioner ?? ''),
    textColumn('ReclaimPolicy', ({ reclaimPolicy }: StorageClass) => reclaimPolicy ?? ''),
    textColumn('VolumeBindingMode', ({ volumeBindingMode }: StorageClass) => volumeBindingMode ?? ''),
    textColumn('AllowVolumeExpansion', ({ allowVolumeExpansion }: StorageClass) => allowVolumeExpansion ?? false),
    ageColumn,
  ],
})

export function isDefaultStorageClass({ metadata }: Pick<StorageClass, 'metadata'>): boolean {
  return IS_DEFAULT.some((annotation) => metadata.annotations?.[annotation] === 'true')
}

function nameText(object: Pick<StorageClass, 'metadata'>): string {
  const { name = '' } = object.metadata
  return isDefaultStorageClass(object) ? `${name} (default)` : name
}

function validateStorageClass(object: StorageClass): readonly FieldError[] {
  const { provisioner = '', parameters = {}, reclaimPolicy, volumeBindingMode } = object
  const bindingPath = new FieldPath('volumeBindingMode')
  return [
    ...provisionerErrors(new FieldPath('provisioner'), provisioner),
    ...parameterErrors(new FieldPath('parameters'), parameters),
    ...(reclaimPolicy && !RECLAIM_POLICIES.includes(reclaimPolicy)
      ? [notSupported(new FieldPath('reclaimPolicy'), reclaimPolicy, RECLAIM_POLICIES)]
      : []),
    ...(volumeBindingMode === undefined
      ? [required(bindingPath)]
      : BINDING_MODES.includes(volumeBindingMode)
        ? []
        : [notSupported(bindingPath, volumeBindingMode, BINDING_MODES)]),
    ...topologyErrors(object.allowedTopologies ?? [], new FieldPath('allowedTopologies')),
  ]
}

function topologyErrors(terms: readonly TopologySelectorTerm[], path: FieldPath): readonly FieldError[] {
  return terms.flatMap((term, index) => {
    const place = path.index(index).child('matchLabelExpressions')
    const same = terms.slice(0, index).filter((other) => deepEqual(topologyOf(other), topologyOf(term)))
    // Upstream begins with as many empty terms as there are terms, so an empty one is never the first of its kind.
    const isEmpty = (term.matchLabelExpressions ?? []).length === 0
    const repetitions = isEmpty ? [...terms, ...same] : same
    return [...termErrors(term, place), ...repetitions.map(() => duplicate(place, ''))]
  })
}

/** What a term says, in whatever order. */
function topologyOf({ matchLabelExpressions = [] }: TopologySelectorTerm): object {
  const values = matchLabelExpressions.map(({ key, values }) => [key, (values ?? []).toSorted(byCodeUnit)])
  return Object.fromEntries(values)
}

function termErrors({ matchLabelExpressions = [] }: TopologySelectorTerm, path: FieldPath): readonly FieldError[] {
  const keys = matchLabelExpressions.map(({ key }) => key)
  return matchLabelExpressions.flatMap(({ key, values: listed }, index) => {
    const place = path.index(index)
    const values = listed ?? []
    return [
      ...(values.length === 0 ? [required(place.child('values'))] : []),
      ...values.flatMap((value, at) =>
        values.indexOf(value) < at ? [duplicate(place.child('values').index(at), value)] : [],
      ),
      ...qualifiedNameErrors(place.child('key'), key ?? ''),
      ...(keys.indexOf(key) < index ? [duplicate(place.child('key'), key)] : []),
    ]
  })
}

const FIXED = ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const

function validateUpdate(object: StorageClass, previous: StorageClass): readonly FieldError[] {
  return FIXED.flatMap((field) => immutable(field, object[field], previous[field]))
}
