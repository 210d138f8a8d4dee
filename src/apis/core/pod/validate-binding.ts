/** The binding endpoint: what assigns a pod to its node, once. */

import { type FieldError, FieldPath, notSupported, required } from '../../../machinery/meta/field-error.ts'
import type { Binding } from '../types.gen.ts'

export function validateBinding({ target }: Binding): FieldError[] {
  const path = new FieldPath('target')
  const errors: FieldError[] = []
  if (target?.kind && target.kind !== 'Node')
    errors.push(notSupported(path.child('kind'), target.kind, ['Node', '<empty>']))
  if (!target?.name) errors.push(required(path.child('name')))
  return errors
}
