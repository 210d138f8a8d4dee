import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

test.each([
  ['statis', 'status'],
  ['don', 'down'],
  ['kubconfig', 'kubeconfig'],
  ['frobnicate', undefined],
  ['', undefined],
] as const)('for %j means %s', (name, meant) => {
  expect(nearest(name, ['status', 'down', 'kubeconfig'])).toBe(meant)
})
