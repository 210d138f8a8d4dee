/**
 * THE write path: what happens to every object on its way in, whatever the verb, top to bottom. `create.ts` and
 * `update.ts` say what each step means for them.
 */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { invalid, requestEntityTooLarge } from '../../machinery/meta/api-error.ts'
import type { FieldError } from '../../machinery/meta/field-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { canonical } from '../../machinery/schema/canonical.ts'
import type { Reservation } from './admission-hooks.ts'

export interface WriteSteps<T extends KubeObject, Result> {
  /** Records in managedFields who set what. */
  track(object: T): T
  /** The plugins that change objects. */
  mutate(object: T): Promise<T>
  /** Drops what this endpoint may not set, sets what writing implies. */
  prepare(object: T): T
  /** What must be had before the object can be written: addresses, ports. */
  reserve(object: T): Promise<Reservation<T>>
  /** Under which findings are named, where that is not the definition's kind. */
  readonly kind?: { readonly group: string; readonly kind: string } | undefined
  /** Findings; none lets the object pass. */
  validate(object: T): readonly FieldError[]
  /** The plugins that refuse objects. */
  admit(object: T): Promise<void>
  /** Durable when it resolves. */
  persist(object: T): Promise<Result>
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
  const withDefaults = (object: T): T => canonical(definition.default(object), schema)
  // Defaults expect objects in form: what a client sent may have nulls where the schema has none.
  const tracked = steps.track(withDefaults(canonical(incoming, schema)))
  const mutated = await steps.mutate(tracked)
  const prepared = canonical(steps.prepare(mutated === tracked ? tracked : withDefaults(mutated)), schema)
  const reservation = await steps.reserve(prepared)
  try {
    const complete = reservation.object === prepared ? prepared : canonical(reservation.object, schema)
    failOn(steps.kind ?? definition, complete, steps.validate(complete))
    await steps.admit(complete)
    const result = await steps.persist(complete)
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
