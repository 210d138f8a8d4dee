/**
 * Writing what the server itself begins with, which nobody has to admit or check. A normal create of each would cost a
 * start two tenths of a second.
 */

import { randomUuid } from '../../base/random.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import { canonical } from '../../machinery/schema/canonical.ts'
import { ownWrites, type RegistryContext } from './context.ts'
import { put } from './persist.ts'
import { trackCreate } from './track.ts'

const CAUSE = { by: 'bootstrap' }

/**
 * Objects whose names are taken stay as they are. `fieldManager`: who is recorded in managedFields; the objects are
 * what a client would send. Absent: they are in final form, their fields in the schema's order.
 */
export async function seed<T extends KubeObject>(
  context: RegistryContext<T>,
  objects: readonly T[],
  fieldManager?: string,
): Promise<void> {
  const final = (object: T) =>
    fieldManager === undefined ? withSystemFields(context, object) : created(context, object, fieldManager)
  await Promise.all(objects.map((object) => put(context, final(object), undefined, CAUSE)))
}

/** As a create would write it: the same steps without plugins, reservations and findings. */
function created<T extends KubeObject>(context: RegistryContext<T>, object: T, fieldManager: string): T {
  const { definition, clock } = context
  const options = { ...ownWrites(CAUSE.by), fieldManager }
  const complete = canonical(definition.default(object), definition.schema)
  const tracked = trackCreate(context, complete, options)
  const named = withSystemFields(context, tracked)
  const prepared = definition.prepareForCreate(named, { user: options.user, nowMs: clock.now() })
  return canonical(prepared, definition.schema)
}

function withSystemFields<T extends KubeObject>({ random, clock }: RegistryContext<T>, object: T): T {
  const { name, namespace, ...rest } = object.metadata
  const place = namespace === undefined ? { name } : { name, namespace }
  const system = { uid: randomUuid(random), creationTimestamp: formatTime(clock.now()) }
  return { ...object, metadata: { ...place, ...system, ...rest } }
}
