/**
 * Schedules of CronJobs: five fields, `@daily` and the like, `@every 1h30m`. Their meaning, to the hour that clocks
 * skip or show twice, and the words of what is wrong with them are those of the cron library that upstream uses.
 */

import { parseDuration } from '../../machinery/meta/time.ts'
import { findTimeZone, momentOf, type TimeZone, utc, type WallTime, wallTimeAt } from './time-zone.ts'

export interface CronSchedule {
  /** The first time after `ms`; undefined when there is none within five years. */
  next(ms: number): number | undefined
}

interface Bounds {
  readonly low: number
  readonly high: number
  readonly names?: ReadonlyMap<string, number>
}

interface Field {
  readonly values: ReadonlySet<number>
  /** Written with a star: for the two day fields that means "I do not choose". */
  readonly star: boolean
}

interface Fields {
  readonly minute: Field
  readonly hour: Field
  readonly dayOfMonth: Field
  readonly month: Field
  readonly dayOfWeek: Field
}

const named = (names: string, first: number): ReadonlyMap<string, number> =>
  new Map(names.split(' ').map((name, index) => [name, index + first]))

const BOUNDS: readonly (readonly [keyof Fields, Bounds])[] = [
  ['minute', { low: 0, high: 59 }],
  ['hour', { low: 0, high: 23 }],
  ['dayOfMonth', { low: 1, high: 31 }],
  ['month', { low: 1, high: 12, names: named('jan feb mar apr may jun jul aug sep oct nov dec', 1) }],
  ['dayOfWeek', { low: 0, high: 6, names: named('sun mon tue wed thu fri sat', 0) }],
]

const DESCRIPTORS: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
])

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
/** The search for the next time gives up after this many years: 30 February never comes. */
const YEARS_MAX = 5

/** What is wrong with a schedule, thrown while it is read and answered as text. */
class ScheduleError extends Error {
  override readonly name = 'ScheduleError'
}

/** The schedule on the clocks of `zone`; the text of what is wrong for anything else. */
export function parseCronSchedule(text: string, zone: TimeZone = utc): CronSchedule | string {
  try {
    return scheduleOf(text, zone)
  } catch (error) {
    if (error instanceof ScheduleError) return error.message
    throw error
  }
}

function scheduleOf(text: string, zone: TimeZone): CronSchedule {
  if (text === '') throw new ScheduleError('empty spec string')
  if (!text.startsWith('TZ=') && !text.startsWith('CRON_TZ=')) return inZone(text, zone)
  const blank = text.indexOf(' ')
  if (blank < 0) throw new ScheduleError('invalid schedule format: runtime error: slice bounds out of range [:-1]')
  const name = text.slice(text.indexOf('=') + 1, blank)
  const own = findTimeZone(name)
  if (!own) throw new ScheduleError(`provided bad location ${name}: unknown time zone ${name}`)
  return inZone(text.slice(blank).trim(), own)
}

function inZone(text: string, zone: TimeZone): CronSchedule {
  if (text.startsWith('@every ')) return every(text)
  const expression = DESCRIPTORS.get(text) ?? text
  if (expression.startsWith('@')) throw new ScheduleError(`unrecognized descriptor: ${text}`)
  const parts = expression.split(/\s+/).filter((part) => part !== '')
  if (parts.length !== BOUNDS.length)
    throw new ScheduleError(`expected exactly ${BOUNDS.length} fields, found ${parts.length}: [${parts.join(' ')}]`)
  const fields = new Map(BOUNDS.map(([name, bounds], index) => [name, parseField(parts[index] ?? '', bounds)]))
  const field = (name: keyof Fields): Field => fields.get(name) ?? { values: new Set(), star: false }
  const all: Fields = {
    minute: field('minute'),
    hour: field('hour'),
    dayOfMonth: field('dayOfMonth'),
    month: field('month'),
    dayOfWeek: field('dayOfWeek'),
  }
  return { next: (ms) => nextMatch(all, zone, ms) }
}

function every(text: string): CronSchedule {
  const duration = text.slice('@every '.length)
  const ms = parseDuration(duration)
  if (ms === undefined)
    throw new ScheduleError(`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`)
  const delay = Math.max(SECOND_MS, Math.trunc(ms / SECOND_MS) * SECOND_MS)
  return { next: (from) => Math.floor(from / SECOND_MS) * SECOND_MS + delay }
}

function parseField(text: string, bounds: Bounds): Field {
  const ranges = text.split(',').filter((part) => part !== '')
  const fields = ranges.map((range) => parseRange(range, bounds))
  return { values: new Set(fields.flatMap(({ values }) => [...values])), star: fields.some(({ star }) => star) }
}

/** `*`, `5`, `mon-fri`, each with `/step`; `5/10` goes to the end. */
function parseRange(text: string, bounds: Bounds): Field {
  const [limits = '', stepText, ...tooMuch] = text.split('/')
  const { low, high, isStar, isSingle } = parseLimits(text, limits, bounds)
  if (tooMuch.length > 0) throw new ScheduleError(`too many slashes: ${text}`)
  const step = stepText === undefined ? 1 : parseNumber(stepText, {})
  const range = { low, high: isSingle && stepText !== undefined ? bounds.high : high, step }
  checkRange(range, bounds, text)
  const values = new Set<number>()
  for (let value = low; value <= range.high; value += step) values.add(value)
  return { values, star: isStar && step === 1 }
}

interface Limits {
  readonly low: number
  readonly high: number
  readonly isStar: boolean
  readonly isSingle: boolean
}

