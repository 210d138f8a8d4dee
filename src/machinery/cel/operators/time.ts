/** Timestamps and durations: their range, their text, and the calendar in a time zone. */

import { CelError, Duration, type Result, Timestamp } from '../values.ts'
import { fixedText, INT_MAX, INT_MIN } from './numbers.ts'

export const NANOS_PER_SECOND = 1_000_000_000n
const NANOS_PER_MILLISECOND = 1_000_000n
/** 0001-01-01T00:00:00Z and the end of the year 9999. */
export const TIMESTAMP_SECONDS_MIN = -62_135_596_800n
export const TIMESTAMP_SECONDS_MAX = 253_402_300_799n

export const TIMESTAMP_OVERFLOW = new CelError('timestamp overflow')
const DURATION_OVERFLOW = new CelError('duration overflow')

export function timestampOf(nanos: bigint, offsetMinutes = 0): Timestamp | CelError {
  const seconds = floorDivide(nanos, NANOS_PER_SECOND)
  const isInRange = seconds >= TIMESTAMP_SECONDS_MIN && seconds <= TIMESTAMP_SECONDS_MAX
  return isInRange ? new Timestamp(nanos, offsetMinutes) : TIMESTAMP_OVERFLOW
}

export function durationOf(nanos: bigint): Duration | CelError {
  return nanos < INT_MIN || nanos > INT_MAX ? DURATION_OVERFLOW : new Duration(nanos)
}

export function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(?:([Zz])|([+-])(\d{2}):(\d{2}))$/

/** undefined when the text is no RFC 3339 time. Fractions finer than nanoseconds are cut off. */
export function parseTimestamp(text: string): Timestamp | CelError | undefined {
  const match = RFC3339.exec(text)
  if (match === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const fraction = BigInt((match[7] ?? '').slice(0, 9).padEnd(9, '0'))
  const east = Number(match[10] ?? 0) * 60 + Number(match[11] ?? 0)
  const offsetMinutes = match[9] === '-' ? -east : east
  const milliseconds = utcMilliseconds(year, month, day, hour, minute, second) - offsetMinutes * 60_000
  return timestampOf(BigInt(milliseconds) * NANOS_PER_MILLISECOND + fraction, offsetMinutes)
}

function utcMilliseconds(year: number, month: number, day: number, hour: number, minute: number, second: number) {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  return date.getTime()
}

function daysIn(year: number, month: number): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month, 0)
  return date.getUTCDate()
}

