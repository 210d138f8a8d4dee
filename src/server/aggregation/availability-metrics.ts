/** Upstream's two metrics of registered API servers, as alerts in the field ask for them. */

import { AVAILABLE } from '../../apis/apiregistration/api-service.ts'
import type { APIService } from '../../apis/apiregistration/types.gen.ts'
import { findCondition } from '../../machinery/meta/conditions.ts'

export interface AvailabilityMetrics {
  /** Of the same APIService before, unless it is new. */
  seen(service: APIService, before: APIService | undefined): void
  removed(name: string): void
  /** In the text exposition format. */
  text(): string
}

/** Names times reasons: whoever may write statuses must not make time series without end. */
const SERIES_MAX = 1_000

const GAUGE = 'aggregator_unavailable_apiservice'
const COUNTER = 'aggregator_unavailable_apiservice_total'

export function createAvailabilityMetrics(): AvailabilityMetrics {
  const unavailable = new Map<string, boolean>()
  const failures = new Map<string, number>()
  return {
    seen(service, before) {
      const { name = '' } = service.metadata
      const now = isAvailable(service)
      unavailable.set(name, !now)
      if (now || before === undefined || !isAvailable(before)) return
      const { reason = 'UnknownReason' } = findCondition(service.status?.conditions, AVAILABLE) ?? {}
      const labels = `{name=${quoted(name)},reason=${quoted(reason)}}`
      if (failures.has(labels) || failures.size < SERIES_MAX) failures.set(labels, (failures.get(labels) ?? 0) + 1)
    },
    removed: (name) => void unavailable.delete(name),
    text: () =>
      [
        `# HELP ${GAUGE} Whether a registered API server is marked as unavailable.`,
        `# TYPE ${GAUGE} gauge`,
        ...[...unavailable].map(([name, isTrue]) => `${GAUGE}{name=${quoted(name)}} ${isTrue ? 1 : 0}`),
        `# HELP ${COUNTER} How often a registered API server became unavailable, by reason.`,
        `# TYPE ${COUNTER} counter`,
        ...[...failures].map(([labels, count]) => `${COUNTER}${labels} ${count}`),
        '',
      ].join('\n'),
  }
}

function isAvailable({ status }: APIService): boolean {
  return findCondition(status?.conditions, AVAILABLE)?.status === 'True'
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}
