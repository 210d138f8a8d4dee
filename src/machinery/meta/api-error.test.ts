import { describe, expect, test } from 'vitest'
import { ApiError, fromStatus, invalid, isExpired, isNotFound, notFound, toStatus } from './api-error.ts'
import { FieldPath, required } from './field-error.ts'

const RESOURCE = { group: 'apps', resource: 'deployments' }

describe('invalid', () => {
  test('names the finding and its field', () => {
    const error = invalid({ group: 'apps', kind: 'Deployment' }, 'web', [required(new FieldPath('spec.selector'), '')])
    expect(error.message).toBe('Deployment.apps "web" is invalid: spec.selector: Required value')
    expect(error.status.details?.causes).toEqual([
      { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.selector' },
    ])
  })

  test('names five hundred findings at most', () => {
    const path = new FieldPath('spec.containers')
    const errors = Array.from({ length: 100_000 }, (_, index) => required(path.index(index), ''))
    const { message, status } = invalid({ group: '', kind: 'Pod' }, 'web', errors)
    expect(status.details?.causes).toHaveLength(500)
    expect(message.length).toBeLessThan(50_000)
  })
})

test('what is thrown becomes a Status: its own, or a 500 that tells nothing', () => {
  expect(toStatus(notFound(RESOURCE, 'web'))).toMatchObject({ code: 404, reason: 'NotFound', kind: 'Status' })
  const unknown = toStatus(new Error('the password is x'))
  expect(unknown).toMatchObject({ code: 500, reason: 'InternalError' })
  expect(JSON.stringify(unknown)).not.toContain('password')
})

test('a Status over the wire is the same error again', () => {
  const again = fromStatus(notFound(RESOURCE, 'web').status)
  expect([again instanceof ApiError, isNotFound(again), again.code]).toEqual([true, true, 404])
  const gone = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code: 410, reason: 'Gone' } as const
  expect(isExpired(fromStatus(gone))).toBe(true)
})
