/** StorageClasses: how volumes are provisioned for claims that name the class. What a class does never changes. */

import {
  duplicate,
  type FieldError,
  FieldPath,
  forbidden,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { byteLength } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { withZero } from '../field-defaults.ts'
import { qualifiedNameErrors } from '../field-rules.ts'
import { immutable } from '../strategy-parts.ts'
import type { StorageClass } from './types.gen.ts'

const IS_DEFAULT = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']
const PARAMETERS_MAX = 512
/** Bytes of all names and values of parameters together. */
const PARAMETER_BYTES_MAX = 256 * 1024
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
  default: (object) => withZero(object, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
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

function isDefaultStorageClass({ metadata }: Pick<StorageClass, 'metadata'>): boolean {
  return IS_DEFAULT.some((annotation) => metadata.annotations?.[annotation] === 'true')
}

function nameText(object: Pick<StorageClass, 'metadata'>): string {
  const { name = '' } = object.metadata
  return isDefaultStorageClass(object) ? `${name} (default)` : name
}

function validateStorageClass(object: StorageClass): readonly FieldError[] {
  const { provisioner = '', reclaimPolicy, volumeBindingMode } = object
  const provisionerPath = new FieldPath('provisioner')
  const bindingPath = new FieldPath('volumeBindingMode')
  return [
    ...(provisioner === ''
      ? [required(provisionerPath)]
      : qualifiedNameErrors(provisionerPath, provisioner.toLowerCase())),
    ...parameterErrors(object.parameters ?? {}),
    ...(reclaimPolicy && !RECLAIM_POLICIES.includes(reclaimPolicy)
      ? [notSupported(new FieldPath('reclaimPolicy'), reclaimPolicy, RECLAIM_POLICIES)]
      : []),
    ...(volumeBindingMode === undefined
      ? [required(bindingPath)]
      : BINDING_MODES.includes(volumeBindingMode)
        ? []
        : [notSupported(bindingPath, volumeBindingMode, BINDING_MODES)]),
    ...topologyErrors(object),
  ]
}

function parameterErrors(parameters: Readonly<Record<string, string>>): readonly FieldError[] {
  const path = new FieldPath('parameters')
  const entries = Object.entries(parameters)
  if (entries.length > PARAMETERS_MAX) {
    const message = `Too long: may not be more than ${PARAMETERS_MAX} bytes`
    return [{ type: 'FieldValueTooLong', path: path.text, message }]
  }
  const errors = entries.filter(([name]) => name === '').map(() => required(path.key(''), 'field can not be empty.'))
  const bytes = entries.reduce((total, [name, value]) => total + byteLength(name) + byteLength(value), 0)
  if (bytes <= PARAMETER_BYTES_MAX) return errors
  const message = `Too long: may not be more than ${PARAMETER_BYTES_MAX} bytes`
  return [...errors, { type: 'FieldValueTooLong', path: path.text, message }]
}

function topologyErrors({ allowedTopologies = [] }: StorageClass): readonly FieldError[] {
  return allowedTopologies.flatMap((term, index) => {
    const path = new FieldPath('allowedTopologies').index(index)
    const requirements = term.matchLabelExpressions ?? []
    const keys = requirements.map(({ key }) => key)
    return requirements.flatMap(({ key, values = [] }, position) => {
      const place = path.child('matchLabelExpressions').index(position)
      return [
        ...qualifiedNameErrors(place.child('key'), key ?? ''),
        ...(values.length === 0 ? [required(place.child('values'))] : []),
        ...values.flatMap((value, at) =>
          values.indexOf(value) < at ? [duplicate(place.child('values').index(at), value)] : [],
        ),
        ...(keys.indexOf(key) < position ? [duplicate(place.child('key'), key)] : []),
      ]
    })
  })
}

function validateUpdate(object: StorageClass, previous: StorageClass): readonly FieldError[] {
  const fixed = (field: 'parameters' | 'provisioner', detail: string): readonly FieldError[] => {
    const same = immutable(field, object[field] ?? {}, previous[field] ?? {}).length === 0
    return same ? [] : [forbidden(new FieldPath(field), detail)]
  }
  return [
    ...fixed('parameters', 'updates to parameters are forbidden.'),
    ...fixed('provisioner', 'updates to provisioner are forbidden.'),
    ...(object.reclaimPolicy === previous.reclaimPolicy
      ? []
      : [forbidden(new FieldPath('reclaimPolicy'), 'updates to reclaimPolicy are forbidden.')]),
    ...immutable('volumeBindingMode', object.volumeBindingMode, previous.volumeBindingMode),
  ]
}
