import { expect, test } from 'vitest'
import { backupName, expiredBackups } from './log-rotation.ts'

const now = Date.parse('2026-11-21T09:45:00.123Z')
const day = 24 * 60 * 60 * 1_000
const backup = (daysAgo: number) => backupName('audit.log', now - daysAgo * day)

test('a full file is named after the moment', () => {
  expect(backupName('audit.log', now)).toBe('audit-2026-11-21T09-45-00.123.log')
  expect(backupName('audit', now)).toBe('audit-2026-11-21T09-45-00.123')
})

test.each<readonly [string, number, number, readonly number[]]>([
  ['nothing without limits', 0, 0, []],
  ['all but the newest so many', 2, 0, [2, 3, 9]],
  ['those that are too old', 0, 3, [9]],
  ['what either limit is against', 3, 1, [2, 3, 9]],
])('removes %s', (_, maxBackups, maxAgeDays, gone) => {
  const names = [9, 0.5, 2, 1, 3].map(backup)
  const others = [
    'audit.log',
    'audit-old.log',
    'audit-2026-99-99T09-45-00.123.log',
    'other-2020-01-01T00-00-00.000.log',
  ]
  const expired = expiredBackups([...others, ...names], 'audit.log', { maxBackups, maxAgeDays }, now)
  expect(expired).toEqual(gone.map(backup))
})
