import { describe, expect, test } from 'vitest'
import { ageOf, formatDuration, formatMicroTime, formatTime, humanDuration, parseDuration, parseTime } from './time.ts'

const S = 1_000
const M = 60 * S
const H = 60 * M
const D = 24 * H

describe('AGE', () => {
  test.each([
    [-2 * S, '<invalid>'],
    [-1 * S, '0s'],
    [0, '0s'],
    [119 * S, '119s'],
    [120 * S, '2m'],
    [9 * M + 59 * S, '9m59s'],
    [10 * M + 59 * S, '10m'],
    [179 * M, '179m'],
    [180 * M, '3h'],
    [7 * H + 59 * M, '7h59m'],
    [8 * H + 59 * M, '8h'],
    [47 * H, '47h'],
    [48 * H, '2d'],
    [7 * D + 23 * H, '7d23h'],
    [8 * D + 23 * H, '8d'],
    [729 * D, '729d'],
    [730 * D, '2y'],
    [813 * D, '2y83d'],
    [8 * 365 * D, '8y'],
    [9 * 365 * D + 5 * D, '9y'],
  ])('%d ms', (ms, expected) => expect(humanDuration(ms)).toBe(expected))

  test('of a timestamp', () => {
    expect(ageOf('2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1, 0, 5))).toBe('5m')
    expect(ageOf(null, 0)).toBe('<unknown>')
  })
})

describe('durations', () => {
  test.each([
    ['0', 0, '0s'],
    ['1h30m', 90 * M, '1h30m0s'],
    ['-1.5s', -1.5 * S, '-1.5s'],
    ['250ms', 250, '250ms'],
    ['1m0.5s', 60.5 * S, '1m0.5s'],
    ['10us', 0.01, '10µs'],
    ['24h', D, '24h0m0s'],
  ])('%s', (text, ms, printed) => {
    expect(parseDuration(text)).toBe(ms)
    expect(formatDuration(ms)).toBe(printed)
  })

  test.each(['', '1', 's', '1d', '1h 2m', '.s', '1e3s', '9999999999h'])('not a duration: %s', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })
})

describe('times', () => {
  const ms = Date.UTC(2026, 1, 3, 4, 5, 6, 789)
  test('print whole seconds or microseconds', () => {
    expect(formatTime(ms)).toBe('2026-02-03T04:05:06Z')
    expect(formatMicroTime(ms)).toBe('2026-02-03T04:05:06.789000Z')
    expect(formatMicroTime(ms + 0.25)).toBe('2026-02-03T04:05:06.789250Z')
  })
  test.each([
    ['2026-02-03T04:05:06Z', Date.UTC(2026, 1, 3, 4, 5, 6)],
    ['2026-02-03T04:05:06.789Z', ms],
    ['2026-02-03T06:05:06.789+02:00', ms],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['2026-02-29T00:00:00Z', undefined],
    ['2026-13-01T00:00:00Z', undefined],
    ['2026-02-03T24:00:00Z', undefined],
    ['2026-02-03 04:05:06Z', undefined],
    ['2026-02-03T04:05:06', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('parses %s', (text, expected) => expect(parseTime(text)).toBe(expected))
})
