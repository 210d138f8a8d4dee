/**
 * API priority and fairness: every request belongs to the priority level that its flow schema names, and takes seats
 * of it while it is handled. When a level has none left, its requests wait in fair queues, or are turned away. What it
 * is for, and where it differs from upstream: docs/decisions/0125.
 */

import { type Clock, every, SharedTimer, type Timer } from '../../base/clock.ts'
import type { ApiRequest, UserInfo } from '../../machinery/wire/message.ts'
import type { RequestTarget } from '../auth/authorizer.ts'
import { Configuration, type FlowObjects } from './configuration.ts'
import type { Level } from './level.ts'
import { type Pace, paceOf } from './pace.ts'
import { RetryAfter } from './retry-after.ts'
import { ONE_SEAT, Ticket } from './ticket.ts'
import { WatchCounts } from './watch-counts.ts'
import { estimateWork, type StatisticsOf } from './work.ts'

export interface FlowControlParts {
  readonly objects: FlowObjects
  readonly statisticsOf: StatisticsOf
  readonly clock: Clock
  /** Of all levels together. Absent: as many as upstream has. */
  readonly seats?: number | undefined
  /** Absent: turn by turn of the event loop. */
  readonly pace?: Pace | undefined
  /** Ends the adjustment of limits. */
  readonly signal: AbortSignal
}

export interface Arrival {
  readonly user: UserInfo
  readonly target: RequestTarget
  readonly query: URLSearchParams
  /** A component of this process: it takes seats, but waits for none, so that none waits for another. */
  readonly inProcess: boolean
}

/** Who may give up waiting. */
type Caller = Pick<ApiRequest, 'signal' | 'ownAbort'>

export interface FlowControl {
  /** Classifies the request and lets it run, wait or go: see the ticket's `standing`. */
  start(arrival: Arrival): Ticket
  /** Resolves when a ticket that waits does so no longer: its turn has come, the time is over, or the caller is gone. */
  turnOf(ticket: Ticket, limitMs: number, caller: Caller): Promise<void>
  /** To be called once for every ticket that ran, when its answer is there. */
  finish(ticket: Ticket): void
  /** Counts a watch that has begun, until the signal aborts. */
  watching(target: RequestTarget, signal: AbortSignal): void
  /** Seconds after which one who was turned away should come again. */
  retryAfter(ticket: Ticket): number
  /** In the order of their names, with their numbers as of now. */
  readonly levels: readonly Level[]
  readonly fairFraction: number
}

/** How long requests may wait that name no time of their own. */
const USUAL_WAIT_MS = 15_000

/** Limits follow demand at this interval. Upstream's. */
const ADJUSTMENT_MS = 10_000

export function createFlowControl(parts: FlowControlParts): FlowControl {
  const { objects, statisticsOf, clock, seats, signal, pace = paceOf(clock) } = parts
  const configuration = new Configuration(objects, { clock, pace, seats })
  const watches = new WatchCounts()
  const usual = new SharedTimer(clock, USUAL_WAIT_MS)
  const retries = new Map<string, RetryAfter>()
  const work = { statisticsOf, watches }
  const over = (ticket: Ticket) => {
    const { queues } = ticket.flow
    queues.finish(ticket)
    if (queues.quiescing && queues.isIdle) configuration.reap()
  }
  every(clock, ADJUSTMENT_MS, signal, () => configuration.adjust())
  return {
    start({ user, target, query, inProcess }) {
      const schema = configuration.classifier.schemaOf(user, target)
      const flow = schema.flowOf(schema.distinguishes ? distinguisherOf(schema.spec, user, target) : '')
      const cost = inProcess ? ONE_SEAT : estimateWork(work, target, query, flow)
      const ticket = new Ticket(flow, cost, { target, user: user.name, arrivedMs: clock.monotonic() })
      flow.queues.start(ticket, inProcess)
      return ticket
    },
    turnOf: (ticket, limitMs, caller) =>
      turnOf(ticket, caller, (leave) => (limitMs === USUAL_WAIT_MS ? usual.start(leave) : clock.after(limitMs, leave))),
    finish(ticket) {
      ticket.endedMs = clock.monotonic()
      if (ticket.flow.queues.waitingCount > 0) pace.release(() => over(ticket))
      else over(ticket)
    },
    watching(target, caller) {
      if (target.type === 'resource') watches.count(target, caller)
    },
    retryAfter({ flow: { level } }) {
      const known = retries.get(level) ?? new RetryAfter()
      retries.set(level, known)
      return known.refused(clock.now())
    },
    get levels() {
      return configuration.levels
    },
    get fairFraction() {
      return configuration.fairFraction
    },
  }
}

function distinguisherOf(
  { distinguisherMethod }: { readonly distinguisherMethod?: { readonly type: string } | undefined },
  user: UserInfo,
  target: RequestTarget,
): string {
  if (distinguisherMethod?.type === 'ByUser') return user.name
  return target.type === 'resource' ? target.namespace : ''
}

function turnOf(ticket: Ticket, { signal, ownAbort }: Caller, start: (leave: () => void) => Timer): Promise<void> {
  return new Promise((resolve) => {
    const leave = () => ticket.flow.queues.leave(ticket)
    const timer = start(leave)
    ticket.settle = () => {
      timer.cancel()
      if (ownAbort) ownAbort.onAbort = undefined
      else signal.removeEventListener('abort', leave)
      resolve()
    }
    if (signal.aborted) leave()
    else if (ownAbort) ownAbort.onAbort = leave
    else signal.addEventListener('abort', leave, { once: true })
  })
}
