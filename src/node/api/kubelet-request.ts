/** What the node's API is made with, and what each of its routes gets. */

import type { Pod } from '../../apis/core/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { ContainerRuntime } from '../runtime/runtime.ts'
import type { KubeletAccess } from './kubelet-access.ts'
import type { NodeMetrics } from './node-metrics.ts'

export interface KubeletServerOptions {
  readonly nodeName: string
  readonly runtime: ContainerRuntime
  readonly pods: () => readonly Pod[]
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** PEM. */
  readonly certificate: string
  readonly key: string
  readonly clientCa: string
  readonly access: KubeletAccess
  readonly metrics: NodeMetrics
  readonly clock: Clock
  readonly log: Logger
}

/** What every route gets. */
export interface KubeletRequest {
  readonly options: KubeletServerOptions
  /** The path's parts behind the verb: `namespace`, `pod`, `container`. */
  readonly parts: readonly string[]
  readonly query: URLSearchParams
  readonly signal: AbortSignal
}
