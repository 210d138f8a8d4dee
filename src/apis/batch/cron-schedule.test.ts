import { describe, expect, test } from 'vitest'
import { parseCronSchedule } from './cron-schedule.ts'
import { findTimeZone, utc } from './time-zone.ts'

function next(schedule: string, from: string, zone = 'UTC'): string | undefined {
  const parsed = parseCronSchedule(schedule, findTimeZone(zone) ?? utc)
  if (typeof parsed === 'string') return parsed
  const ms = parsed.next(Date.parse(from))
  return ms === undefined ? undefined : new Date(ms).toISOString().replace('.000Z', 'Z')
}

describe('the next time', () => {
  for (const [from, schedule, expected] of [
    ['2012-07-09T14:45:00Z', '0/15 * * * *', '2012-07-09T15:00:00Z'],
    ['2012-07-09T14:59:59.5Z', '0/15 * * * *', '2012-07-09T15:00:00Z'],
    ['2012-07-09T15:45:00Z', '20-35/15 * * * *', '2012-07-09T16:20:00Z'],
    ['2012-07-09T23:46:00Z', '*/15 * * * *', '2012-07-10T00:00:00Z'],
    ['2012-07-09T23:35:51Z', '20-35/15 1/2 */2 * *', '2012-07-11T01:20:00Z'],
    ['2012-07-09T23:35:51Z', '20-35/15 * 9-20 Jul *', '2012-07-10T00:20:00Z'],
    ['2012-07-09T23:35:00Z', '0 0 9 Apr-Oct ?', '2012-08-09T00:00:00Z'],
    ['2012-07-09T23:35:00Z', '0 0 */5 Apr,Aug,Oct Mon', '2012-08-01T00:00:00Z'],
    ['2012-07-09T23:35:00Z', '0 0 * Feb Mon', '2013-02-04T00:00:00Z'],
    ['2012-07-09T23:35:00Z', '0 0 * Feb Mon/2', '2013-02-01T00:00:00Z'],
    ['2012-12-31T23:59:45Z', '* * * * *', '2013-01-01T00:00:00Z'],
    ['2012-07-09T23:35:00Z', '0 0 29 Feb ?', '2016-02-29T00:00:00Z'],
    ['2012-07-09T23:35:00Z', '0 0 30 Feb ?', undefined],
    ['2012-07-09T23:35:00Z', ', * * * *', undefined],
    ['2012-07-09T23:35:00Z', '@yearly', '2013-01-01T00:00:00Z'],
    ['2012-07-09T23:35:00Z', '@weekly', '2012-07-15T00:00:00Z'],
    ['2012-07-09T23:35:00Z', '@hourly', '2012-07-10T00:00:00Z'],
    ['2012-07-09T23:35:00.4Z', '@every 1h30m0.9s', '2012-07-10T01:05:00Z'],
    ['2012-07-09T23:35:00.4Z', '@every 1ms', '2012-07-09T23:35:01Z'],
  ] as const) {
    test(`of ${schedule} after ${from}`, () => expect(next(schedule, from)).toBe(expected))
  }
})

describe('the next time in New York', () => {
  for (const [from, schedule, expected] of [
    ['2012-03-11T00:00:00-05:00', '30 2 11 Mar ?', '2013-03-11T02:30:00-04:00'],
    ['2012-03-11T01:00:00-05:00', '0 * * * ?', '2012-03-11T03:00:00-04:00'],
    ['2012-03-11T00:00:00-05:00', '0 2 * * ?', '2012-03-12T02:00:00-04:00'],
    ['2012-03-11T01:00:00-05:00', '0 1 * * ?', '2012-03-12T01:00:00-04:00'],
    ['2012-11-04T01:45:00-04:00', '30 1 04 Nov ?', '2012-11-04T01:30:00-05:00'],
    ['2012-11-04T01:00:00-04:00', '0 * * * ?', '2012-11-04T01:00:00-05:00'],
    ['2012-11-04T01:00:00-05:00', '0 1 * * ?', '2012-11-05T01:00:00-05:00'],
    ['2012-11-04T00:00:00-04:00', '0 2 * * ?', '2012-11-04T02:00:00-05:00'],
  ] as const) {
    test(`of ${schedule} after ${from}`, () => {
      const iso = new Date(expected).toISOString().replace('.000Z', 'Z')
      expect(next(schedule, from, 'America/New_York')).toBe(iso)
      expect(next(`TZ=America/New_York ${schedule}`, from)).toBe(iso)
    })
  }

  test('is the first hour there is where midnight is skipped', () => {
    // In São Paulo, 4 November 2018 began at one in the morning.
    expect(next('0 * 4 11 *', '2018-11-03T12:00:00Z', 'America/Sao_Paulo')).toBe('2018-11-04T03:00:00Z')
  })
})

describe('what is wrong with a schedule', () => {
  for (const [schedule, expected] of [
    ['', 'empty spec string'],
    ['error', 'expected exactly 5 fields, found 1: [error]'],
    ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['* * * * fun', 'failed to parse int from fun: strconv.Atoi: parsing "fun": invalid syntax'],
    [
      '99999999999999999999 * * * *',
      'failed to parse int from 99999999999999999999: strconv.Atoi: parsing "99999999999999999999": value out of range',
    ],
    ['@fortnightly', 'unrecognized descriptor: @fortnightly'],
    ['@every soon', 'failed to parse duration @every soon: time: invalid duration "soon"'],
    ['TZ=0', 'invalid schedule format: runtime error: slice bounds out of range [:-1]'],
    ['TZ=No/Zone 0 0 * * *', 'provided bad location No/Zone: unknown time zone No/Zone'],
  ] as const) {
    test(JSON.stringify(schedule), () => expect(parseCronSchedule(schedule)).toBe(expected))
  }
})
