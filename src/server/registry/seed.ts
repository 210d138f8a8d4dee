/**
 * Writing what the server itself begins with: objects in final form, which nobody has to admit, check or track. A normal
 * create of each would cost a start a tenth of a second.
 */

import { randomUuid } from '../../base/random.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import type { RegistryContext } from './context.ts'
import { put } from './persist.ts'

/** Objects whose names are taken stay as they are. The fields of the objects are in the schema's order. */
export async function seed<T extends KubeObject>(context: RegistryContext<T>, objects: readonly T[]): Promise<void> {
  const creationTimestamp = formatTime(context.clock.now())
  const complete = objects.map((object): T => {
    const { name, namespace, ...rest } = object.metadata
    const place = namespace === undefined ? { name } : { name, namespace }
    return { ...object, metadata: { ...place, uid: randomUuid(context.random), creationTimestamp, ...rest } }
  })
  await Promise.all(complete.map((object) => put(context, object, 0, { by: 'bootstrap' })))
}