/** RFC 3339, with as many digits of the second as there are. */
export function timestampText({ nanos: instant, offsetMinutes }: Timestamp): string {
  const nanos = instant + BigInt(offsetMinutes) * 60n * NANOS_PER_SECOND
  const seconds = floorDivide(nanos, NANOS_PER_SECOND)
  const fraction = nanos - seconds * NANOS_PER_SECOND
  const date = new Date(Number(seconds) * 1000)
  const year = String(date.getUTCFullYear()).padStart(4, '0')
  const rest = date.toISOString().replace(/^[+-]?\d+(-\d{2}-\d{2}T[\d:]+)\..*$/, '$1')
  const digits = fraction === 0n ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`
  return `${year}${rest}${digits}${offsetText(offsetMinutes)}`
}

function offsetText(offsetMinutes: number): string {
  if (offsetMinutes === 0) return 'Z'
  const minutes = Math.abs(offsetMinutes)
  const parts = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0'))
  return `${offsetMinutes < 0 ? '-' : '+'}${parts.join(':')}`
}

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: NANOS_PER_MILLISECOND,
  s: NANOS_PER_SECOND,
  m: 60n * NANOS_PER_SECOND,
  h: 3_600n * NANOS_PER_SECOND,
}

/** The most digits of a number in a duration that can matter. */
const DURATION_DIGITS_MAX = 40

/** `1h30m`, `-1.5s`: Go's durations. undefined when the text is none. */
export function parseDuration(text: string): Duration | CelError | undefined {
  const sign = /^[+-]/.exec(text)?.[0] ?? ''
  const body = text.slice(sign.length)
  if (body === '0') return new Duration(0n)
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/.test(body)) return undefined
  let nanos = 0n
  for (const [, whole = '', fraction = '', unit = ''] of body.matchAll(
    /(\d*)(?:\.(\d*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g,
  )) {
    const scale = UNITS[unit] ?? 1n
    if (whole.length > DURATION_DIGITS_MAX) return DURATION_OVERFLOW
    const digits = fraction.slice(0, DURATION_DIGITS_MAX)
    nanos += BigInt(whole === '' ? '0' : whole) * scale
    if (digits !== '') nanos += (BigInt(digits) * scale) / 10n ** BigInt(digits.length)
  }
  return durationOf(sign === '-' ? -nanos : nanos)
}

/** `5400s`, `0.5s`. */
export function durationText({ nanos }: Duration): string {
  const seconds = nanos / NANOS_PER_SECOND
  return `${fixedText(Number(seconds) + Number(nanos - seconds * NANOS_PER_SECOND) / 1e9)}s`
}

/** A point in time as a calendar shows it. Months, days of the month and of the year count from 0 here. */
export interface CalendarDate {
  readonly year: number
  readonly month: number
  readonly dayOfMonth: number
  readonly dayOfWeek: number
  readonly dayOfYear: number
  readonly hours: number
  readonly minutes: number
  readonly seconds: number
  readonly milliseconds: number
}

/** The date in UTC, or in a zone: a name such as `Europe/Berlin`, or an offset such as `+02:00`. */
export function calendarDate({ nanos }: Timestamp, zone = 'UTC'): CalendarDate | CelError {
  const milliseconds = Number(floorDivide(nanos, NANOS_PER_MILLISECOND))
  const offset = zone === 'UTC' || zone === '' ? 0 : zoneOffset(milliseconds, zone)
  if (offset instanceof CelError) return offset
  const date = new Date(milliseconds + offset)
  const year = date.getUTCFullYear()
  const newYear = utcMilliseconds(year, 1, 1, 0, 0, 0)
  return {
    year,
    month: date.getUTCMonth(),
    dayOfMonth: date.getUTCDate() - 1,
    dayOfWeek: date.getUTCDay(),
    dayOfYear: Math.floor((date.getTime() - newYear) / 86_400_000),
    hours: date.getUTCHours(),
    minutes: date.getUTCMinutes(),
    seconds: date.getUTCSeconds(),
    milliseconds: date.getUTCMilliseconds(),
  }
}

/** Zones that are kept; making one costs much more than using it. */
const ZONES_MAX = 200
const zones = new Map<string, Intl.DateTimeFormat | undefined>()

/** Milliseconds east of UTC at a time. */
function zoneOffset(milliseconds: number, zone: string): number | CelError {
  const fixed = /^([+-]?)(\d{1,2}):(\d{1,2})$/.exec(zone)
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3])
    return (fixed[1] === '-' ? -minutes : minutes) * 60_000
  }
  const format = zoneFormat(zone)
  if (format === undefined) return new CelError(`unknown time zone ${zone}`)
  const parts = new Map(format.formatToParts(milliseconds).map(({ type, value }) => [type, Number(value)]))
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0
  const local = utcMilliseconds(
    part('year'),
    part('month'),
    part('day'),
    part('hour') % 24,
    part('minute'),
    part('second'),
  )
  return local - Math.floor(milliseconds / 1000) * 1000
}

function zoneFormat(zone: string): Intl.DateTimeFormat | undefined {
  if (!zones.has(zone)) {
    if (zones.size >= ZONES_MAX) zones.clear()
    zones.set(zone, makeZoneFormat(zone))
  }
  return zones.get(zone)
}

function makeZoneFormat(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    return undefined
  }
}

/** Whole hours, minutes, seconds or milliseconds of a duration. */
export function wholeUnits({ nanos }: Duration, unit: 'hours' | 'minutes' | 'seconds' | 'milliseconds'): Result {
  switch (unit) {
    case 'hours':
      return nanos / (3_600n * NANOS_PER_SECOND)
    case 'minutes':
      return nanos / (60n * NANOS_PER_SECOND)
    case 'seconds':
      return nanos / NANOS_PER_SECOND
    case 'milliseconds':
      return nanos / NANOS_PER_MILLISECOND
  }
}
