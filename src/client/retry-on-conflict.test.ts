import { expect, test } from 'vitest'
import { conflict, notFound } from '../machinery/meta/api-error.ts'
import { retryOnConflict } from './retry-on-conflict.ts'

const RESOURCE = { group: '', resource: 'pods' }

async function attempts(failures: number, failure: Error): Promise<string> {
  let made = 0
  const outcome = await retryOnConflict(async () => {
    if (made++ < failures) throw failure
    return 'done'
  }).catch((error: unknown) => String(error))
  return `${made} ${outcome}`
}

test('tries again after a conflict, five times in all, and after nothing else', async () => {
  expect(await attempts(0, conflict(RESOURCE, 'a', 'x'))).toBe('1 done')
  expect(await attempts(4, conflict(RESOURCE, 'a', 'x'))).toBe('5 done')
  expect(await attempts(9, conflict(RESOURCE, 'a', 'x'))).toMatch(/^5 ApiError/)
  expect(await attempts(1, notFound(RESOURCE, 'a'))).toMatch(/^1 ApiError/)
})
