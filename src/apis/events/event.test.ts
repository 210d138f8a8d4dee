import { describe, expect, test } from 'vitest'
import { findings, row, type Sent, updateFindings } from '../../../test/support/findings.ts'
import { eventsV1 } from './event.ts'

// Goal: the two faces of an event hold the same, and this one is strict about what is written through it.

const valid = {
  metadata: { name: 'web-0.1', namespace: 'default' },
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingController: 'example.com/controller',
  reportingInstance: 'controller-1',
  action: 'Scaling',
  reason: 'Scaled',
  type: 'Normal',
  note: 'from 1 to 2',
  regarding: { kind: 'Pod', name: 'web-0', namespace: 'default', uid: 'u' },
}

describe('conversion', () => {
  const stored = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'a' },
    involvedObject: { kind: 'Pod' },
    message: 'm',
    source: { component: 'c' },
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:01Z',
    count: 2,
    reportingComponent: 'r',
    eventTime: null,
  }
  const shown = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'a' },
    regarding: { kind: 'Pod' },
    note: 'm',
    deprecatedSource: { component: 'c' },
    deprecatedFirstTimestamp: '2026-01-01T00:00:00Z',
    deprecatedLastTimestamp: '2026-01-01T00:00:01Z',
    deprecatedCount: 2,
    reportingController: 'r',
    eventTime: null,
  }

  test('renames the fields that have other names in the core group, and back', () => {
    expect(eventsV1.conversion?.fromStored(stored)).toEqual(shown)
    expect(eventsV1.conversion?.toStored?.(eventsV1.conversion.fromStored(stored))).toEqual(stored)
  })

  test('selects by the names of the stored form', () => {
    expect(eventsV1.fields({ ...valid, type: 'Normal' })).toMatchObject({
      'involvedObject.name': 'web-0',
      reportingComponent: 'example.com/controller',
      reason: 'Scaled',
    })
  })
})

describe('rules', () => {
  const rules: readonly (readonly [behaviour: string, changes: object, expected: readonly string[]])[] = [
    ['accepts a complete event', {}, []],
    ['demands an action', { action: '' }, ['FieldValueRequired action: Required value']],
    [
      'refuses an unknown type',
      { type: 'Loud' },
      ['FieldValueInvalid type: Invalid value: "": has invalid value: Loud'],
    ],
    [
      'refuses the fields of the old API',
      { deprecatedCount: 3 },
      ['FieldValueInvalid count: Invalid value: "": needs to be unset'],
    ],
    [
      'refuses a series of one',
      { series: { count: 1, lastObservedTime: '2026-01-01T00:00:00.000000Z' } },
      ['FieldValueInvalid series.count: Invalid value: "": should be at least 2'],
    ],
    [
      'refuses a long note',
      { note: 'x'.repeat(1025) },
      ['FieldValueInvalid message: Invalid value: "": can have at most 1024 characters'],
    ],
  ]
  for (const [behaviour, changes, expected] of rules)
    test(behaviour, () => {
      const sent: Sent = { ...valid, ...changes }
      expect(findings(eventsV1, sent)).toEqual(expected)
    })

  test('lets only the series go on', () => {
    const series = { count: 2, lastObservedTime: '2026-01-01T00:00:09.000000Z' }
    expect(updateFindings(eventsV1, { ...valid, series }, valid)).toEqual([])
    expect(updateFindings(eventsV1, { ...valid, reason: 'Other' }, valid)).toEqual([
      'FieldValueInvalid reason: Invalid value: "Other": field is immutable',
      'FieldValueInvalid reason: Invalid value: "Other": field is immutable',
    ])
  })
})

test('a row is that of the stored event', () => {
  expect(row(eventsV1, valid)).toMatchObject({
    'Last Seen': '0s',
    Object: 'pod/web-0',
    Source: 'example.com/controller, controller-1',
    Message: 'from 1 to 2',
    Count: 1,
  })
})
