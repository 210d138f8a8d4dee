/** What decides on the log of each request, and where its events go: made once for a server. */

import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { AuditSink } from './event.ts'
import type { DecideAudit } from './policy.ts'

export interface AuditMetrics {
  readonly events: Count
  readonly errors: Count
  readonly levels: Count
  readonly rejected: Count
}

type Count = ReturnType<Metrics['counter']>

export function createAuditMetrics(metrics: Metrics): AuditMetrics {
  return {
    events: metrics.counter('apiserver_audit_event_total', 'Audit events made and sent to where they are kept.'),
    errors: metrics.counter('apiserver_audit_error_total', 'Audit events that were lost, by where.', ['plugin']),
    levels: metrics.counter('apiserver_audit_level_total', 'Requests by the level at which the policy logs them.', [
      'level',
    ]),
    rejected: metrics.counter(
      'apiserver_audit_requests_rejected_total',
      'Requests that were refused because they could not be logged.',
    ),
  }
}

export interface Auditing {
  /** Counts what it says. */
  readonly decide: DecideAudit
  readonly sink: AuditSink
  readonly metrics: AuditMetrics
  readonly clock: Clock
  readonly log: Logger
}

/** Makes each decision count. */
export function counted(decide: DecideAudit, { levels }: Pick<AuditMetrics, 'levels'>): DecideAudit {
  return (user, target) => {
    const verdict = decide(user, target)
    levels({ level: verdict.level })
    return verdict
  }
}
