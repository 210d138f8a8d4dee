/** PersistentVolumes: a piece of storage in the cluster. What it is made of never changes. */

import { deepEqual } from '../../../base/deep-equal.ts'
import { type FieldError, FieldPath, forbidden, invalidValue, required } from '../../../machinery/meta/field-error.ts'
import { formatTime } from '../../../machinery/meta/time.ts'
import { builtinSchema } from '../../builtin-schema.ts'
import { ageColumn, nameColumn, textColumn, wideColumn } from '../../columns.ts'
import { defineResource } from '../../define-resource.ts'
import { mapField, withAbsent, withZero } from '../../field-defaults.ts'
import { immutable, keepSpec, keepStatus } from '../../strategy-parts.ts'
import { changesText } from '../pod/changes-text.ts'
import type { ObjectReference, PersistentVolume, PersistentVolumeSpec } from '../types.gen.ts'
import { accessModesText, storageClassText, UNSET } from '../volume-rules.ts'
import { SOURCE_FIELDS, type SourceField } from './sources.ts'
import { validateVolumeSpec } from './validate.ts'

export const persistentVolumes = defineResource<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  resource: 'persistentvolumes',
  shortNames: ['pv'],
  scope: 'Cluster',
  schema: builtinSchema('core.v1.PersistentVolume'),
  default: withDefaults,
  prepareForCreate: (object, { nowMs }) => ({
    ...object,
    status: { phase: 'Pending', lastPhaseTransitionTime: formatTime(nowMs) },
  }),
  prepareForUpdate: keepStatus,
  validate: ({ spec }) => validateVolumeSpec(spec ?? {}, new FieldPath('spec')),
  validateUpdate,
  warnings: volumeWarnings,
  deletion: { returns: 'object' },
  status: {
    prepareForUpdate: (object, previous, { nowMs }) => withTransitionTime(keepSpec(object, previous), previous, nowMs),
    validateUpdate: ({ metadata }) => (metadata.resourceVersion ? [] : [required(new FieldPath('resourceVersion'))]),
  },
  resetFields: { '': [['status']], status: [['spec']] },
  columns: [
    nameColumn,
    textColumn('Capacity', ({ spec }: PersistentVolume) => spec?.capacity?.storage ?? '0'),
    textColumn('Access Modes', ({ spec }: PersistentVolume) => accessModesText(spec?.accessModes)),
    textColumn('Reclaim Policy', ({ spec }: PersistentVolume) => spec?.persistentVolumeReclaimPolicy ?? ''),
    textColumn('Status', ({ metadata, status }: PersistentVolume) =>
      metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? ''),
    ),
    textColumn('Claim', ({ spec }: PersistentVolume) => claimText(spec?.claimRef)),
    textColumn('StorageClass', ({ metadata, spec }: PersistentVolume) =>
      storageClassText({ metadata, spec: spec ?? {} }),
    ),
    textColumn('VolumeAttributesClass', ({ spec }: PersistentVolume) => spec?.volumeAttributesClassName ?? UNSET),
    textColumn('Reason', ({ status }: PersistentVolume) => status?.reason ?? ''),
    ageColumn,
    wideColumn('VolumeMode', ({ spec }: PersistentVolume) => spec?.volumeMode ?? UNSET),
  ],
})

