import { expect, test } from 'vitest'
import type { Observation } from './compare.ts'
import type { FigureName } from './scenario.ts'
import { growthExponent } from './statistics.ts'
import { linesOf } from './verdicts.ts'

function observations(
  row: string,
  figure: FigureName,
  sides: Readonly<Record<string, readonly number[]>>,
): readonly Observation[] {
  return Object.entries(sides).flatMap(([side, values]) =>
    values.map((value) => ({ row, table: 'chosen' as const, figure, side, value })),
  )
}

const CREATE = 'C1 create Pod, c=100'

test('the best of the others is what counts, in the direction of the figure', () => {
  const rates = observations(CREATE, 'perSecond', { t8s: [800, 810, 820], slow: [50, 60, 70], fast: [99, 100, 101] })
  const costs = observations(CREATE, 'cpuMs', { t8s: [0.1, 0.1, 0.1], slow: [2, 2, 2], fast: [1, 1, 1] })
  expect(linesOf([...rates, ...costs], 't8s')).toMatchObject([
    { figure: 'perSecond', against: 'fast', medians: { t8s: 810, fast: 100 }, goal: 4, verdict: 'reached', rounds: 3 },
    { figure: 'cpuMs', against: 'fast', times: { ratio: 10 }, goal: 6, verdict: 'reached' },
  ])
})

test.each([
  [[390, 400, 410], 'undecided'],
  [[290, 300, 310], 'missed'],
  [[490, 500, 510], 'reached'],
] as const)('%j a second against 100 and a goal of four times is %s', (own, verdict) => {
  const rates = observations(CREATE, 'perSecond', { t8s: own, other: [100, 100, 100] })
  expect(linesOf(rates, 't8s')[0]?.verdict).toBe(verdict)
})

test.each([
  [[0.01, 0.05, 0.09], 'reached'],
  [[0.01, 0.05, 0.2], 'undecided'],
  [[0.2, 0.3, 0.4], 'missed'],
] as const)('exponents of %j under a limit of a tenth are %s', (own, verdict) => {
  expect(linesOf(observations('I1 get', 'exponent', { t8s: own }), 't8s')[0]).toMatchObject({ limit: 0.1, verdict })
})

test('what doubles with the number of objects grows with the exponent 1', () => {
  expect(growthExponent([1_000, 2_000, 4_000], [1, 2, 4])).toBeCloseTo(1)
  expect(growthExponent([1_000, 2_000, 4_000], [3, 3, 3])).toBeCloseTo(0)
})

test('a figure without a goal has no verdict; a row of one side no ratio', () => {
  const [line] = linesOf(observations('J1', 'ms', { t8s: [1, 2] }), 't8s')
  expect(line).toEqual({ row: 'J1', table: 'chosen', figure: 'ms', medians: { t8s: 1.5 }, rounds: 2 })
})
