import { expect, test } from 'vitest'
import type { Observation } from './compare.ts'
import { withTable } from './readme-table.ts'
import { amended, markdownOf, type Report } from './report.ts'
import type { FigureName, Table } from './scenario.ts'
import { MACHINE } from './test-machine.ts'

const MARKED = 'before\n<!-- bench: npm run bench writes what follows -->\nold\n<!-- bench: end -->\nafter\n'

const ROW = 'C2 get Pod, c=100'

function observed(
  side: string,
  table: Table,
  figure: FigureName,
  ...values: readonly number[]
): readonly Observation[] {
  return values.map((value) => ({ row: ROW, table, figure, side, value }))
}

const REPORT: Report = {
  ...{
    date: '2026-01-02T03:04:05Z',
    commit: 'abc',
    quick: false,
    whole: true,
    machine: MACHINE,
    sides: ['t8s', 'other'],
  },
  ...{ circumstances: [], proofs: [], failures: ['docker: Docker does not answer'] },
  observations: [
    ...observed('t8s', 'chosen', 'perSecond', 800, 800, 800),
    ...observed('other', 'chosen', 'perSecond', 100, 100, 100),
    ...observed('t8s', 'chosen', 'clientPercent', 40, 40, 40),
    ...observed('t8s', 'HTTP/1.1', 'perSecond', 800, 800, 800),
    ...observed('other', 'HTTP/1.1', 'perSecond', 120, 120, 120),
    ...observed('t8s', 'HTTP/2.0', 'perSecond', 300, 300, 300),
  ],
}

test('each protocol has a table of its own, where both sides spoke it; goals are judged by what client-go chooses', () => {
  const text = markdownOf(REPORT)
  const [chosen = '', one = ''] = text.split('## HTTP/1.1 on both sides')
  expect(chosen).toContain(`| ${ROW} † | perSecond, 1/s | 800 | 100 | 8.00 (8.00–8.00) | ≥ 6 | reached |`)
  expect(one).toContain(`| ${ROW} | perSecond, 1/s | 800 | 120 | 6.67 (6.67–6.67) |  |  |`)
  expect(text).not.toContain('## HTTP/2 on both sides')
})

test('what could not be measured is said', () => {
  expect(markdownOf(REPORT)).toContain('- docker: Docker does not answer')
})

test('the table of goals takes the marked place of a text and nothing else', () => {
  const written = withTable(MARKED, REPORT)
  expect(written).toMatch(/^before\n<!-- bench: npm/)
  expect(written.replaceAll(/ +/g, ' ')).toContain(`| ${ROW} | 1/s | 800 | 100 | 8.00 (8.00–8.00) | ≥ 6 | reached |`)
  expect(written).not.toContain('old')
  expect(written).toMatch(/<!-- bench: end -->\nafter\n$/)
  expect(withTable(written, REPORT)).toBe(written)
  expect(() => withTable('no place', REPORT)).toThrow('no place for the table')
})

test('what is measured again takes the place of what was there, and says so', () => {
  const old = { scenario: 'crud', minutes: 1, load: 0, calibrationMs: [30, 30] as const }
  const other = { row: 'C4 delete', table: 'chosen', figure: 'perSecond', side: 't8s', value: 1 } as const
  const report = { ...REPORT, circumstances: [old], observations: [...REPORT.observations, other] }
  const observations = observed('t8s', 'chosen', 'perSecond', 900, 900, 900)
  const again = { date: '2026-02-03T04:05:06Z', commit: 'def' }
  const after = amended(report, [{ observations, circumstances: { ...old, minutes: 2 } }], again)
  expect(after.observations).toEqual([...observations, other])
  expect(after.circumstances).toEqual([{ ...old, minutes: 2, again }])
  expect(markdownOf(after)).toContain('| crud, again 2026-02-03 04:05, def | 2.0 |')
  expect(withTable(MARKED, after)).toContain('Measured again: crud (2026-02-03 04:05, def).')
})
