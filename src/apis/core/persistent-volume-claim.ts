/** PersistentVolumeClaims: a wish for storage. Once made it is fixed, but for its size and class when it is bound. */

import { deepEqual } from '../../base/deep-equal.ts'
import {
  type FieldError,
  FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { validateLabelSelector } from '../../machinery/meta/labels.ts'
import { nameIsDns1123Label } from '../../machinery/meta/names.ts'
import { compareQuantities, quantityOf, toNumber } from '../../machinery/meta/quantity.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn, textColumn, wideColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { withAbsent, withZero } from '../field-defaults.ts'
import { dnsSubdomainErrors, findingErrors, qualifiedNameErrors } from '../field-rules.ts'
import { immutable, keepSpec, keepStatus, withoutStatus } from '../strategy-parts.ts'
import { changesText } from './pod/changes-text.ts'
import { isNativeResource } from './pod/resource-list.ts'
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec, TypedObjectReference } from './types.gen.ts'
import {
  accessModeErrors,
  accessModesText,
  positiveQuantityErrors,
  storageClassText,
  UNSET,
  VOLUME_MODES,
} from './volume-rules.ts'

export const persistentVolumeClaims = defineResource<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  resource: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  scope: 'Namespaced',
  schema: builtinSchema('core.v1.PersistentVolumeClaim'),
  default: defaultClaim,
  prepareForCreate: (object) =>
    withDataSources({ ...withoutStatus(object), spec: knownSource(object.spec), status: { phase: 'Pending' } }),
  prepareForUpdate: (object, previous) => {
    const { dataSource, dataSourceRef } = previous.spec
    const spec = dataSource || dataSourceRef ? object.spec : knownSource(object.spec)
    return withDataSources(keepStatus({ ...object, spec }, previous))
  },
  validate: ({ spec }) => validateClaimSpec(spec, new FieldPath('spec')),
  validateUpdate,
  warnings: claimWarnings,
  deletion: { returns: 'object' },
  status: { prepareForUpdate: keepSpec, validateUpdate: validateStatus },
  resetFields: { '': [['status']], status: [['spec']] },
  columns: [
    nameColumn,
    textColumn('Status', ({ metadata, status }: PersistentVolumeClaim) =>
      metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? ''),
    ),
    textColumn('Volume', ({ spec }: PersistentVolumeClaim) => spec.volumeName ?? ''),
    textColumn('Capacity', ({ spec, status }: PersistentVolumeClaim) =>
      spec.volumeName ? (status?.capacity?.storage ?? '0') : '',
    ),
    textColumn('Access Modes', ({ spec, status }: PersistentVolumeClaim) =>
      spec.volumeName ? accessModesText(status?.accessModes) : '',
    ),
    textColumn('StorageClass', storageClassText),
    textColumn('VolumeAttributesClass', ({ spec }: PersistentVolumeClaim) => spec.volumeAttributesClassName ?? UNSET),
    ageColumn,
    wideColumn('VolumeMode', ({ spec }: PersistentVolumeClaim) => spec.volumeMode ?? UNSET),
  ],
})

/** Also for the claim templates of StatefulSets. */
export function defaultClaim(object: PersistentVolumeClaim): PersistentVolumeClaim {
  return {
    ...object,
    spec: withAbsent(object.spec ?? {}, { volumeMode: 'Filesystem' }),
    status: withZero(object.status ?? {}, { phase: 'Pending' }),
  }
}

/** Sources other than claims and snapshots are dropped, silently, where a client does not know of `dataSourceRef`. */
function knownSource(given: PersistentVolumeClaimSpec): PersistentVolumeClaimSpec {
  const spec = withinNamespace(given)
  const { dataSource, dataSourceRef, ...rest } = spec
  if (!dataSource || dataSourceRef) return spec
  const { apiGroup = '', kind } = dataSource
  const isClaim = kind === 'PersistentVolumeClaim' && apiGroup === ''
  const isSnapshot = kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io'
  return isClaim || isSnapshot ? spec : rest
}

/** Sources in other namespaces belong to a feature that is off. */
function withinNamespace(spec: PersistentVolumeClaimSpec): PersistentVolumeClaimSpec {
  if (!spec.dataSourceRef?.namespace) return spec
  const { dataSourceRef: _, ...rest } = spec
  return rest
}

