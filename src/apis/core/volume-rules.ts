/** Rules and cells that volumes and claims share. */

import {
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  notSupported,
} from '../../machinery/meta/field-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { parseQuantity, quantityText } from '../../machinery/meta/quantity.ts'

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
export const VOLUME_MODES = ['Block', 'Filesystem']
/** What a cell says of a field that nobody set. */
export const UNSET = '<unset>'

/** Known modes, and the one that excludes all others alone. */
export function accessModeErrors(modes: readonly string[], path: FieldPath): readonly FieldError[] {
  const errors = modes.flatMap((mode) => (ACCESS_MODES.includes(mode) ? [] : [notSupported(path, mode, ACCESS_MODES)]))
  const known = modes.filter((mode) => ACCESS_MODES.includes(mode))
  const mixed = known.includes('ReadWriteOncePod') && known.some((mode) => mode !== 'ReadWriteOncePod')
  return mixed ? [...errors, forbidden(path, 'may not use ReadWriteOncePod with other access modes')] : errors
}

export function positiveQuantityErrors(path: FieldPath, text: string): readonly FieldError[] {
  const quantity = parseQuantity(text)
  if (typeof quantity === 'string' || quantity.nano > 0n) return []
  return [invalidValue(path, quantityText(quantity), 'must be greater than zero')]
}

const SHORT_MODES: readonly (readonly [mode: string, short: string])[] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
]

/** `RWO,ROX`, in upstream's order. */
export function accessModesText(modes: readonly string[] | undefined): string {
  return SHORT_MODES.flatMap(([mode, short]) => (modes?.includes(mode) ? [short] : [])).join(',')
}

/** The class by its old annotation or its field. */
export function storageClassText(
  object: KubeObject & { readonly spec: { readonly storageClassName?: string | undefined } },
): string {
  return object.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? object.spec.storageClassName ?? ''
}
