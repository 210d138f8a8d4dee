/** VolumeAttachments: the wish that a volume be attached to a node, and how far a driver has got with it. */

import {
  type FieldError,
  FieldPath,
  forbidden,
  invalidValue,
  required,
  tooLong,
} from '../../machinery/meta/field-error.ts'
import { byteLength } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn, textColumn } from '../columns.ts'
import { validateVolumeSpec } from '../core/persistent-volume/validate.ts'
import type { PersistentVolumeSpec } from '../core/types.gen.ts'
import { defineResource } from '../define-resource.ts'
import { dnsSubdomainErrors } from '../field-rules.ts'
import { immutable, keepMetadata, keepSpec, keepStatus, withoutStatus } from '../strategy-parts.ts'
import { driverNameErrors, totalBytes } from './class-rules.ts'
import type { VolumeAttachment, VolumeAttachmentSource, VolumeError } from './types.gen.ts'

/** Bytes of all names and values of what a driver says of an attachment. */
const METADATA_BYTES_MAX = 256 * 1024
const MESSAGE_BYTES_MAX = 1024
const INT32_MAX = 2 ** 31 - 1

export const volumeAttachments = defineResource<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  resource: 'volumeattachments',
  scope: 'Cluster',
  schema: builtinSchema('storage.v1.VolumeAttachment'),
  prepareForCreate: withoutStatus,
  prepareForUpdate: keepStatus,
  validate: validateAttachment,
  validateUpdate: ({ spec }, previous) => immutable('spec', spec, previous.spec),
  status: {
    prepareForUpdate: (object, previous) => keepMetadata(keepSpec(object, previous), previous),
    validateUpdate: validateAttachment,
  },
  resetFields: { '': [['status']], status: [['metadata'], ['spec']] },
  unconditionalUpdate: false,
  deletion: { returns: 'object' },
  columns: [
    nameColumn,
    { name: 'Attacher', type: 'string', format: 'name', value: ({ spec }) => spec?.attacher ?? '' },
    textColumn('PV', ({ spec }: VolumeAttachment) => spec?.source?.persistentVolumeName ?? ''),
    textColumn('Node', ({ spec }: VolumeAttachment) => spec?.nodeName ?? ''),
    { name: 'Attached', type: 'boolean', value: ({ status }) => status?.attached ?? false },
    ageColumn,
  ],
})

const specPath = new FieldPath('spec')
const statusPath = new FieldPath('status')

function validateAttachment({ spec, status }: VolumeAttachment): readonly FieldError[] {
  const { attacher = '', nodeName = '', source = {} } = spec ?? {}
  const { attachmentMetadata = {}, attachError, detachError } = status ?? {}
  const name = source.persistentVolumeName
  return [
    ...driverNameErrors(specPath.child('attacher'), attacher),
    ...sourceErrors(source, specPath.child('source')),
    ...dnsSubdomainErrors(specPath.child('nodeName'), nodeName),
    ...(totalBytes(attachmentMetadata) > METADATA_BYTES_MAX
      ? [tooLong(statusPath.child('attachmentMetadata'), METADATA_BYTES_MAX)]
      : []),
    ...volumeErrorErrors(attachError, statusPath.child('attachError')),
    ...volumeErrorErrors(detachError, statusPath.child('detachError')),
    ...(name === undefined ? [] : dnsSubdomainErrors(specPath.child('source', 'persistentVolumeName'), name)),
  ]
}

function sourceErrors(source: VolumeAttachmentSource, path: FieldPath): readonly FieldError[] {
  const { persistentVolumeName: name, inlineVolumeSpec } = source
  const detail = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
  if (name !== undefined && inlineVolumeSpec !== undefined) return [forbidden(path, detail)]
  if (inlineVolumeSpec !== undefined) return inlineErrors(inlineVolumeSpec, path.child('inlineVolumeSpec'))
  if (name === undefined) return [required(path, detail)]
  return name === ''
    ? [required(path.child('persistentVolumeName'), 'must specify non empty persistentVolumeName')]
    : []
}

/** A volume that was never one of the cluster has nothing that only those have. */
function inlineErrors(spec: PersistentVolumeSpec, path: FieldPath): readonly FieldError[] {
  const { claimRef, nodeAffinity, storageClassName, volumeMode, persistentVolumeReclaimPolicy: policy } = spec
  const context = 'in the context of inline volumes'
  const capacity = Object.keys(spec.capacity ?? {}).length > 0 ? spec.capacity : undefined
  const unwanted = { claimRef, capacity, nodeAffinity, storageClassName: storageClassName || undefined }
  const errors: FieldError[] = Object.entries(unwanted).flatMap(([field, value]) =>
    value === undefined ? [] : [forbidden(path.child(field), `may not be specified ${context}`)],
  )
  if (!spec.csi) errors.push(required(path.child('csi'), `has to be specified ${context}`))
  if (policy && policy !== 'Retain')
    errors.push(forbidden(path.child('persistentVolumeReclaimPolicy'), `may only be Retain ${context}`))
  if (volumeMode !== undefined && volumeMode !== 'Filesystem') {
    const detail = `may not specify volumeMode other than Filesystem ${context}`
    errors.push(forbidden(path.child('volumeMode'), detail))
  }
  const { claimRef: _, nodeAffinity: __, storageClassName: ___, volumeMode: ____, ...others } = spec
  const complete = { ...others, capacity: { storage: '1' }, persistentVolumeReclaimPolicy: 'Retain' as const }
  return [...errors, ...validateVolumeSpec(complete, path)]
}

function volumeErrorErrors(error: VolumeError | undefined, path: FieldPath): readonly FieldError[] {
  const { message = '', errorCode = 0 } = error ?? {}
  return [
    // The limit that upstream names here is that of the metadata.
    ...(byteLength(message) > MESSAGE_BYTES_MAX ? [tooLong(path.child('message'), METADATA_BYTES_MAX)] : []),
    ...(errorCode < 0
      ? [invalidValue(path.child('errorCode'), errorCode, `must be between 0 and ${INT32_MAX}, inclusive`)]
      : []),
  ]
}
