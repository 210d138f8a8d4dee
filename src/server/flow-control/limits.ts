/**
 * How many seats each priority level has: its nominal share of all, what it may lend and borrow, and what it has at
 * present, which follows from what all of them asked for of late. Names and numbers are upstream's.
 */

import type { PriorityLevelConfigurationSpec } from '../../apis/flowcontrol/types.gen.ts'
import { allocate, type Claim } from './allocation.ts'
import type { Observed } from './integrator.ts'

/** Upstream's `max-requests-inflight` and `max-mutating-requests-inflight` together. */
export const SEATS_TOTAL = 600

/** How much of the past stays in the smoothed demand at each adjustment: half of it is gone after five minutes. */
const SMOOTHING = 0.977

/** A wide request takes at most this part of its level. */
const WIDTH_SHARE_MAX = 0.15

export interface Limits {
  readonly nominal: number
  /** What is left when all that may be lent is. */
  readonly lower: number
  /** What there is when all that may be borrowed is. */
  readonly upper: number
}

export interface Demand {
  readonly highest: number
  readonly average: number
  readonly deviation: number
  readonly smoothed: number
}

export const NO_DEMAND: Demand = { highest: 0, average: 0, deviation: 0, smoothed: 0 }

export function sharesOf({ limited, exempt }: PriorityLevelConfigurationSpec): number {
  return (limited ?? exempt)?.nominalConcurrencyShares ?? 0
}

/** Rounded up: all levels together may have a few seats more than there are. */
export function limitsOf(spec: PriorityLevelConfigurationSpec, sharesSum: number, seatsTotal: number): Limits {
  const nominal = Math.ceil((seatsTotal * sharesOf(spec)) / sharesSum)
  const lendable = percentOf(nominal, (spec.limited ?? spec.exempt)?.lendablePercent ?? 0)
  const borrowable = spec.limited?.borrowingLimitPercent
  const borrowed = borrowable === undefined ? seatsTotal : percentOf(nominal, borrowable)
  return { nominal, lower: nominal - lendable, upper: nominal + borrowed }
}

/** What a level begins with, before anything is known of its demand. */
export function initialLimit({ nominal, lower }: Limits): number {
  return nominal - Math.floor((nominal - lower) / 2)
}

/** Seats that one request may take at most; undefined where a level does not say. */
export function widthMaxOf({ limited }: PriorityLevelConfigurationSpec, { nominal }: Limits): number | undefined {
  const queuing = limited?.limitResponse?.queuing
  if (queuing === undefined) return undefined
  const handSize = Math.max(1, queuing.handSize ?? 1)
  return Math.max(1, Math.min(Math.ceil(nominal * WIDTH_SHARE_MAX), Math.floor(nominal / handSize)))
}

export function demandAfter(before: Demand, { durationMs, average, deviation, highest }: Observed): Demand {
  if (durationMs <= 0) return { ...before, highest }
  const envelope = average + deviation
  const smoothed = Math.max(envelope, SMOOTHING * before.smoothed + (1 - SMOOTHING) * envelope)
  return { highest, average, deviation, smoothed }
}

export interface Borrower {
  readonly exempt: boolean
  readonly limits: Limits
  readonly demand: Demand
  /** The limit it has now. */
  readonly current: number
}

export interface Borrowing {
  /** The limits from now on, in the order of the levels. */
  readonly current: readonly number[]
  readonly targets: readonly number[]
  readonly fairFraction: number
}

/** What is exempt takes what it needs; the others divide the rest by what they asked for. */
export function planBorrowing(levels: readonly Borrower[]): Borrowing {
  const leasts = levels.map(leastOf)
  const nominals = sum(levels.map(({ limits }) => limits.nominal))
  const isLimited = (_: number, index: number): boolean => levels[index]?.exempt === false
  const remaining = nominals - sum(leasts.filter((_, index) => levels[index]?.exempt))
  const lowerSum = sum(levels.map(({ limits }) => limits.lower).filter(isLimited))
  const leastSum = sum(leasts.filter(isLimited))
  const targets = levels.map(({ demand }, index) => Math.max(leasts[index] ?? 0, demand.smoothed))
  const limitedTo = (shareOf: (level: Borrower, index: number) => number): readonly number[] =>
    levels.map((level, index) => (level.exempt ? (leasts[index] ?? 0) : Math.round(shareOf(level, index))))
  if (remaining <= lowerSum) return { current: limitedTo(({ limits }) => limits.lower), targets, fairFraction: 0 }
  if (remaining <= leastSum) {
    const part = (remaining - lowerSum) / (leastSum - lowerSum)
    const current = limitedTo(({ limits: { lower } }, index) => lower + ((leasts[index] ?? 0) - lower) * part)
    return { current, targets, fairFraction: 0 }
  }
  const claims = levels.map(
    ({ limits }, index): Claim => ({ target: targets[index] ?? 0, least: leasts[index] ?? 0, most: limits.upper }),
  )
  const allocation = allocate(
    nominals,
    claims.filter((_, index) => isLimited(0, index)),
  )
  if (allocation === undefined) return { current: limitedTo(({ current }) => current), targets, fairFraction: 0 }
  const shares = allocation.shares.values()
  const current = limitedTo((level) => shares.next().value ?? level.current)
  return { current, targets, fairFraction: allocation.fairFraction }
}

/** A level keeps what it used at its busiest moment, up to its nominal limit; what is exempt has no such bound. */
function leastOf({ exempt, limits, demand }: Borrower): number {
  const used = exempt ? demand.highest : Math.min(limits.nominal, demand.highest)
  return Math.max(limits.lower, Math.round(used))
}

function percentOf(seats: number, percent: number): number {
  return Math.round((seats * percent) / 100)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
