/**
 * Levels, queues and requests as they are at the moment: what upstream shows to administrators under
 * /debug/api_priority_and_fairness, in its columns.
 */

import { formatMicroTime } from '../../machinery/meta/time.ts'
import type { FlowControl } from './flow-control.ts'
import type { Level } from './level.ts'
import type { Ticket } from './ticket.ts'

type Row = readonly (string | number | boolean)[]

const LEVEL_COLUMNS = [
  ...['PriorityLevelName', 'ActiveQueues', 'IsIdle', 'IsQuiescing', 'WaitingRequests', 'ExecutingRequests'],
  ...['DispatchedRequests', 'RejectedRequests', 'TimedoutRequests', 'CancelledRequests'],
]

const QUEUE_COLUMNS = [
  ...['PriorityLevelName', 'Index', 'PendingRequests', 'ExecutingRequests', 'SeatsInUse', 'NextDispatchR'],
  ...['InitialSeatsSum', 'MaxSeatsSum', 'TotalWorkSum'],
]

const REQUEST_COLUMNS = [
  ...['PriorityLevelName', 'FlowSchemaName', 'QueueIndex', 'RequestIndexInQueue', 'FlowDistingsher', 'ArriveTime'],
  ...['InitialSeats', 'FinalSeats', 'AdditionalLatency', 'StartTime'],
]

const DETAIL_COLUMNS = ['UserName', 'Verb', 'APIPath', 'Namespace', 'Name', 'APIVersion', 'Resource', 'SubResource']

/** Queues of a level that are listed; validation lets there be ten million. */
const QUEUES_MAX = 10_000

export function dumpLevels({ levels }: FlowControl): string {
  return table(
    LEVEL_COLUMNS,
    levels.map(({ name, queues, meter }) => {
      const active = queues.busyQueues().filter(({ waiting }) => waiting.size > 0).length
      const counts = [meter.dispatchedCount, meter.refusedCount, 0, meter.timedOutCount]
      return [name, active, queues.isIdle, queues.quiescing, queues.waitingCount, queues.runningCount, ...counts]
    }),
  )
}

export function dumpQueues({ levels }: FlowControl): string {
  return table(
    QUEUE_COLUMNS,
    levels.flatMap(({ name, queues }) =>
      Array.from({ length: Math.min(queues.queueCount, QUEUES_MAX) }, (_, index): Row => {
        const queue = queues.queueAt(index)
        if (queue === undefined) return [name, index, 0, 0, 0, seatSeconds(0), 0, 0, seatSeconds(0)]
        const { waiting, running, seatsInUse, nextStart } = queue
        const sums = [queue.initialSeatsWaiting, queue.seatsWaiting, seatSeconds(queue.workWaiting)]
        return [name, index, waiting.size, running.size, seatsInUse, seatSeconds(nextStart), ...sums]
      }),
    ),
  )
}

/** `wallTimeOf`: the wall time of a moment of the monotonic clock, in ms. */
export function dumpRequests({ levels }: FlowControl, details: boolean, wallTimeOf: (ms: number) => number): string {
  const rowOf = (queue: number, place: number, ticket: Ticket): Row => [
    ...requestRow(queue, place, ticket, wallTimeOf),
    ...(details ? detailRow(ticket) : []),
  ]
  const rowsOf = ({ queues }: Level): readonly Row[] => [
    ...queues
      .busyQueues()
      .flatMap(({ index, waiting, running }) => [
        ...[...waiting].map((ticket, place) => rowOf(index, place, ticket)),
        ...[...running].map((ticket) => rowOf(index, -1, ticket)),
      ]),
    ...[...queues.running].map((ticket) => rowOf(-1, -1, ticket)),
  ]
  return table([...REQUEST_COLUMNS, ...(details ? DETAIL_COLUMNS : [])], levels.flatMap(rowsOf))
}

function requestRow(queue: number, place: number, ticket: Ticket, wallTimeOf: (ms: number) => number): Row {
  const { flow, arrivedMs, seats, finalSeats, finalMs, startedMs, standing } = ticket
  const started = standing === 'waiting' ? '0001-01-01T00:00:00Z' : formatMicroTime(wallTimeOf(startedMs))
  const arrived = formatMicroTime(wallTimeOf(arrivedMs))
  const cost = [seats, finalSeats, finalMs === 0 ? '0s' : `${finalMs}ms`]
  return [flow.level, flow.schema, queue, place, flow.distinguisher, arrived, ...cost, started]
}

function detailRow({ user, target }: Ticket): Row {
  const { verb, path } = target
  if (target.type === 'path') return [user, verb, path, '', '', '', '', '']
  const { namespace, name, group, version, resource, subresource } = target
  return [user, verb, path, namespace, name, group === '' ? version : `${group}/${version}`, resource, subresource]
}

function seatSeconds(amount: number): string {
  return `${amount.toFixed(8)}ss`
}

/** Narrower columns are widened to this many characters. */
const COLUMN_WIDTH_MIN = 8

/** Cells end with a comma and are padded, but for the last. */
function table(columns: readonly string[], rows: readonly Row[]): string {
  const lines = [columns, ...rows].map((row) =>
    row.map((cell, index) => (index < row.length - 1 ? `${plain(cell)},` : plain(cell))),
  )
  const widths = columns.map((_, index) =>
    lines.reduce((width, line) => Math.max(width, (line[index]?.length ?? 0) + 1), COLUMN_WIDTH_MIN),
  )
  const padded = lines.map((line) =>
    line.map((cell, index) => (index < line.length - 1 ? cell.padEnd(widths[index] ?? 0) : cell)).join(''),
  )
  return `${padded.join('\n')}\n`
}

/** Users and paths are what callers say: no line of theirs becomes a line of the dump. */
function plain(cell: Row[number]): string {
  return String(cell).replace(/[^\x20-\x7e]/g, '?')
}
