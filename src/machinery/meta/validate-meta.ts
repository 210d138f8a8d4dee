/**
 * Validation of metadata, the same for every resource: names, labels, annotations, owners, finalizers and what
 * an update may not change. Wording: apimachinery's `api/validation` package.
 */

import { deepEqual } from '../../base/deep-equal.ts'
import { byCodeUnit, sortedKeys } from '../../base/group-by.ts'
import { type FieldError, FieldPath, forbidden, invalidValue, required, tooLong } from './field-error.ts'
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER, STANDARD_FINALIZERS } from './finalizers.ts'
import { parseApiVersion } from './group-version.ts'
import { validateLabels } from './labels.ts'
import { byteLength, isQualifiedName, type NameRule, nameIsDns1123Label } from './names.ts'
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from './object.ts'

/** Bytes of all keys and values of an object's annotations. */
export const ANNOTATIONS_BYTES_MAX = 262_144
/** Bytes of a field manager's name. */
export const FIELD_MANAGER_BYTES_MAX = 128
const SUBRESOURCE_BYTES_MAX = 256

const FIELD_IMMUTABLE = 'field is immutable'
const IS_NEGATIVE = 'must be greater than or equal to 0'

export const metadataPath = new FieldPath('metadata')

export interface ObjectMetaRules {
  readonly namespaced: boolean
  readonly nameRule: NameRule
  readonly path?: FieldPath | undefined
}

/** Metadata of an object to create; a generated name is already in place. */
export function validateObjectMeta(meta: ObjectMeta, { namespaced, nameRule, path }: ObjectMetaRules): FieldError[] {
  const at = path ?? metadataPath
  const errors: FieldError[] = []
  const { name = '', generateName = '', namespace = '', generation = 0 } = meta
  if (generateName !== '')
    for (const finding of nameRule(generateName, true))
      errors.push(invalidValue(at.child('generateName'), generateName, finding))
  if (name === '') errors.push(required(at.child('name'), 'name or generateName is required'))
  else for (const finding of nameRule(name, false)) errors.push(invalidValue(at.child('name'), name, finding))
  errors.push(...validateNamespace(namespace, namespaced, at.child('namespace')))
  if (generation < 0) errors.push(invalidValue(at.child('generation'), generation, IS_NEGATIVE))
  errors.push(...validateCommon(meta, at))
  if (meta.finalizers) errors.push(...validateFinalizers(meta.finalizers, at.child('finalizers')))
  if (meta.managedFields) errors.push(...validateManagedFields(meta.managedFields, at.child('managedFields')))
  return errors
}

