/** What happens around every request, outermost first. */

import type { Awaitable } from '../../base/awaitable.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { ApiRequest, ApiResponse, Handler } from '../../machinery/wire/message.ts'
import type { Auditing } from '../audit/auditing.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import type { Authorizer, RequestTarget } from '../auth/authorizer.ts'
import type { FlowControl } from '../flow-control/flow-control.ts'
import { audit } from './audit.ts'
import { auditStages } from './audit-stages.ts'
import { authenticate } from './authenticate.ts'
import { authorize } from './authorize.ts'
import { requestDeadline } from './deadline.ts'
import type { Filter, Step } from './filter.ts'
import { flowControl } from './flow-control.ts'
import { impersonate } from './impersonate.ts'
import { panicToStatus } from './panic.ts'
import { type RequestMetrics, requestMetrics } from './request-metrics.ts'
import { warnings } from './warnings.ts'

export interface FilterParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
  readonly metrics: RequestMetrics
  /** Absent: nothing is logged of what is asked. */
  readonly auditing?: Auditing | undefined
  /** Absent: whatever comes is handled at once. */
  readonly flowControl?: FlowControl | undefined
}

export const filters = (parts: FilterParts): readonly Filter[] => [
  requestMetrics(parts),
  audit(parts),
  warnings(),
  panicToStatus(parts),
  requestDeadline(parts),
  authenticate(parts),
  auditStages(parts),
  impersonate(parts),
  flowControl(parts),
  authorize(parts),
]

/** Filters run top to bottom, exactly in the order they are listed. */
export function chain<Target extends RequestTarget>(
  list: readonly Filter[],
  targetOf: (request: ApiRequest) => Target,
  handle: (request: ApiRequest, target: Target) => Awaitable<ApiResponse>,
): Handler {
  const innermost: Step<Target> = ({ request, target }) => handle(request, target)
  const outermost = list.reduceRight<Step<Target>>((next, filter) => filter(next), innermost)
  return (request) => outermost({ request, target: targetOf(request) })
}
