/** Levels and flows in the text format of /metrics, under upstream's names. */

import { type Histogram, histogramLines } from '../../base/histogram.ts'
import type { FlowControl } from './flow-control.ts'
import type { FlowCounts } from './flow-counts.ts'
import type { Level } from './level.ts'

/** Whose number it is: `priority_level="system",flow_schema="system-nodes"`. */
type Labels = string

interface Sample {
  readonly labels: Labels
  readonly value: number | Histogram
}

interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly samples: readonly Sample[]
}

export function metricsText({ levels, fairFraction }: FlowControl, nowMs: number): string {
  for (const { meter } of levels)
    for (const ratio of [meter.seatUse, meter.requestsRunning, meter.requestsWaiting, meter.demandRatio])
      ratio.passTo(nowMs)
  const families = [...flowFamilies(levels), ...levelFamilies(levels), ...useFamilies(levels)]
  const fair: Sample = { labels: '', value: fairFraction }
  const fraction = family('seat_fair_frac', 'gauge', 'Part of its target that every level gets.', [fair])
  return [...families, fraction].map(textOf).join('')
}

function flowFamilies(levels: readonly Level[]): readonly Family[] {
  const of = (name: string, type: Family['type'], help: string, pick: (counts: FlowCounts) => number | Histogram) =>
    family(
      name,
      type,
      help,
      perFlow(levels, (counts, labels) => [{ labels, value: pick(counts) }]),
    )
  return [
    of('dispatched_requests_total', 'counter', 'Requests that were let through.', ({ dispatched }) => dispatched),
    family(
      'rejected_requests_total',
      'counter',
      'Requests that were turned away.',
      perFlow(levels, ({ rejected }, labels) =>
        [...rejected].map(([reason, value]) => ({ labels: `${labels},reason="${reason}"`, value })),
      ),
    ),
    of('current_inqueue_requests', 'gauge', 'Requests that wait.', ({ waiting }) => waiting),
    of('current_inqueue_seats', 'gauge', 'Seats that are waited for.', ({ waitingSeats }) => waitingSeats),
    of('current_executing_requests', 'gauge', 'Requests under way.', ({ running }) => running),
    of('current_executing_seats', 'gauge', 'Seats that requests under way take.', ({ seats }) => seats),
    of('request_queue_length_after_enqueue', 'histogram', 'Length of the queue, seen by who joins it.', (counts) => {
      return counts.queueLength
    }),
    family(
      'request_wait_duration_seconds',
      'histogram',
      'How long requests waited.',
      perFlow(levels, ({ waitedSeconds, refusedSeconds }, labels) => [
        ...(waitedSeconds.count > 0 ? [{ labels: `${labels},execute="true"`, value: waitedSeconds }] : []),
        ...(refusedSeconds.count > 0 ? [{ labels: `${labels},execute="false"`, value: refusedSeconds }] : []),
      ]),
    ),
    family(
      'request_execution_seconds',
      'histogram',
      'How long requests took, and watches to begin.',
      perFlow(levels, ({ seconds, watchSeconds }, labels) => [
        ...(seconds.count > 0 ? [{ labels: `${labels},type="regular"`, value: seconds }] : []),
        ...(watchSeconds.count > 0 ? [{ labels: `${labels},type="watch"`, value: watchSeconds }] : []),
      ]),
    ),
    of('work_estimated_seats', 'histogram', 'Seats that a request is expected to take.', ({ width }) => width),
    of('watch_count_samples', 'histogram', 'Watches that a write is told to.', ({ watchers }) => watchers),
    of('request_dispatch_no_accommodation_total', 'counter', 'Times the next request was too wide.', (counts) => {
      return counts.noRoom
    }),
  ]
}

/** Nothing is told of flows that nobody has had. */
function perFlow(
  levels: readonly Level[],
  samplesOf: (counts: FlowCounts, labels: Labels) => readonly Sample[],
): readonly Sample[] {
  return levels.flatMap(({ name, meter }) =>
    [...meter.flows].flatMap(([schema, counts]) =>
      counts.isUsed ? samplesOf(counts, `priority_level=${quoted(name)},flow_schema=${quoted(schema)}`) : [],
    ),
  )
}

function levelFamilies(levels: readonly Level[]): readonly Family[] {
  const of = (name: string, help: string, pick: (level: Level) => number) =>
    family(
      name,
      'gauge',
      help,
      levels.map((level) => ({ labels: labelOf(level), value: pick(level) })),
    )
  return [
    of('nominal_limit_seats', 'Seats of the level, by its shares.', ({ limits }) => limits.nominal),
    of('lower_limit_seats', 'Seats that the level never lends.', ({ limits }) => limits.lower),
    of('upper_limit_seats', 'Seats that the level may come to.', ({ limits }) => limits.upper),
    of('current_limit_seats', 'Seats of the level at present.', ({ current }) => current ?? 0),
    of('demand_seats_high_watermark', 'Most seats asked for in the last period.', ({ demand }) => demand.highest),
    of('demand_seats_average', 'Seats asked for in the last period, on average.', ({ demand }) => demand.average),
    of('demand_seats_stdev', 'Deviation of that average.', ({ demand }) => demand.deviation),
    of('demand_seats_smoothed', 'Seats asked for, smoothed over periods.', ({ demand }) => demand.smoothed),
    of('target_seats', 'Seats that the level aims at.', ({ target }) => target),
    of('current_r', 'Progress of the level, in seat-seconds of each queue.', ({ meter }) => meter.progress),
    of('dispatch_r', 'Progress at the last dispatch.', ({ meter }) => meter.dispatchedAt),
    of('latest_s', 'Where the request began that was dispatched last.', ({ meter }) => meter.dispatchedStart),
  ]
}

/** Over time, weighted by nanoseconds. */
function useFamilies(levels: readonly Level[]): readonly Family[] {
  const requests = levels.flatMap((level) => [
    { labels: `phase="executing",${labelOf(level)}`, value: level.meter.requestsRunning.histogram },
    { labels: `phase="waiting",${labelOf(level)}`, value: level.meter.requestsWaiting.histogram },
  ])
  const seats = levels.map((level) => ({
    labels: `phase="executing",${labelOf(level)}`,
    value: level.meter.seatUse.histogram,
  }))
  const demand = levels.map((level) => ({ labels: labelOf(level), value: level.meter.demandRatio.histogram }))
  return [
    family('priority_level_request_utilization', 'histogram', 'Requests as a part of the limit.', requests),
    family('priority_level_seat_utilization', 'histogram', 'Seats in use as a part of the limit.', seats),
    family('demand_seats', 'histogram', 'Seats asked for as a part of the limit.', demand),
  ]
}

function labelOf({ name }: Level): Labels {
  return `priority_level=${quoted(name)}`
}

function family(name: string, type: Family['type'], help: string, samples: readonly Sample[]): Family {
  return { name: `apiserver_flowcontrol_${name}`, type, help, samples }
}

/** Names of objects of the API need no escapes, but for these. */
function quoted(name: string): string {
  return `"${name.replace(/[\\"\n]/g, '_')}"`
}

function textOf({ name, type, help, samples }: Family): string {
  if (samples.length === 0) return ''
  const lines = samples.flatMap(({ labels, value }) => {
    if (typeof value !== 'number') return histogramLines(name, labels, value)
    return [labels === '' ? `${name} ${value}` : `${name}{${labels}} ${value}`]
  })
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`
}
