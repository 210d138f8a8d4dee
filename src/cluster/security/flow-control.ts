/** Flow control put together: configured from the server's memory, shown by /metrics and to administrators. */

import { flowSchemas } from '../../apis/flowcontrol/flow-schema.ts'
import { priorityLevelConfigurations } from '../../apis/flowcontrol/priority-level-configuration.ts'
import type { Clock } from '../../base/clock.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import type { ApiRequest, ApiResponse } from '../../machinery/wire/message.ts'
import type { FlowObjects } from '../../server/flow-control/configuration.ts'
import { dumpLevels, dumpQueues, dumpRequests } from '../../server/flow-control/dumps.ts'
import { createFlowControl, type FlowControl } from '../../server/flow-control/flow-control.ts'
import { metricsText } from '../../server/flow-control/metrics-text.ts'
import type { ObjectStatistics, StatisticsOf } from '../../server/flow-control/work.ts'
import { createPlainRoutes } from '../../server/plain-routes.ts'
import type { Stored } from '../../server/registry/codec.ts'
import type { Registries } from '../../server/registry/registries.ts'
import type { Registry } from '../../server/registry/registry.ts'
import type { PathHandler } from '../../server/server.ts'

export interface ClusterFlowControl {
  readonly flowControl: FlowControl
  /** Dumps of what runs and waits. */
  readonly paths: PathHandler
}

export interface FlowControlSources {
  /** Those of the server; they are there before the first request is. */
  readonly registries: () => Registries
  readonly metrics: Metrics
  readonly clock: Clock
  /** Ends it. */
  readonly signal: AbortSignal
}

export function createClusterFlowControl(sources: FlowControlSources): ClusterFlowControl {
  const { registries, metrics, clock, signal } = sources
  const objects = objectsIn(registries)
  const flowControl = createFlowControl({ objects, statisticsOf: statisticsFrom(registries, clock), clock, signal })
  metrics.append(() => metricsText(flowControl, clock.monotonic()))
  return { flowControl, paths: { handle: createPlainRoutes(dumpRoutes(flowControl, clock)) } }
}

const DUMPS_PATH = '/debug/api_priority_and_fairness'

function dumpRoutes(flowControl: FlowControl, clock: Clock) {
  const wallTimeOf = (ms: number) => clock.now() - clock.monotonic() + ms
  const route = (name: string, dump: (request: ApiRequest) => string) => ({
    path: `${DUMPS_PATH}/dump_${name}`,
    handle: async (request: ApiRequest) => plainText(dump(request)),
  })
  return [
    route('priority_levels', () => dumpLevels(flowControl)),
    route('queues', () => dumpQueues(flowControl)),
    route('requests', ({ query }) => dumpRequests(flowControl, !!query.get('includeRequestDetails'), wallTimeOf)),
  ]
}

function plainText(text: string): ApiResponse {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }
  return { status: 200, headers, body: { type: 'bytes', bytes: Buffer.from(text) } }
}

/** What cannot be read is as if it were not there: then the levels that must be there are all there are. */
function objectsIn(registries: () => Registries): FlowObjects {
  return {
    schemas: () => allOf(registries().of(flowSchemas))?.map((stored) => stored.object()) ?? [],
    levels: () => allOf(registries().of(priorityLevelConfigurations))?.map((stored) => stored.object()) ?? [],
    // Revisions only grow, so the sum is another one when either is.
    get changedAt() {
      return registries().of(flowSchemas).changedAt + registries().of(priorityLevelConfigurations).changedAt
    },
  }
}

/** How long what is known of a resource's size holds, in ms; counting it looks at every object. */
const STATISTICS_MS = 60_000

interface Counted extends ObjectStatistics {
  readonly countedMs: number
}

/** Undefined where one of them cannot be read: whoever asks for that one is told so, not everybody. */
function allOf<T extends KubeObject>(registry: Registry<T>): readonly Stored<T>[] | undefined {
  try {
    return registry.peekAll({})
  } catch {
    return undefined
  }
}

function statisticsFrom(registries: () => Registries, clock: Clock): StatisticsOf {
  const counted = new WeakMap<Registry, Counted>()
  return (group, version, resource) => {
    const registry = registries().named(group, version, resource)
    if (registry === undefined) return undefined
    const known = counted.get(registry)
    if (known && clock.monotonic() - known.countedMs < STATISTICS_MS) return known
    const items = allOf(registry)
    if (items === undefined) return undefined
    const bytes = items.reduce((sum, item) => sum + item.bytes.length, 0)
    const fresh = { objects: items.length, bytes, countedMs: clock.monotonic() }
    counted.set(registry, fresh)
    return fresh
  }
}
