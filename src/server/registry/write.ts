/**
 * THE write path: what happens to every object on its way in, whatever the verb, top to bottom. `create.ts` and
 * `update.ts` say what each step means for them.
 */

import type { ResourceDefinition } from '../../apis/definition.ts'
import type { Awaitable } from '../../base/awaitable.ts'
import { invalid, requestEntityTooLarge } from '../../machinery/meta/api-error.ts'
import type { FieldError } from '../../machinery/meta/field-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { canonical } from '../../machinery/schema/canonical.ts'
import type { Reservation } from './admission-hooks.ts'

export interface WriteSteps<T extends KubeObject, Result> {
  /** The object that is replaced: what stays as it is in it is neither walked nor copied. */
  readonly previous?: T | undefined
  /** Records in managedFields who set what. */
  track(object: T): T
  /** The plugins that change objects. */
  mutate(object: T): Awaitable<T>
  /** Drops what this endpoint may not set, sets what writing implies. */
  prepare(object: T): T
  /** What must be had before the object can be written: addresses, ports. */
  reserve(object: T): Awaitable<Reservation<T>>
  /** Under which findings are named, where that is not the definition's kind. */
  readonly kind?: { readonly group: string; readonly kind: string } | undefined
  /** Findings; none lets the object pass. */
  validate(object: T): readonly FieldError[]
  /** The plugins that refuse objects. */
  admit(object: T): Awaitable<void>
  /** Durable when it resolves. */
  persist(object: T): Awaitable<Result>
}

/** Throws 413 for an object of so many parts that no list of findings about it can be put together. */
export async function write<T extends KubeObject, Result>(
  definition: ResourceDefinition<T>,
  incoming: T,
  steps: WriteSteps<T, Result>,
): Promise<Result> {
  try {
    return await takeSteps(definition, incoming, steps)
  } catch (error) {
    if (error instanceof RangeError) throw requestEntityTooLarge('the object has too many parts to be checked')
    throw error
  }
}

async function takeSteps<T extends KubeObject, Result>(
  definition: ResourceDefinition<T>,
  incoming: T,
  steps: WriteSteps<T, Result>,
): Promise<Result> {
  const { schema } = definition
  const inForm = (object: T, known: T | undefined): T => canonical(object, schema, known)
  // Defaults expect objects in form: what a client sent may have nulls where the schema has none.
  const sent = inForm(incoming, steps.previous)
  const complete = inForm(definition.default(sent), sent)
  const tracked = inForm(steps.track(complete), complete)
  const mutating = steps.mutate(tracked)
  const mutated = mutating instanceof Promise ? await mutating : mutating
  const admitted = mutated === tracked ? tracked : inForm(definition.default(mutated), tracked)
  const prepared = inForm(steps.prepare(admitted), admitted)
  const reserved = steps.reserve(prepared)
  const reservation = reserved instanceof Promise ? await reserved : reserved
  try {
    const final = reservation.object === prepared ? prepared : inForm(reservation.object, prepared)
    failOn(steps.kind ?? definition, final, steps.validate(final))
    const admitting = steps.admit(final)
    if (admitting instanceof Promise) await admitting
    const result = await steps.persist(final)
    reservation.commit()
    return result
  } finally {
    reservation.release()
  }
}

function failOn(
  kind: { readonly group: string; readonly kind: string },
  object: KubeObject,
  errors: readonly FieldError[],
): void {
  if (errors.length > 0) throw invalid(kind, object.metadata.name ?? '', errors)
}
