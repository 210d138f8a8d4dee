import { expect, test } from 'vitest'
import { createProgressReader, type FinishedTest } from './progress.ts'

const DELIMITER = '------------------------------'

function read(...lines: readonly string[]): readonly FinishedTest[] {
  const finished: FinishedTest[] = []
  const reader = createProgressReader((test) => finished.push(test))
  lines.forEach(reader)
  return finished
}

test('a passing test of parallel processes is told with its time', () => {
  const name = '[sig-node] Lease lease API should be available [Conformance]'
  expect(
    read(DELIMITER, '• [0.304 seconds]', `${name} [sig-node, Conformance]`, '/test/e2e/common/node/lease.go:72'),
  ).toEqual([{ test: name, passed: true, seconds: 0.304 }])
})

test('a failing test loses the mark of the part that failed', () => {
  expect(
    read(
      DELIMITER,
      '• [FAILED] [30.1 seconds]',
      '[sig-apps] CronJob [It] should not schedule jobs when suspended [Slow] [Conformance] [sig-apps, Conformance, Slow]',
    ),
  ).toEqual([
    {
      test: '[sig-apps] CronJob should not schedule jobs when suspended [Slow] [Conformance]',
      passed: false,
      seconds: 30.1,
    },
  ])
})

test('a single process names a test before it runs', () => {
  const name = '[sig-node] Secrets should patch a secret [Conformance]'
  expect(
    read(
      DELIMITER,
      `${name} [sig-node, Conformance]`,
      '/a.go:1',
      '  STEP: creating a secret',
      '• [0.1 seconds]',
      DELIMITER,
    ),
  ).toEqual([{ test: name, passed: true, seconds: 0.1 }])
})

test('what the suite does before and after its tests is not told', () => {
  expect(read(DELIMITER, '[SynchronizedBeforeSuite] PASSED [0.1 seconds]', '[SynchronizedBeforeSuite]')).toEqual([])
})
