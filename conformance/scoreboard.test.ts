import { describe, expect, test } from 'vitest'
import { type Moment, regressions, type Scoreboard, withResults } from './scoreboard.ts'
import type { Outcome, TestResult } from './suite.ts'

const NAME = '[sig-node] Lease lease API should be available [Conformance]'
const EARLIER: Moment = { date: '2026-01-01', version: '0.1.0' }
const NOW: Moment = { date: '2026-02-02', version: '0.2.0' }
const EMPTY: Scoreboard = { suite: 'v1.36.3', tests: [] }

const result = (outcome: Outcome, message = ''): TestResult => ({ test: NAME, outcome, seconds: 1.4, message })
const board = (outcome: Outcome) => withResults(EMPTY, [result(outcome, 'why')], EARLIER, false)

test('a row names the stage and the first line of the failure', () => {
  expect(withResults(EMPTY, [result('fail', '\n  expected this\nto equal that')], NOW, false).tests).toEqual([
    { test: NAME, stage: 's1a', outcome: 'fail', seconds: 1, message: 'expected this', ...NOW },
  ])
})

describe('a test that passed', () => {
  test('keeps its row when it passes again', () => {
    expect(withResults(board('pass'), [result('pass')], NOW, false)).toEqual(board('pass'))
  })

  test('stays recorded as passing when it fails, and is told', () => {
    const failed = [result('fail', 'broken')]
    expect(withResults(board('pass'), failed, NOW, false)).toEqual(board('pass'))
    expect(regressions(board('pass'), failed)).toEqual(failed)
  })

  test('fails from now on where that is accepted', () => {
    expect(withResults(board('pass'), [result('fail', 'broken')], NOW, true).tests).toMatchObject([
      { outcome: 'fail', message: 'broken', ...NOW },
    ])
  })
})

test('a test that fails again keeps its date and tells the newest reason', () => {
  expect(withResults(board('fail'), [result('fail', 'other')], NOW, false).tests).toMatchObject([
    { outcome: 'fail', message: 'other', ...EARLIER },
  ])
})

test('a test that passes at last is recorded at once', () => {
  expect(withResults(board('fail'), [result('pass')], NOW, false).tests).toMatchObject([{ outcome: 'pass', ...NOW }])
  expect(regressions(board('fail'), [result('fail')])).toEqual([])
})

test('tests that were not run keep their rows', () => {
  expect(withResults(board('fail'), [], NOW, false)).toEqual(board('fail'))
})
