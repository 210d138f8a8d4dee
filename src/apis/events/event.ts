/** Events of events.k8s.io: another face of the core events, stricter on what is written through it. */

import { deepEqual } from '../../base/deep-equal.ts'
import { type FieldError, FieldPath, invalidValue, required } from '../../machinery/meta/field-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { eventColumns, eventErrors, eventFields } from '../core/event.ts'
import type { Event as CoreEvent } from '../core/types.gen.ts'
import { defineResource } from '../define-resource.ts'
import { immutable } from '../strategy-parts.ts'
import type { Event } from './types.gen.ts'

const REGARDING_FIELDS = ['apiVersion', 'fieldPath', 'kind', 'name', 'namespace', 'resourceVersion', 'uid']

export const eventsV1 = defineResource<Event>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  resource: 'events',
  shortNames: ['ev'],
  scope: 'Namespaced',
  schema: builtinSchema('events.v1.Event'),
  storedAs: { group: '', resource: 'events' },
  // Objects in the store under core events are core events: that is what `storedAs` says.
  conversion: { fromStored: (object) => fromCore(object as CoreEvent), toStored: toCore },
  validate: (object) => [...eventErrors(toCore(object), 'reportingController'), ...creationErrors(object)],
  ratchets: true,
  validateUpdate,
  createOnUpdate: true,
  columns: eventColumns(toCore),
  fields: (object) => eventFields(toCore(object)),
  fieldLabels: [
    'metadata.name',
    'metadata.namespace',
    'reason',
    ...REGARDING_FIELDS.map((field) => `regarding.${field}`),
    'reportingController',
    'type',
  ],
  fieldAliases: {
    ...Object.fromEntries(REGARDING_FIELDS.map((field) => [`regarding.${field}`, `involvedObject.${field}`])),
    reportingController: 'reportingComponent',
  },
})

/** Fields whose names differ, here → in the core group. */
const RENAMED = {
  regarding: 'involvedObject',
  note: 'message',
  deprecatedSource: 'source',
  deprecatedFirstTimestamp: 'firstTimestamp',
  deprecatedLastTimestamp: 'lastTimestamp',
  deprecatedCount: 'count',
  reportingController: 'reportingComponent',
} as const
const CORE_NAMES: ReadonlyMap<string, string> = new Map(Object.entries(RENAMED))
const OWN_NAMES: ReadonlyMap<string, string> = new Map(Object.entries(RENAMED).map(([own, core]) => [core, own]))

function toCore(object: Event): CoreEvent {
  const { regarding = {} } = object
  // The names are all that differs between the two types; `RENAMED` is checked field by field in the test.
  const stored: KubeObject = Object.assign({}, object, { regarding, apiVersion: 'v1' })
  return renamed(stored, CORE_NAMES) as CoreEvent
}

function fromCore(object: CoreEvent): Event {
  return renamed({ eventTime: null, ...object, apiVersion: 'events.k8s.io/v1' }, OWN_NAMES) as unknown as Event
}

function renamed(object: KubeObject, names: ReadonlyMap<string, string>): KubeObject {
  const entries = Object.entries(object).map(([field, value]) => [names.get(field) ?? field, value])
  return Object.fromEntries(entries)
}

function creationErrors(object: Event): readonly FieldError[] {
  const {
    type = '',
    eventTime,
    deprecatedCount,
    deprecatedSource,
    deprecatedFirstTimestamp,
    deprecatedLastTimestamp,
  } = object
  const errors = seriesErrors(object)
  if (!eventTime) errors.push(required(new FieldPath('eventTime')))
  if (type !== 'Normal' && type !== 'Warning')
    errors.push(invalidValue(new FieldPath('type'), '', `has invalid value: ${type}`))
  if (deprecatedFirstTimestamp) errors.push(unset('firstTimestamp'))
  if (deprecatedLastTimestamp) errors.push(unset('lastTimestamp'))
  if (deprecatedCount) errors.push(unset('count'))
  if (deprecatedSource?.component || deprecatedSource?.host) errors.push(unset('source'))
  return errors
}

const unset = (field: string): FieldError => invalidValue(new FieldPath(field), '', 'needs to be unset')

function seriesErrors({ series }: Event): FieldError[] {
  if (!series) return []
  const errors: FieldError[] = []
  if ((series.count ?? 0) < 2) errors.push(invalidValue(new FieldPath('series.count'), '', 'should be at least 2'))
  if (!series.lastObservedTime) errors.push(required(new FieldPath('series.lastObservedTime')))
  return errors
}

/** Only the series of an event goes on; the paths are those of the stored form, as upstream's, and in its order. */
const FIXED_BEFORE_TIME = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  // Twice, as upstream.
  'reason',
  'type',
] as const
const FIXED_AFTER_TIME = ['action', 'related', 'reportingComponent', 'reportingInstance'] as const

/** What each of them is in Go when it is absent, where that is not `null`. */
const ABSENT: ReadonlyMap<string, unknown> = new Map([
  ...['reason', 'message', 'type', 'action', 'reportingComponent', 'reportingInstance'].map(
    (field): [string, unknown] => [field, ''],
  ),
  ['count', 0],
  ['source', {}],
  ['involvedObject', {}],
])

function validateUpdate(object: Event, previous: Event): readonly FieldError[] {
  const [now, before] = [toCore(object), toCore(previous)]
  const fixed = (field: (typeof FIXED_BEFORE_TIME | typeof FIXED_AFTER_TIME)[number]): readonly FieldError[] => {
    const absent = ABSENT.get(field) ?? null
    const path = field === 'reportingComponent' ? 'reportingController' : field
    return immutable(path, now[field] ?? absent, before[field] ?? absent)
  }
  return [
    ...eventErrors(now, 'reportingController'),
    ...(deepEqual(now.series, before.series) ? [] : seriesErrors(object)),
    ...FIXED_BEFORE_TIME.flatMap(fixed),
    ...immutable('eventTime', now.eventTime ?? null, before.eventTime ?? null),
    ...FIXED_AFTER_TIME.flatMap(fixed),
  ]
}