/** `dataSource` and `dataSourceRef` say the same, whichever the client wrote. */
function withDataSources(object: PersistentVolumeClaim): PersistentVolumeClaim {
  const { dataSource, dataSourceRef } = object.spec
  if (dataSource && !dataSourceRef) return { ...object, spec: { ...object.spec, dataSourceRef: dataSource } }
  if (!dataSourceRef || dataSource || dataSourceRef.namespace) return object
  const { namespace: _, ...source } = dataSourceRef
  return { ...object, spec: { ...object.spec, dataSource: source } }
}

const OLD_CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'
const OLD_CLASS_TEXT = 'deprecated since v1.8; use "storageClassName" attribute instead'

/** Also for the claim templates of StatefulSets. */
export function validateClaimSpec(spec: PersistentVolumeClaimSpec, path: FieldPath): readonly FieldError[] {
  const { accessModes = [], selector, volumeMode, storageClassName, volumeAttributesClassName } = spec
  const modesPath = path.child('accessModes')
  return [
    ...(accessModes.length === 0 ? [required(modesPath, 'at least 1 access mode is required')] : []),
    ...validateLabelSelector(selector, path.child('selector')),
    ...accessModeErrors(accessModes, modesPath),
    ...storageErrors(spec, path.child('resources').key('storage')),
    ...(storageClassName ? dnsSubdomainErrors(path.child('storageClassName'), storageClassName) : []),
    ...(volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode)
      ? [notSupported(path.child('volumeMode'), volumeMode, VOLUME_MODES)]
      : []),
    ...dataSourceErrors(spec, path),
    ...(volumeAttributesClassName
      ? dnsSubdomainErrors(path.child('volumeAttributesClassName'), volumeAttributesClassName)
      : []),
  ]
}

function claimWarnings({ metadata, spec }: PersistentVolumeClaim): readonly string[] {
  const old = metadata.annotations?.[OLD_CLASS_ANNOTATION] !== undefined
  return [
    ...(old ? [`metadata.annotations[${OLD_CLASS_ANNOTATION}]: ${OLD_CLASS_TEXT}`] : []),
    ...(['requests', 'limits'] as const).flatMap((list) => {
      const text = spec.resources?.[list]?.storage
      if (text === undefined || quantityOf(text).nano % 1_000_000_000n === 0n) return []
      const path = `spec.resources.${list}[storage]`
      return [`${path}: fractional byte value ${JSON.stringify(text)} is invalid, must be an integer`]
    }),
  ]
}

function storageErrors({ resources }: PersistentVolumeClaimSpec, path: FieldPath): readonly FieldError[] {
  const storage = resources?.requests?.storage
  return storage === undefined ? [required(path)] : positiveQuantityErrors(path, storage)
}

function dataSourceErrors(spec: PersistentVolumeClaimSpec, path: FieldPath): readonly FieldError[] {
  const { dataSource, dataSourceRef } = spec
  const errors = [
    ...(dataSource ? referenceErrors(dataSource, path.child('dataSource')) : []),
    ...(dataSourceRef ? referenceErrors(dataSourceRef, path.child('dataSourceRef')) : []),
  ]
  if (!dataSource || !dataSourceRef) return errors
  const { namespace, ...reference } = dataSourceRef
  if (namespace)
    return [...errors, invalidValue(path, {}, 'may not be specified when dataSourceRef.namespace is specified')]
  return deepEqual(dataSource, reference) ? errors : [...errors, invalidValue(path, {}, 'must match dataSourceRef')]
}

