import { describe, expect, test } from 'vitest'
import { focusOn, quickTests, STAGES, stageOf } from './stages.ts'

const all = STAGES.flatMap(({ tests }) => tests)

describe('the stages', () => {
  test('hold each of the 446 conformance tests once', () => {
    expect(all).toHaveLength(446)
    expect(new Set(all)).toHaveLength(446)
  })

  test('are known by their tests', () => {
    for (const stage of STAGES) expect(stage.tests.filter((name) => stageOf(name) !== stage)).toEqual([])
  })
})

test('the quick cut has tests without nodes only, most of them', () => {
  expect(quickTests().filter((name) => stageOf(name)?.nodes !== 0)).toEqual([])
  expect(quickTests().length).toBeGreaterThan(100)
})

test('a focus matches the tests it is for and no others', () => {
  for (const name of all.filter((_, index) => index % 20 === 0)) {
    const focus = new RegExp(focusOn([name]))
    expect(all.filter((other) => focus.test(`Kubernetes e2e suite ${other}`))).toEqual([name])
  }
})
