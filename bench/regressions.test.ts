import { expect, test } from 'vitest'
import type { Observation } from './compare.ts'
import { regressionsBetween, unreachedIn } from './regressions.ts'
import type { Report } from './report.ts'
import { MACHINE } from './test-machine.ts'

const ROW = 'C2 get Pod, c=100'

function report(own: readonly number[]): Report {
  const of =
    (side: string) =>
    (value: number): Observation => {
      return { row: ROW, table: 'chosen', figure: 'perSecond', side, value }
    }
  const observations = [...own.map(of('t8s')), ...[100, 100, 100].map(of('other'))]
  const rest = { date: '', commit: '', quick: false, whole: true, circumstances: [], proofs: [], failures: [] }
  return { ...rest, machine: MACHINE, sides: ['t8s', 'other'], observations }
}

test.each([
  [[800, 810, 820], [700, 710, 720], 1],
  [[800, 810, 820], [790, 805, 830], 0],
  [[600, 610, 620], [590, 595, 599], 1],
  [[500, 510, 520], [700, 710, 720], 0],
] as const)('from %j to %j a second there are %i regressions', (before, after, count) => {
  expect(regressionsBetween(report(before), report(after))).toHaveLength(count)
})

test('goals that are not reached are named', () => {
  expect(unreachedIn(report([500, 510, 520])).map(({ row }) => row)).toEqual([ROW])
  expect(unreachedIn(report([800, 810, 820]))).toEqual([])
})
