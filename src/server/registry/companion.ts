/** Statuses that the server itself writes, in the same transaction as the object that changes them. */

import type { KubeObject } from '../../machinery/meta/object.ts'
import { keyOf } from '../../machinery/meta/object.ts'
import { parseResourceVersion } from '../../machinery/meta/resource-version.ts'
import type { Companion } from './admission-hooks.ts'
import type { RegistryContext } from './context.ts'
import { statusEndpoint } from './endpoints.ts'
import { storageKey } from './object-key.ts'
import { trackUpdateOf } from './track.ts'

/** As whom the server stands in managedFields. */
const SERVER = 'kube-apiserver'

/** The write of `object`, whose status has changed, in place of `live`. */
export function companionOf<T extends KubeObject>(context: RegistryContext<T>, live: T, object: T): Companion {
  const { definition, codec } = context
  const endpoint = statusEndpoint(definition)
  const tracked = endpoint ? trackUpdateOf(context, { object, live, endpoint }, { fieldManager: SERVER }) : object
  return {
    key: storageKey(definition, keyOf(live)),
    expected: parseResourceVersion(live.metadata.resourceVersion),
    value: codec.encode(tracked),
  }
}
