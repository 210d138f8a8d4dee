/**
 * Times and durations as text: RFC 3339 in whole seconds or microseconds, Go's durations (`1h30m`), and the
 * ages kubectl shows. Times are milliseconds since 1970, UTC; fractions of a millisecond are microseconds.
 */

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS

/** `2026-01-02T03:04:05Z`: the API's `Time`. */
export function formatTime(ms: number): string {
  const second = Math.floor(ms / SECOND_MS)
  if (second !== lastSecond.second)
    lastSecond = { second, text: `${new Date(second * SECOND_MS).toISOString().slice(0, 19)}Z` }
  return lastSecond.text
}

/** Most times that are written are those of the current second. */
let lastSecond = { second: Number.NaN, text: '' }

/** `2026-01-02T03:04:05.678901Z`: the API's `MicroTime`. */
export function formatMicroTime(ms: number): string {
  const micros = Math.floor((ms - Math.floor(ms)) * 1_000)
  return `${new Date(Math.floor(ms)).toISOString().slice(0, 23)}${String(micros).padStart(3, '0')}Z`
}

const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/

/** Either form, any offset; undefined for anything else. */
export function parseTime(text: string | undefined | null): number | undefined {
  const match = TIME.exec(text ?? '')
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number)
  if (year === undefined || month === undefined || day === undefined) return undefined
  if (hour === undefined || minute === undefined || second === undefined) return undefined
  const offsetHours = Number(match[9] ?? 0)
  const offsetMinutes = Number(match[10] ?? 0)
  if (hour > 23 || minute > 59 || second > 59 || offsetHours > 24 || offsetMinutes > 59) return undefined
  const midnight = new Date(0)
  midnight.setUTCFullYear(year, month - 1, day)
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined
  const fractionMs = Number(`0.${match[7] ?? '0'}`) * 1_000
  const offsetMs = (match[8] === '-' ? -1 : 1) * (offsetHours * HOUR_MS + offsetMinutes * MINUTE_MS)
  const wholeMs = midnight.getTime() + hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS - offsetMs
  return wholeMs + Math.floor(fractionMs * 1_000) / 1_000
}

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['μs', 1e-3],
  ['ms', 1],
  ['s', SECOND_MS],
  ['m', MINUTE_MS],
  ['h', HOUR_MS],
])

/** Go's longest duration, about 292 years. */
const DURATION_MS_MAX = 2 ** 63 / 1e6

/** `1h30m`, `-1.5s`, `0` in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^([+-]?)(0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$/.exec(text)
  if (match === null) return undefined
  let total = 0
  for (const [, amount, unit] of (match[2] ?? '').matchAll(/([\d.]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g))
    total += Number(amount) * (UNIT_MS.get(unit ?? '') ?? 0)
  if (total > DURATION_MS_MAX) return undefined
  return match[1] === '-' && total !== 0 ? -total : total
}

/** As Go prints durations: `1h0m0s`, `1.5s`, `250ms`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  const sign = ms < 0 ? '-' : ''
  const nanos = Math.round(Math.abs(ms) * 1e6)
  if (nanos < 1e3) return `${sign}${nanos}ns`
  if (nanos < 1e6) return `${sign}${trimmed(nanos / 1e3)}µs`
  if (nanos < 1e9) return `${sign}${trimmed(nanos / 1e6)}ms`
  const hours = Math.floor(nanos / 3.6e12)
  const minutes = Math.floor((nanos % 3.6e12) / 6e10)
  const seconds = `${trimmed((nanos % 6e10) / 1e9)}s`
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`
}

const trimmed = (value: number): string => String(Number(value.toFixed(9)))

/** The AGE that kubectl shows, in two units at most: `5s`, `3m20s`, `47h`, `2y83d`. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / SECOND_MS)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.floor(hours / 24)
  if (hours < 24 * 8) return pair(days, 'd', hours % 24, 'h')
  if (days < 365 * 2) return `${days}d`
  const years = Math.floor(days / 365)
  return days < 365 * 8 ? pair(years, 'y', days % 365, 'd') : `${years}y`
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`
}

/** AGE of a timestamp field; `<unknown>` where there is none. */
export function ageOf(timestamp: string | null | undefined, nowMs: number): string {
  const ms = parseTime(timestamp)
  return ms === undefined ? '<unknown>' : humanDuration(nowMs - ms)
}
