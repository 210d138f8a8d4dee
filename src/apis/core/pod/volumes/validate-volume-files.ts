/**
 * The parts of volumes that put files into a directory: keys to paths, downward API items, projections.
 * Paths stay below the volume's directory; modes are permissions only.
 */

import {
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  required,
} from '../../../../machinery/meta/field-error.ts'
import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from '../../types.gen.ts'
import { validateFieldReference, validateResourceReference } from '../containers/validate-environment.ts'
import { validateFilePath } from './paths.ts'

const MODE_MESSAGE = 'must be a number between 0 and 0777 (octal), both inclusive'

/** Seconds; a projected token that lived shorter would be renewed all the time. */
const TOKEN_SECONDS_MIN = 600
/** Seconds: 2^32, the longest a token may live. */
const TOKEN_SECONDS_MAX = 2 ** 32

/** Fields of the pod that a file may show; single labels and annotations may be subscripted. */
const FILE_FIELDS = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']

export function validateMode(mode: number | undefined, path: FieldPath): FieldError[] {
  return mode !== undefined && (mode < 0 || mode > 0o777) ? [invalidValue(path, mode, MODE_MESSAGE)] : []
}

export function validateKeysToPaths(items: readonly KeyToPath[] | undefined, path: FieldPath): FieldError[] {
  return (items ?? []).flatMap((item, index) => {
    const at = path.index(index)
    const errors: FieldError[] = []
    if (!item.key) errors.push(required(at.child('key')))
    if (!item.path) errors.push(required(at.child('path')))
    errors.push(...validateFilePath(item.path ?? '', at.child('path')))
    return [...errors, ...validateMode(item.mode, at.child('mode'))]
  })
}

export function validateDownwardFiles(
  items: readonly DownwardAPIVolumeFile[] | undefined,
  path: FieldPath,
): FieldError[] {
  return (items ?? []).flatMap((item, index) => validateDownwardFile(item, path.index(index)))
}

function validateDownwardFile(file: DownwardAPIVolumeFile, path: FieldPath): FieldError[] {
  const errors: FieldError[] = []
  if (!file.path) errors.push(required(path.child('path')))
  errors.push(...validateFilePath(file.path ?? '', path.child('path')))
  if (file.fieldRef) {
    errors.push(...validateFieldReference(file.fieldRef, FILE_FIELDS, path.child('fieldRef')))
    if (file.resourceFieldRef) {
      const detail = 'fieldRef and resourceFieldRef can not be specified simultaneously'
      errors.push(invalidValue(path, 'resource', detail))
    }
  } else if (file.resourceFieldRef) {
    errors.push(...validateResourceReference(file.resourceFieldRef, path.child('resourceFieldRef'), true))
  } else {
    errors.push(required(path, 'one of fieldRef and resourceFieldRef is required'))
  }
  return [...errors, ...validateMode(file.mode, path.child('mode'))]
}

/** All sources of a projected volume share one directory: no path may be written twice. */
export function validateProjected(projected: ProjectedVolumeSource, path: FieldPath): FieldError[] {
  const taken = new Set<string>()
  const sources = (projected.sources ?? []).flatMap((source, index) =>
    validateProjection(source, path.child('sources').index(index), path, taken),
  )
  return [...validateMode(projected.defaultMode, path.child('defaultMode')), ...sources]
}

function validateProjection(
  source: VolumeProjection,
  at: FieldPath,
  volume: FieldPath,
  taken: Set<string>,
): FieldError[] {
  const errors: FieldError[] = []
  const take = (target: string | undefined, owner: string) => {
    if (!target) return
    if (taken.has(target)) errors.push(invalidValue(volume, owner, 'conflicting duplicate paths'))
    taken.add(target)
  }
  for (const kind of ['secret', 'configMap'] as const) {
    const projection = source[kind]
    if (!projection) continue
    if (!projection.name) errors.push(required(at.child(kind, 'name')))
    errors.push(...validateKeysToPaths(projection.items, at.child(kind, 'items')))
    for (const item of projection.items ?? []) take(item.path, projection.name ?? '')
  }
  if (source.downwardAPI) {
    errors.push(...validateDownwardFiles(source.downwardAPI.items, at.child('downwardAPI')))
    for (const item of source.downwardAPI.items ?? []) take(item.path, item.path ?? '')
  }
  if (source.serviceAccountToken) {
    errors.push(...validateTokenProjection(source.serviceAccountToken, at.child('serviceAccountToken'), volume))
  }
  const kinds = Object.values(source).filter((value) => value !== undefined).length
  if (kinds > 1) errors.push(forbidden(at, 'may not specify more than 1 volume type per source'))
  return errors
}

/** The path is reported on the volume. */
function validateTokenProjection(token: ServiceAccountTokenProjection, at: FieldPath, volume: FieldPath): FieldError[] {
  const errors: FieldError[] = []
  const seconds = token.expirationSeconds ?? 0
  if (seconds < TOKEN_SECONDS_MIN) {
    const detail = 'may not specify a duration less than 10 minutes'
    errors.push(invalidValue(at.child('expirationSeconds'), seconds, detail))
  }
  if (seconds > TOKEN_SECONDS_MAX) {
    const detail = 'may not specify a duration larger than 2^32 seconds'
    errors.push(invalidValue(at.child('expirationSeconds'), seconds, detail))
  }
  if (!token.path) return [...errors, required(volume.child('path'))]
  return [...errors, ...validateFilePath(token.path, volume.child('path'))]
}
