/** What an update goes through that differs between the main resource and its parts. */

import type { ResetFields, WriteContext } from '../../apis/definition.ts'
import type { FieldError } from '../../machinery/meta/field-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'

/** What is updated: the main resource or an object-shaped part of it. */
export interface Endpoint<T extends KubeObject> {
  /** Empty for the main resource. */
  readonly subresource: string
  /** Under which failures are named, where clients send another kind than the resource's. */
  readonly kind?: { readonly group: string; readonly kind: string } | undefined
  prepareForUpdate(object: T, previous: T, context: WriteContext): T
  validate(object: T, previous: T): readonly FieldError[]
  readonly resetFields: ResetFields
}