const sourceDefaults: readonly ((spec: PersistentVolumeSpec) => PersistentVolumeSpec)[] = [
  (spec) => mapField(spec, 'hostPath', (source) => withAbsent(source, { type: '' })),
  (spec) => mapField(spec, 'iscsi', (source) => withZero(source, { iscsiInterface: 'default' })),
  (spec) =>
    mapField(spec, 'rbd', (source) => withZero(source, { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' })),
  (spec) =>
    mapField(spec, 'azureDisk', (source) =>
      withAbsent(source, { cachingMode: 'ReadWrite', fsType: 'ext4', kind: 'Shared', readOnly: false }),
    ),
  (spec) => mapField(spec, 'scaleIO', (source) => withZero(source, { fsType: 'xfs', storageMode: 'ThinProvisioned' })),
]

function withDefaults(object: PersistentVolume): PersistentVolume {
  return {
    ...object,
    spec: sourceDefaults.reduce(
      (spec, step) => step(spec),
      withAbsent(withZero<PersistentVolumeSpec>(object.spec ?? {}, { persistentVolumeReclaimPolicy: 'Retain' }), {
        volumeMode: 'Filesystem',
      }),
    ),
    status: withZero(object.status ?? {}, { phase: 'Pending' }),
  }
}

/** Sources that are on their way out, and since when. */
const DEPRECATED_SOURCES: readonly (readonly [field: SourceField, path: string, since: string])[] = [
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]
const RECYCLE =
  'The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.'

function volumeWarnings({ spec }: PersistentVolume): readonly string[] {
  const recycles = spec?.persistentVolumeReclaimPolicy === 'Recycle'
  return [
    ...(recycles ? [`spec.persistentVolumeReclaimPolicy: ${RECYCLE}`] : []),
    ...DEPRECATED_SOURCES.filter(([field]) => spec?.[field] !== undefined).map(
      ([, path, since]) => `spec.${path}: ${since}`,
    ),
  ]
}

function claimText(claim: ObjectReference | undefined): string {
  return claim ? `${claim.namespace ?? ''}/${claim.name ?? ''}` : ''
}

function withTransitionTime(object: PersistentVolume, previous: PersistentVolume, nowMs: number): PersistentVolume {
  const { status } = object
  const { lastPhaseTransitionTime: before, phase } = previous.status ?? {}
  if (status?.lastPhaseTransitionTime && status.lastPhaseTransitionTime !== before) return object
  const lastPhaseTransitionTime = status?.phase === phase ? before : formatTime(nowMs)
  return { ...object, status: { ...status, lastPhaseTransitionTime } }
}

function validateUpdate({ spec }: PersistentVolume, previous: PersistentVolume): readonly FieldError[] {
  const before = previous.spec ?? {}
  // Upstream judges the whole spec once more when it compares it with the previous one.
  const errors = [...validateVolumeSpec(spec ?? {}, new FieldPath('spec'))]
  const changed: readonly FieldError[] = sameSource(spec ?? {}, before)
    ? []
    : [
        forbidden(
          new FieldPath('spec.persistentvolumesource'),
          `spec.persistentvolumesource is immutable after creation\n${changesText(sourceOf(before), sourceOf(spec ?? {}))}`,
        ),
      ]
  errors.push(...changed, ...immutable('volumeMode', spec?.volumeMode, before.volumeMode))
  if (before.nodeAffinity !== undefined && !deepEqual(spec?.nodeAffinity, before.nodeAffinity)) {
    const detail = 'field is immutable, except for updating from beta label to GA'
    errors.push(invalidValue(new FieldPath('nodeAffinity'), spec?.nodeAffinity, detail))
  }
  if (before.volumeAttributesClassName !== undefined && spec?.volumeAttributesClassName === undefined)
    errors.push(
      forbidden(new FieldPath('spec.volumeAttributesClassName'), 'update from non-nil value to nil is forbidden'),
    )
  return errors
}

function sourceOf(spec: PersistentVolumeSpec): object {
  return Object.fromEntries(SOURCE_FIELDS.map((field) => [field, spec[field]]))
}

/** The secret for growing a CSI volume may be added later. */
function sameSource(spec: PersistentVolumeSpec, before: PersistentVolumeSpec): boolean {
  return SOURCE_FIELDS.every((field) => {
    if (field !== 'csi' || !spec.csi || before.csi?.controllerExpandSecretRef)
      return deepEqual(spec[field], before[field])
    const { controllerExpandSecretRef: _, ...source } = spec.csi
    return deepEqual(source, before.csi)
  })
}
