import { expect, test } from 'vitest'
import { createFakeClock } from '../../base/fake-clock.ts'
import { createMetrics } from '../../base/metrics.ts'
import type { ApiRequest } from '../../machinery/wire/message.ts'
import { countedAuthenticator } from './authentication-metrics.ts'
import type { Authentication } from './authenticator.ts'

test('attempts are counted by result and kind of user, those of this process are not', async () => {
  const metrics = createMetrics()
  const clock = createFakeClock()
  let answer: Authentication = { outcome: 'absent' }
  const { authenticate } = countedAuthenticator({ authenticate: () => answer }, metrics, clock)
  const ask = async (wants: ApiRequest['wants'], next: Authentication) => {
    answer = next
    const headers = {}
    const { signal } = new AbortController()
    const body = { type: 'none' } as const
    const query = new URLSearchParams()
    expect(await authenticate({ method: 'GET', path: '/', query, headers, body, signal, wants })).toBe(answer)
  }
  const user = (name: string): Authentication => ({ outcome: 'user', user: { name, groups: [] } })
  await ask('bytes', { outcome: 'absent' })
  await ask('bytes', { outcome: 'failed', reason: 'x' })
  await ask('bytes', user('jane@example.com'))
  await ask('bytes', user('admin'))
  await ask('bytes', user('system:serviceaccount:d:a'))
  await ask('object', user('admin'))
  const lines = (await metrics.text()).split('\n').filter((line) => /^authentic.*(requests|attempts|_count)/.test(line))
  expect(lines).toEqual([
    'authenticated_user_requests{username="email_id"} 1',
    'authenticated_user_requests{username="admin"} 1',
    'authenticated_user_requests{username="other"} 1',
    'authentication_attempts{result="failure"} 1',
    'authentication_attempts{result="error"} 1',
    'authentication_attempts{result="success"} 3',
    'authentication_duration_seconds_count{result="failure"} 1',
    'authentication_duration_seconds_count{result="error"} 1',
    'authentication_duration_seconds_count{result="success"} 3',
  ])
})
