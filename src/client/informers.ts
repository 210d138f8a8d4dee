/** One shared informer per resource: contract; `createInformers` is below. */

import type { ResourceDefinition } from '../apis/definition.ts'
import type { KubeObject } from '../machinery/meta/object.ts'
import type { Informer } from './informer.ts'

export interface Informers extends AsyncDisposable {
  /** Starts on first use. */
  of<T extends KubeObject>(definition: ResourceDefinition<T>): Informer<T>
  /** Resolves when every informer asked for so far has synced. */
  whenSynced(signal?: AbortSignal): Promise<void>
}