function referenceErrors(reference: TypedObjectReference, path: FieldPath): readonly FieldError[] {
  const { apiGroup, kind, name, namespace } = reference
  const errors: FieldError[] = []
  if (!name) errors.push(required(path.child('name')))
  if (!kind) errors.push(required(path.child('kind')))
  if (!apiGroup && kind !== 'PersistentVolumeClaim')
    errors.push(invalidValue(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
  if (apiGroup) errors.push(...dnsSubdomainErrors(path.child('apiGroup'), apiGroup))
  if (namespace) errors.push(...findingErrors(path.child('namespace'), namespace, nameIsDns1123Label(namespace, false)))
  return errors
}

const FIXED =
  'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'

function validateUpdate(object: PersistentVolumeClaim, previous: PersistentVolumeClaim): readonly FieldError[] {
  const errors: FieldError[] = []
  if (!deepEqual(withMutableFieldsOf(object, previous), previous.spec))
    errors.push(forbidden(new FieldPath('spec'), `${FIXED}\n${changesText(previous.spec, object.spec)}`))
  if (
    storageOf(object, 'spec') < storageOf(previous, 'spec') &&
    storageOf(object, 'spec') <= storageOf(previous, 'status')
  )
    errors.push(
      forbidden(new FieldPath('spec.resources.requests.storage'), 'field can not be less than status.capacity'),
    )
  return [
    ...errors,
    ...immutable('volumeMode', object.spec.volumeMode, previous.spec.volumeMode),
    ...removedClassErrors(object, previous),
  ]
}

/** A class that has been applied can be replaced, not taken away. */
function removedClassErrors({ spec }: PersistentVolumeClaim, { status }: PersistentVolumeClaim): readonly FieldError[] {
  if (status?.currentVolumeAttributesClassName === undefined || spec.volumeAttributesClassName) return []
  const what = spec.volumeAttributesClassName === undefined ? 'nil' : 'empty string'
  const detail = `update to ${what} is forbidden when status.currentVolumeAttributesClassName is not nil`
  return [forbidden(new FieldPath('spec.volumeAttributesClassName'), detail)]
}

/** The new spec with the old values of what may change just now: equal to the old spec when the change is allowed. */
function withMutableFieldsOf(
  { spec, status }: PersistentVolumeClaim,
  previous: PersistentVolumeClaim,
): PersistentVolumeClaimSpec {
  const before = previous.spec
  const requests = { ...spec.resources?.requests, ...only(before.resources?.requests, 'storage') }
  return {
    ...spec,
    ...(before.volumeName ? {} : { volumeName: before.volumeName }),
    ...(before.storageClassName === undefined ? { storageClassName: undefined } : {}),
    ...(status?.phase === 'Bound' && spec.resources?.requests ? { resources: { ...spec.resources, requests } } : {}),
    ...(status?.phase === 'Bound' ? { volumeAttributesClassName: before.volumeAttributesClassName } : {}),
  }
}

function only(record: Readonly<Record<string, string>> | undefined, key: string): Readonly<Record<string, string>> {
  const value = record?.[key]
  return value === undefined ? {} : { [key]: value }
}

/** Nano bytes, to compare exactly. */
function storageOf({ spec, status }: PersistentVolumeClaim, part: 'spec' | 'status'): bigint {
  return quantityOf(part === 'spec' ? spec.resources?.requests?.storage : status?.capacity?.storage).nano
}

function validateStatus(object: PersistentVolumeClaim, _previous: PersistentVolumeClaim): readonly FieldError[] {
  const { spec, status } = object
  const errors: FieldError[] = []
  if ((spec.accessModes ?? []).length === 0) errors.push(required(new FieldPath('Spec.accessModes')))
  for (const [name, text] of Object.entries(status?.capacity ?? {}))
    if (compareQuantities(quantityOf(text), quantityOf('0')) < 0)
      errors.push(
        invalidValue(new FieldPath('status.capacity').key(name), toNumber(text), 'must be a valid resource quantity'),
      )
  return [...errors, ...growthErrors(status)]
}

const GROWTH = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
]

/** What a claim grows to, and how far that is. */
function growthErrors(status: PersistentVolumeClaim['status']): readonly FieldError[] {
  const statuses = new FieldPath('status.allocatedResourceStatuses')
  const allocated = new FieldPath('status.allocatedResources')
  return [
    ...Object.entries(status?.allocatedResourceStatuses ?? {}).flatMap(([name, step]) => [
      ...grownNameErrors(statuses, name),
      // Upstream names the resource, not the step that is wrong.
      ...(GROWTH.includes(step) ? [] : [notSupported(statuses, name, GROWTH)]),
    ]),
    ...Object.keys(status?.allocatedResources ?? {}).flatMap((name) => grownNameErrors(allocated, name)),
  ]
}

/** Of the resources that Kubernetes names, only storage grows. */
function grownNameErrors(path: FieldPath, name: string): readonly FieldError[] {
  const errors = qualifiedNameErrors(path, name)
  if (errors.length > 0 || !isNativeResource(name) || name === 'storage') return errors
  return [notSupported(path, name, ['storage'])]
}
