import { expect, test } from 'vitest'
import type { AuditEvent } from './event.ts'
import { eventText } from './record.ts'

const event: AuditEvent = {
  ...({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'RequestResponse',
    auditID: 'a',
    stage: 'Panic',
  } as const),
  ...{ requestURI: '/', verb: 'get', user: {}, requestReceivedTimestamp: '', stageTimestamp: '' },
  ...{ requestObject: { data: 'x'.repeat(100) }, responseObject: { data: 'y' }, annotations: { a: 'b' } },
}

test('an event is a line', () => {
  expect(JSON.parse(eventText(event))).toEqual(event)
  expect(eventText({ ...event, verb: 'a\nb' })).not.toContain('\n')
})

test('an event that is too long loses its bodies and says so', () => {
  const { requestObject: _sent, responseObject: _answer, ...rest } = event
  const annotations = { a: 'b', 'audit.k8s.io/truncated': 'true' }
  expect(JSON.parse(eventText(event, 200))).toEqual({ ...rest, annotations })
})
