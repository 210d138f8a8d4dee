/** What a plan may ask for: contract. `execute` (below) is the only code that acts. */

import type { ResourceDefinition } from '../../apis/definition.ts'
import type { New, Patch } from '../../client/client.ts'
import type { KubeObject, ObjectKey } from '../../machinery/meta/object.ts'

export interface PlannedEvent {
  readonly regarding: KubeObject
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/**
 * `T` is erased here: build actions with the constructors below, which check it.
 * Runs of `create` and runs of `delete` execute concurrently in slowly growing batches; everything else in order.
 * A NotFound on delete and a failed uid precondition count as done. `success`/`failure` give the event to record.
 */
export type Action =
  | {
      readonly do: 'create'
      readonly definition: ResourceDefinition
      readonly object: New<KubeObject>
      readonly success?: ((created: KubeObject) => PlannedEvent) | undefined
      readonly failure?: ((error: Error) => PlannedEvent) | undefined
    }
  | { readonly do: 'update'; readonly definition: ResourceDefinition; readonly object: KubeObject }
  | { readonly do: 'update-status'; readonly definition: ResourceDefinition; readonly object: KubeObject }
  | {
      readonly do: 'patch'
      readonly definition: ResourceDefinition
      readonly key: ObjectKey
      readonly patch: Patch
      readonly subresource?: string | undefined
    }
  | {
      readonly do: 'delete'
      readonly definition: ResourceDefinition
      readonly object: KubeObject
      readonly gracePeriodSeconds?: number | undefined
      readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined
      readonly success?: (() => PlannedEvent) | undefined
      readonly failure?: ((error: Error) => PlannedEvent) | undefined
    }
  | { readonly do: 'event'; readonly event: PlannedEvent }
