/** Conditions of flow schemas and priority levels, of which only the type is looked at. */

import { duplicate, type FieldError, FieldPath, required } from '../../machinery/meta/field-error.ts'

export function namedConditionsErrors(
  conditions: readonly { readonly type?: string | undefined }[] | undefined = [],
): readonly FieldError[] {
  const types = conditions.map(({ type = '' }) => type)
  return types.flatMap((type, index) => {
    const path = new FieldPath('status').child('conditions').index(index).child('type')
    return [...(types.indexOf(type) < index ? [duplicate(path, type)] : []), ...(type === '' ? [required(path)] : [])]
  })
}
