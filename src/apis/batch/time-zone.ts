/** Time zones of the IANA database, through Intl: offsets at a moment, and moments of a wall clock. */

import { type FieldError, type FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import { formatTime } from '../../machinery/meta/time.ts'

/** What a clock on the wall shows. Months count from 1; parts beyond their range carry over, as in `Date.UTC`. */
export interface WallTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

export interface TimeZone {
  /** How far the zone's clocks are ahead of UTC at a moment. */
  offsetMs(ms: number): number
}

export const utc: TimeZone = { offsetMs: () => 0 }

/** Undefined for a name that no zone has. Zones are named exactly: `europe/berlin` is none. */
export function findTimeZone(name: string): TimeZone | undefined {
  if (name === '' || name === 'UTC') return utc
  if (!/^[A-Z]/.test(name)) return undefined
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    const { timeZone } = format.resolvedOptions()
    if (timeZone !== name && timeZone.toLowerCase() === name.toLowerCase()) return undefined
    return remembering((ms) => offsetIn(format, ms))
  } catch {
    return undefined
  }
}

/** Clocks are changed at quarters of an hour, in UTC too; a search asks for the same one again and again. */
const QUARTER_MS = 15 * 60_000

function remembering(offsetMs: TimeZone['offsetMs']): TimeZone {
  let last = { quarter: Number.NaN, offset: 0 }
  return {
    offsetMs(ms) {
      const quarter = Math.floor(ms / QUARTER_MS)
      if (quarter !== last.quarter) last = { quarter, offset: offsetMs(quarter * QUARTER_MS) }
      return last.offset
    },
  }
}

function offsetIn(format: Intl.DateTimeFormat, ms: number): number {
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]))
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
  const seconds = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
  return seconds - Math.floor(ms / 1000) * 1000
}

export function wallTimeAt(zone: TimeZone, ms: number): WallTime & { readonly weekday: number } {
  const shown = new Date(ms + zone.offsetMs(ms))
  return {
    year: shown.getUTCFullYear(),
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
    second: shown.getUTCSeconds(),
    weekday: shown.getUTCDay(),
  }
}

/** RFC 3339 as the zone's clocks show it: `2026-01-01T09:00:00+09:00`. */
export function formatInZone(zone: TimeZone, ms: number): string {
  const offsetMinutes = Math.round(zone.offsetMs(ms) / 60_000)
  const shown = formatTime(ms + zone.offsetMs(ms))
  if (offsetMinutes === 0) return shown
  const twoDigits = (value: number): string => String(value).padStart(2, '0')
  const minutes = Math.abs(offsetMinutes)
  const offset = `${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`
  return `${shown.slice(0, -1)}${offsetMinutes < 0 ? '-' : '+'}${offset}`
}

/**
 * When the zone's clocks show this. What they skip, or show twice, is judged by the offset that holds where UTC
 * clocks show it, corrected once: 2:30 in the hour that is skipped becomes 1:30 or 3:30.
 */
export function momentOf(zone: TimeZone, { year, month, day, hour, minute, second }: WallTime): number {
  const shown = Date.UTC(year, month - 1, day, hour, minute, second)
  const offset = zone.offsetMs(shown)
  return offset === 0 ? shown : shown - zone.offsetMs(shown - offset)
}

const NAME_PART = /^[A-Za-z.\-_0-9+]{1,14}$/

export function timeZoneErrors(path: FieldPath, name: string | undefined): readonly FieldError[] {
  if (name === undefined) return []
  if (name === '') return [invalidValue(path, name, 'timeZone must be nil or non-empty string')]
  const unknown = invalidValue(path, name, `unknown time zone ${name}`)
  const isOdd = (part: string): boolean =>
    part === '.' || part === '..' || part.startsWith('-') || !NAME_PART.test(part)
  if (name.split('/').some(isOdd)) return [unknown]
  if (name.toLowerCase() === 'local') {
    const detail = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'
    const errors = [invalidValue(path, name, detail)]
    return name === 'Local' ? errors : [...errors, unknown]
  }
  return findTimeZone(name) ? [] : [unknown]
}
