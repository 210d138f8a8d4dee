/** Paths below a volume's directory: relative, without steps back. */

import { type FieldError, type FieldPath, invalidValue } from '../../../../machinery/meta/field-error.ts'

export function validateNoBacksteps(target: string, path: FieldPath): FieldError[] {
  return hasBacksteps(target) ? [invalidValue(path, target, "must not contain '..'")] : []
}

export function hasBacksteps(target: string): boolean {
  return target.split('/').includes('..')
}

/** A relative path that does not leave its directory. */
export function validateDescendingPath(target: string, path: FieldPath): FieldError[] {
  const errors = target.startsWith('/') ? [invalidValue(path, target, 'must be a relative path')] : []
  return [...errors, ...validateNoBacksteps(target, path)]
}

/** As above, and not in the names that the volume writer keeps for itself. */
export function validateFilePath(target: string, path: FieldPath): FieldError[] {
  const errors = validateDescendingPath(target, path)
  if (target.startsWith('..') && !target.startsWith('../')) {
    errors.push(invalidValue(path, target, "must not start with '..'"))
  }
  return errors
}
