import { expect, test } from 'vitest'
import { readable, selected } from './logs.ts'

const LINE =
  '{"level":40,"time":"2026-01-02T10:02:03.004Z","controller":"job","error":"no way","code":7,"msg":"failed"}'

test('shows a line of the log for people', () => {
  expect(readable(LINE)).toBe('10:02:03.004 WARN  failed controller=job error="no way" code=7')
})

test('shows what is no line of the log as it is', () => {
  expect(readable('Error: oh\n    at x')).toBe('Error: oh\n    at x')
  expect(readable('{"broken')).toBe('{"broken')
  expect(readable('{}')).toBe('{}')
})

test.each([
  ['everything', LINE, undefined, 0, true],
  ['its controller', LINE, 'controller/job', 0, true],
  ['its controller by name alone', LINE, 'job', 0, true],
  ['another controller', LINE, 'deployment', 0, false],
  ['only what is newer', LINE, undefined, Date.UTC(2027, 0), false],
  ['output beside the log, of no component', 'Error: oh', 'job', 0, false],
  ['output beside the log', 'Error: oh', undefined, 0, true],
] as const)('selects %s', (_, line, component, after, expected) => {
  expect(selected(line, component, after)).toBe(expected)
})
