/** What is wrong with a CEL expression in a field, in upstream's words. */

import { type FieldError, type FieldPath, invalidValue } from '../machinery/meta/field-error.ts'

/** `isInternal`: it was understood, and what it comes to is wrong. `shown`: what the message quotes. */
export function expressionErrors(
  path: FieldPath,
  shown: unknown,
  { failure, isInternal = false }: { readonly failure: string; readonly isInternal?: boolean | undefined },
): readonly FieldError[] {
  if (!isInternal) return [invalidValue(path, shown, failure)]
  return [{ type: 'InternalError', path: path.text, message: `Internal error: ${failure}` }]
}
