import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { README, withTable } from './readme-table.ts'
import { fullReports } from './report.ts'

test('the table in README.md is what the newest full run says', () => {
  const text = readFileSync(README, 'utf8')
  const [newest] = fullReports()
  if (newest) expect(text).toBe(withTable(text, newest))
})