/** What an update must also satisfy. `next` carries the resource version it was based on. */
export function validateObjectMetaUpdate(
  next: ObjectMeta,
  previous: ObjectMeta,
  path: FieldPath = metadataPath,
): FieldError[] {
  const errors: FieldError[] = []
  if (typeof previous.deletionTimestamp === 'string')
    errors.push(...validateNoNewFinalizers(next, previous, path.child('finalizers')))
  if (!next.resourceVersion)
    errors.push(invalidValue(path.child('resourceVersion'), '', 'must be specified for an update'))
  if ((next.generation ?? 0) < (previous.generation ?? 0))
    errors.push(invalidValue(path.child('generation'), next.generation ?? 0, 'must not be decremented'))
  for (const field of ['name', 'namespace', 'uid'] as const)
    errors.push(...validateImmutable(next[field] ?? '', previous[field] ?? '', path, field))
  for (const field of ['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const)
    errors.push(...validateImmutable(next[field] ?? null, previous[field] ?? null, path, field))
  errors.push(...validateCommon(next, path))
  if (next.managedFields) errors.push(...validateManagedFields(next.managedFields, path.child('managedFields')))
  return errors
}

function validateImmutable(next: unknown, previous: unknown, path: FieldPath, field: string): FieldError[] {
  return deepEqual(next, previous) ? [] : [invalidValue(path.child(field), next, FIELD_IMMUTABLE)]
}

function validateNamespace(namespace: string, namespaced: boolean, path: FieldPath): FieldError[] {
  if (!namespaced) return namespace === '' ? [] : [forbidden(path, 'not allowed on this type')]
  if (namespace === '') return [required(path)]
  return nameIsDns1123Label(namespace, false).map((finding) => invalidValue(path, namespace, finding))
}

function validateCommon({ labels, annotations, ownerReferences }: ObjectMeta, path: FieldPath): FieldError[] {
  const errors: FieldError[] = []
  if (labels) errors.push(...validateLabels(labels, path.child('labels')))
  if (annotations) errors.push(...validateAnnotations(annotations, path.child('annotations')))
  if (ownerReferences) errors.push(...validateOwnerReferences(ownerReferences, path.child('ownerReferences')))
  return errors
}

export function validateAnnotations(annotations: Readonly<Record<string, string>>, path: FieldPath): FieldError[] {
  const errors = sortedKeys(annotations).flatMap((key) =>
    isQualifiedName(key.toLowerCase()).map((finding) => invalidValue(path, key, finding)),
  )
  const bytes = Object.entries(annotations).reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0)
  if (bytes > ANNOTATIONS_BYTES_MAX) errors.push(tooLong(path, ANNOTATIONS_BYTES_MAX))
  return errors
}

function validateOwnerReferences(references: readonly OwnerReference[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = []
  let controllerName: string | undefined
  for (const reference of references) {
    errors.push(...validateOwnerReference(reference, path))
    if (reference.controller !== true) continue
    const name = `${reference.kind}/${reference.name}`
    if (controllerName === undefined) controllerName = name
    else {
      const detail =
        'Only one reference can have Controller set to true. ' +
        `Found "true" in references for ${controllerName} and ${name}`
      errors.push(invalidValue(path, references, detail))
    }
  }
  return errors
}

function validateOwnerReference(reference: OwnerReference, path: FieldPath): FieldError[] {
  const { apiVersion = '', kind = '', name = '', uid = '' } = reference
  const errors: FieldError[] = []
  if (!parseApiVersion(apiVersion))
    errors.push(invalidValue(path.child('apiVersion'), apiVersion, 'version must not be empty'))
  for (const [field, value] of Object.entries({ kind, name, uid }))
    if (value === '') errors.push(invalidValue(path.child(field), value, 'must not be empty'))
  if (apiVersion === 'v1' && kind === 'Event')
    errors.push(invalidValue(path, reference, '/v1, Kind=Event is disallowed from being an owner'))
  return errors
}

export function validateFinalizers(finalizers: readonly string[], path: FieldPath): FieldError[] {
  const errors = finalizers.flatMap((finalizer) =>
    isQualifiedName(finalizer).map((finding) => invalidValue(path, finalizer, finding)),
  )
  if (finalizers.includes(ORPHAN_FINALIZER) && finalizers.includes(FOREGROUND_FINALIZER)) {
    const detail = `finalizer ${ORPHAN_FINALIZER} and ${FOREGROUND_FINALIZER} cannot be both set`
    errors.push(invalidValue(path, finalizers, detail))
  }
  return errors
}

/** Stricter than `validateFinalizers`, for most kinds that are built in. */
export function validateOwnedFinalizers(finalizers: readonly string[], path: FieldPath): FieldError[] {
  return finalizers.flatMap((name, index) => finalizerOwner(path.index(index), name))
}

export function finalizerOwner(path: FieldPath, name: string): FieldError[] {
  if (name.includes('/') || STANDARD_FINALIZERS.includes(name)) return []
  return [invalidValue(path, name, 'name is neither a standard finalizer name nor is it fully qualified')]
}

function validateNoNewFinalizers(next: ObjectMeta, previous: ObjectMeta, path: FieldPath): FieldError[] {
  const known = new Set(previous.finalizers)
  const added = [...new Set(next.finalizers)].filter((finalizer) => !known.has(finalizer)).sort(byCodeUnit)
  if (added.length === 0) return []
  const list = `[]string{${added.map((finalizer) => JSON.stringify(finalizer)).join(', ')}}`
  const rule = 'no new finalizers can be added if the object is being deleted, found new finalizers'
  return [forbidden(path, `${rule} ${list}`)]
}

function validateManagedFields(entries: readonly ManagedFieldsEntry[], path: FieldPath): FieldError[] {
  return entries.flatMap((entry, index) => validateManagedFieldsEntry(entry, path.index(index)))
}

function validateManagedFieldsEntry(entry: ManagedFieldsEntry, path: FieldPath): FieldError[] {
  const { operation = '', fieldsType = '', manager = '', subresource = '' } = entry
  const errors: FieldError[] = []
  if (operation !== 'Apply' && operation !== 'Update')
    errors.push(invalidValue(path.child('operation'), operation, 'must be `Apply` or `Update`'))
  if (fieldsType !== '' && fieldsType !== 'FieldsV1')
    errors.push(invalidValue(path.child('fieldsType'), fieldsType, 'must be `FieldsV1`'))
  errors.push(...validateFieldManager(manager, path.child('manager')))
  if (byteLength(subresource) > SUBRESOURCE_BYTES_MAX)
    errors.push(tooLong(path.child('subresource'), SUBRESOURCE_BYTES_MAX))
  return errors
}

/** A field manager's name, in entries and in the `fieldManager` parameter. */
export function validateFieldManager(manager: string, path: FieldPath): FieldError[] {
  if (manager.length <= FIELD_MANAGER_BYTES_MAX && /^[ -~]*$/.test(manager)) return []
  const errors: FieldError[] = []
  if (byteLength(manager) > FIELD_MANAGER_BYTES_MAX) errors.push(tooLong(path, FIELD_MANAGER_BYTES_MAX))
  let position = 0
  for (const character of manager) {
    if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character))
      errors.push(invalidValue(path, manager, `invalid character ${codePoint(character)} (at position ${position})`))
    position += byteLength(character)
  }
  return errors
}

/** Go's `%#U` of a character that cannot be printed: `U+000A`. */
function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}