/** What follows a star and a hyphen is not looked at. */
function parseLimits(text: string, limits: string, bounds: Bounds): Limits {
  const [lowText = '', highText, ...tooMany] = limits.split('-')
  const isSingle = highText === undefined
  if (lowText === '*' || lowText === '?') return { low: bounds.low, high: bounds.high, isStar: true, isSingle }
  const low = parseNumber(lowText, bounds)
  if (tooMany.length > 0) throw new ScheduleError(`too many hyphens: ${text}`)
  return { low, high: isSingle ? low : parseNumber(highText, bounds), isStar: false, isSingle }
}

interface Range {
  readonly low: number
  readonly high: number
  readonly step: number
}

function checkRange({ low, high, step }: Range, bounds: Bounds, text: string): void {
  if (low < bounds.low) throw new ScheduleError(`beginning of range (${low}) below minimum (${bounds.low}): ${text}`)
  if (high > bounds.high) throw new ScheduleError(`end of range (${high}) above maximum (${bounds.high}): ${text}`)
  if (low > high) throw new ScheduleError(`beginning of range (${low}) beyond end of range (${high}): ${text}`)
  if (step === 0) throw new ScheduleError(`step of range should be a positive number: ${text}`)
}

function parseNumber(text: string, { names }: Pick<Bounds, 'names'>): number {
  const byName = names?.get(text.toLowerCase())
  if (byName !== undefined) return byName
  const failure = `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}:`
  if (!/^[+-]?\d+$/.test(text)) throw new ScheduleError(`${failure} invalid syntax`)
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new ScheduleError(`${failure} value out of range`)
  if (value < 0) throw new ScheduleError(`negative number (${value}) not allowed: ${text}`)
  return value
}

/**
 * Month, day, hour and minute are moved on in turn until each one matches. Whenever one carries over to the next
 * unit, the search begins anew, as the units above have changed.
 */
function nextMatch(fields: Fields, zone: TimeZone, ms: number): number | undefined {
  let at = Math.floor(ms / SECOND_MS) * SECOND_MS + SECOND_MS
  const lastYear = wallTimeAt(zone, at).year + YEARS_MAX
  for (const search = { moved: false }; wallTimeAt(zone, at).year <= lastYear; ) {
    const found = steps.reduce<Step>((step, take) => (step.wrapped ? step : take(fields, zone, step.at, search)), {
      at,
      wrapped: false,
    })
    at = found.at
    if (!found.wrapped) return at
  }
  return undefined
}

interface Step {
  readonly at: number
  readonly wrapped: boolean
}

/** Whether the smaller units have been set back, which happens once: before that they are those of the start. */
interface Search {
  moved: boolean
}

const steps: readonly ((fields: Fields, zone: TimeZone, at: number, search: Search) => Step)[] = [
  ({ month }, zone, from, search) => {
    let at = from
    for (let wall = wallTimeAt(zone, at); !month.values.has(wall.month); wall = wallTimeAt(zone, at)) {
      const day = search.moved ? wall : { ...wall, day: 1, ...MIDNIGHT }
      search.moved = true
      at = momentOf(zone, { ...day, month: wall.month + 1 })
      if (wallTimeAt(zone, at).month === 1) return { at, wrapped: true }
    }
    return { at, wrapped: false }
  },
  (fields, zone, from, search) => {
    let at = from
    for (let wall = wallTimeAt(zone, at); !dayMatches(fields, wall); wall = wallTimeAt(zone, at)) {
      const day = search.moved ? wall : { ...wall, ...MIDNIGHT }
      search.moved = true
      at = atMidnight(zone, momentOf(zone, { ...day, day: wall.day + 1 }))
      if (wallTimeAt(zone, at).day === 1) return { at, wrapped: true }
    }
    return { at, wrapped: false }
  },
  ({ hour }, zone, from, search) => {
    let at = from
    for (let wall = wallTimeAt(zone, at); !hour.values.has(wall.hour); wall = wallTimeAt(zone, at)) {
      if (!search.moved) at = momentOf(zone, { ...wall, minute: 0, second: 0 })
      search.moved = true
      at += HOUR_MS
      if (wallTimeAt(zone, at).hour === 0) return { at, wrapped: true }
    }
    return { at, wrapped: false }
  },
  ({ minute }, zone, from, search) => {
    let at = from
    for (let wall = wallTimeAt(zone, at); !minute.values.has(wall.minute); wall = wallTimeAt(zone, at)) {
      if (!search.moved) at = Math.floor(at / MINUTE_MS) * MINUTE_MS
      search.moved = true
      at += MINUTE_MS
      if (wallTimeAt(zone, at).minute === 0) return { at, wrapped: true }
    }
    return { at, wrapped: false }
  },
  (_fields, zone, from, search) => {
    const { second } = wallTimeAt(zone, from)
    if (second === 0) return { at: from, wrapped: false }
    search.moved = true
    const at = from + MINUTE_MS - second * SECOND_MS
    return { at, wrapped: true }
  },
]

const MIDNIGHT = { hour: 0, minute: 0, second: 0 } satisfies Partial<WallTime>

/** Where clocks skip midnight, the day begins at one; where they show it twice, the day before ended at 23. */
function atMidnight(zone: TimeZone, at: number): number {
  const { hour } = wallTimeAt(zone, at)
  return hour > 12 ? at + (24 - hour) * HOUR_MS : at - hour * HOUR_MS
}

function dayMatches({ dayOfMonth, dayOfWeek }: Fields, wall: WallTime & { readonly weekday: number }): boolean {
  const byMonth = dayOfMonth.values.has(wall.day)
  const byWeek = dayOfWeek.values.has(wall.weekday)
  return dayOfMonth.star || dayOfWeek.star ? byMonth && byWeek : byMonth || byWeek
}
