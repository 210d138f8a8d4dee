/** Events about objects, aggregated as upstream does: contract; `createEventRecorder` is below. */

import type { KubeObject } from '../machinery/meta/object.ts'

export interface EventRecorder {
  /**
   * Never throws and never blocks; repeats within the aggregation window bump `count`/`series` instead of making
   * new events. `regarding` needs apiVersion, kind, name, namespace and uid.
   */
  event(
    regarding: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    options?: EventOptions,
  ): void
}

export interface EventOptions {
  /** `spec.containers{web}`: the part of the object. */
  readonly fieldPath?: string | undefined
}
