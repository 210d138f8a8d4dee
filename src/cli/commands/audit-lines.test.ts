import { describe, expect, test } from 'vitest'
import { loggedSince, readableEvent } from './audit-lines.ts'

const line = (more: object = {}) =>
  JSON.stringify({
    ...{ kind: 'Event', stage: 'ResponseComplete', verb: 'create', requestURI: '/api/v1/namespaces/shop/pods' },
    ...{ user: { username: 'jane' }, responseStatus: { metadata: {}, code: 201 } },
    ...{ stageTimestamp: '2026-11-21T09:45:00.123456Z', ...more },
  })

describe('an event for people', () => {
  const refused = { responseStatus: { code: 403, reason: 'Forbidden' }, impersonatedUser: { username: 'joe' } }
  test.each([
    ['that is complete', {}, '201 create /api/v1/namespaces/shop/pods by jane'],
    ['that was refused', refused, '403 create /api/v1/namespaces/shop/pods by jane as joe Forbidden'],
    [
      'of somebody unknown',
      { user: {}, responseStatus: { code: 401 }, stage: 'ResponseStarted' },
      '401 create /api/v1/namespaces/shop/pods by nobody (ResponseStarted)',
    ],
    [
      'that has begun',
      { stage: 'RequestReceived', responseStatus: undefined },
      '--- create /api/v1/namespaces/shop/pods by jane (RequestReceived)',
    ],
  ])('%s', (_, more, expected) => expect(readableEvent(line(more))).toBe(`09:45:00.123 ${expected}`))

  test('that is none is shown as it is', () => expect(readableEvent('{"a":1}')).toBe('{"a":1}'))
})

test('events are selected by their time', () => {
  const at = Date.parse('2026-11-21T09:45:00Z')
  expect([loggedSince(line(), at), loggedSince(line(), at + 1_000), loggedSince('what?', 0)]).toEqual([
    true,
    false,
    false,
  ])
})
