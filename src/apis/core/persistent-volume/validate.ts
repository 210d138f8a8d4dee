/** Rules for a PersistentVolume's spec. */

import { posix } from 'node:path'
import {
  type FieldError,
  type FieldPath,
  forbidden,
  notSupported,
  required,
} from '../../../machinery/meta/field-error.ts'
import { dnsSubdomainErrors } from '../../field-rules.ts'
import { validateNodeSelector } from '../pod/validate-affinity.ts'
import type { PersistentVolumeSpec } from '../types.gen.ts'
import { accessModeErrors, positiveQuantityErrors, VOLUME_MODES } from '../volume-rules.ts'
import { sourceErrors } from './sources.ts'

const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain']

export function validateVolumeSpec(spec: PersistentVolumeSpec, path: FieldPath): readonly FieldError[] {
  const { accessModes = [], persistentVolumeReclaimPolicy: policy, storageClassName, volumeMode } = spec
  return [
    ...(accessModes.length === 0 ? [required(path.child('accessModes'))] : []),
    ...accessModeErrors(accessModes, path.child('accessModes')),
    ...capacityErrors(spec, path.child('capacity')),
    ...(policy && !RECLAIM_POLICIES.includes(policy)
      ? [notSupported(path.child('persistentVolumeReclaimPolicy'), policy, RECLAIM_POLICIES)]
      : []),
    ...nodeAffinityErrors(spec, path.child('nodeAffinity')),
    ...sourceErrors(spec, path, isAffinityGiven(spec)),
    ...recycledRootErrors(spec, path),
    ...(storageClassName ? dnsSubdomainErrors(path.child('storageClassName'), storageClassName) : []),
    ...(volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode)
      ? [notSupported(path.child('volumeMode'), volumeMode, VOLUME_MODES)]
      : []),
    ...attributesClassErrors(spec, path),
  ]
}

function capacityErrors({ capacity: given }: PersistentVolumeSpec, path: FieldPath): readonly FieldError[] {
  const capacity = given ?? {}
  const names = Object.keys(capacity)
  return [
    ...(names.length === 0 ? [required(path)] : []),
    ...(names.length === 1 && names[0] === 'storage' ? [] : [notSupported(path, given ?? null, ['storage'])]),
    ...Object.entries(capacity).flatMap(([name, text]) => positiveQuantityErrors(path.key(name), text)),
  ]
}

function nodeAffinityErrors({ nodeAffinity }: PersistentVolumeSpec, path: FieldPath): readonly FieldError[] {
  if (nodeAffinity === undefined) return []
  if (nodeAffinity.required === undefined)
    return [required(path.child('required'), 'must specify required node constraints')]
  const terms = nodeAffinity.required.nodeSelectorTerms ?? []
  const requiredPath = path.child('required')
  if (terms.length === 0)
    return [required(requiredPath.child('nodeSelectorTerms'), 'must have at least one node selector term')]
  return validateNodeSelector(terms, requiredPath)
}

function isAffinityGiven({ nodeAffinity }: PersistentVolumeSpec): boolean {
  return nodeAffinity !== undefined
}

function recycledRootErrors(spec: PersistentVolumeSpec, path: FieldPath): readonly FieldError[] {
  const root = spec.hostPath?.path !== undefined && posix.normalize(spec.hostPath.path) === '/'
  if (!root || spec.persistentVolumeReclaimPolicy !== 'Recycle') return []
  return [forbidden(path.child('persistentVolumeReclaimPolicy'), "may not be 'recycle' for a hostPath mount of '/'")]
}

function attributesClassErrors(spec: PersistentVolumeSpec, path: FieldPath): readonly FieldError[] {
  const { volumeAttributesClassName: name } = spec
  if (name === undefined) return []
  const place = path.child('volumeAttributesClassName')
  const errors = name === '' ? [required(place, 'an empty string is disallowed')] : dnsSubdomainErrors(place, name)
  if (spec.csi) return errors
  return [...errors, required(path.child('csi'), 'has to be specified when using volumeAttributesClassName')]
}
