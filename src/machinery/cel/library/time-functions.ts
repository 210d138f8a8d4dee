/** Fields of timestamps and lengths of durations: `getHours()` and its relatives. */

import type { FunctionDeclaration, Overload } from '../declarations.ts'
import { type CalendarDate, calendarDate, wholeUnits } from '../operators/time.ts'
import { DURATION, INT, STRING, TIMESTAMP } from '../types.ts'
import { CelError, type Duration, type Result, type Timestamp } from '../values.ts'
import { declare, member } from './declare.ts'

type Field = (date: CalendarDate) => number

/** The overloads that read one field of the date, in UTC or a time zone. */
function dateField(id: string, field: Field, zonedId = `${id}_with_tz`): readonly Overload[] {
  const read = (timestamp: Timestamp, zone?: string): Result => {
    const date = calendarDate(timestamp, zone)
    return date instanceof CelError ? date : BigInt(field(date))
  }
  return [
    member(id, [TIMESTAMP], INT, (timestamp: Timestamp) => read(timestamp)),
    member(zonedId, [TIMESTAMP, STRING], INT, read),
  ]
}

export const TIME_FUNCTIONS: readonly FunctionDeclaration[] = [
  declare(
    'getFullYear',
    dateField('timestamp_to_year', ({ year }) => year),
  ),
  declare(
    'getMonth',
    dateField('timestamp_to_month', ({ month }) => month),
  ),
  declare(
    'getDayOfYear',
    dateField('timestamp_to_day_of_year', ({ dayOfYear }) => dayOfYear),
  ),
  declare(
    'getDayOfMonth',
    dateField('timestamp_to_day_of_month', ({ dayOfMonth }) => dayOfMonth),
  ),
  declare(
    'getDate',
    dateField('timestamp_to_day_of_month_1_based', ({ dayOfMonth }) => dayOfMonth + 1),
  ),
  declare(
    'getDayOfWeek',
    dateField('timestamp_to_day_of_week', ({ dayOfWeek }) => dayOfWeek),
  ),
  declare('getHours', [
    ...dateField('timestamp_to_hours', ({ hours }) => hours),
    member('duration_to_hours', [DURATION], INT, (duration: Duration) => wholeUnits(duration, 'hours')),
  ]),
  declare('getMinutes', [
    ...dateField('timestamp_to_minutes', ({ minutes }) => minutes),
    member('duration_to_minutes', [DURATION], INT, (duration: Duration) => wholeUnits(duration, 'minutes')),
  ]),
  declare('getSeconds', [
    ...dateField('timestamp_to_seconds', ({ seconds }) => seconds, 'timestamp_to_seconds_tz'),
    member('duration_to_seconds', [DURATION], INT, (duration: Duration) => wholeUnits(duration, 'seconds')),
  ]),
  declare('getMilliseconds', [
    ...dateField('timestamp_to_milliseconds', ({ milliseconds }) => milliseconds),
    member('duration_to_milliseconds', [DURATION], INT, (duration: Duration) => wholeUnits(duration, 'milliseconds')),
  ]),
]
