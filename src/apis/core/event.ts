/** Events of the core group: the stored form of both event APIs. They expire; nothing depends on them. */

import { type FieldError, FieldPath, invalidValue, required } from '../../machinery/meta/field-error.ts'
import { nameIsPathSegment } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageCell, nameColumn, textColumn, wideColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import type { Cell, Column, TimedCell } from '../definition.ts'
import { dnsSubdomainErrors, qualifiedNameErrors } from '../field-rules.ts'
import type { Event } from './types.gen.ts'

/** Characters of a reporting instance, an action and a reason. */
const SHORT_TEXT_MAX = 128
/** Characters of a message. */
const MESSAGE_MAX = 1024

export const events = defineResource<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  resource: 'events',
  shortNames: ['ev'],
  scope: 'Namespaced',
  schema: builtinSchema('core.v1.Event'),
  nameRule: nameIsPathSegment,
  default: (object) => (object.involvedObject ? object : { ...object, involvedObject: {} }),
  validate: (object) => eventErrors(object, 'reportingComponent'),
  createOnUpdate: true,
  columns: eventColumns((object) => object),
  fields: eventFields,
  fieldLabels: [
    ...['apiVersion', 'fieldPath', 'kind', 'name', 'namespace', 'resourceVersion', 'uid'].map(
      (field) => `involvedObject.${field}`,
    ),
    'metadata.name',
    'metadata.namespace',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
})

/** Both event APIs select by these; events.k8s.io has other names for some of them. */
export function eventFields({
  involvedObject,
  reason,
  reportingComponent,
  source,
  type,
}: Event): Record<string, string> {
  return {
    'involvedObject.apiVersion': involvedObject?.apiVersion ?? '',
    'involvedObject.fieldPath': involvedObject?.fieldPath ?? '',
    'involvedObject.kind': involvedObject?.kind ?? '',
    'involvedObject.name': involvedObject?.name ?? '',
    'involvedObject.namespace': involvedObject?.namespace ?? '',
    'involvedObject.resourceVersion': involvedObject?.resourceVersion ?? '',
    'involvedObject.uid': involvedObject?.uid ?? '',
    reason: reason ?? '',
    reportingComponent: reportingComponent ?? '',
    source: source?.component || reportingComponent || '',
    type: type ?? '',
  }
}

/** The columns of an event in whatever form, read from its stored form. */
export function eventColumns<T extends { metadata: Event['metadata'] }>(
  stored: (object: T) => Event,
): readonly Column<T>[] {
  const text = (name: string, value: (event: Event) => string): Column<T> =>
    textColumn(name, (object) => value(stored(object)))
  const wide = (name: string, value: (event: Event) => string | number): Column<T> =>
    wideColumn(name, (object) => value(stored(object)))
  return [
    textColumn('Last Seen', (object) => lastSeen(stored(object))),
    text('Type', ({ type }) => type ?? ''),
    text('Reason', ({ reason }) => reason ?? ''),
    text('Object', ({ involvedObject: { kind = '', name } }) =>
      name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase(),
    ),
    wide('Subobject', ({ involvedObject }) => involvedObject.fieldPath ?? ''),
    wide('Source', sourceText),
    text('Message', ({ message }) => (message ?? '').trim()),
    wideColumn('First Seen', (object) => firstSeen(stored(object))),
    wide('Count', ({ series, count }) => (series ? (series.count ?? 0) : count || 1)),
    { ...nameColumn, priority: 1 },
  ]
}

function firstSeen({ firstTimestamp, eventTime }: Event): Cell | TimedCell {
  return ageCell(firstTimestamp ?? eventTime)
}

function lastSeen(event: Event): Cell | TimedCell {
  if (event.series) return ageCell(event.series.lastObservedTime)
  return event.lastTimestamp ? ageCell(event.lastTimestamp) : firstSeen(event)
}

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || ''
  const instance = source?.host || reportingInstance
  return instance ? `${component}, ${instance}` : component
}

/** What every event must satisfy. `controllerField` is what the API at hand calls the reporting controller. */
export function eventErrors(event: Event, controllerField: string): FieldError[] {
  const errors = event.eventTime ? newEventErrors(event, controllerField) : namespaceErrors(event, ['', 'default'])
  const { namespace = '' } = event.metadata
  return [...errors, ...dnsSubdomainErrors(new FieldPath('namespace'), namespace)]
}

/** The event stands in the namespace of what it is about, or for objects without one in one of `homes`. */
function namespaceErrors({ metadata, involvedObject }: Event, homes: readonly string[]): FieldError[] {
  const about = involvedObject?.namespace ?? ''
  const own = metadata.namespace ?? ''
  if (about === '' ? homes.includes(own) : about === own) return []
  return [invalidValue(new FieldPath('involvedObject.namespace'), about, 'does not match event.namespace')]
}

function newEventErrors(event: Event, controllerField: string): FieldError[] {
  const { reportingComponent = '', reportingInstance, action, reason, message = '' } = event
  const controllerPath = new FieldPath(controllerField)
  return [
    ...(event.involvedObject?.namespace ? [] : namespaceErrors(event, ['default', 'kube-system'])),
    ...(reportingComponent ? [] : [required(controllerPath)]),
    ...qualifiedNameErrors(controllerPath, reportingComponent),
    ...shortTextErrors('reportingInstance', reportingInstance),
    ...shortTextErrors('action', action),
    ...shortTextErrors('reason', reason),
    ...lengthErrors('message', message, MESSAGE_MAX),
  ]
}

function shortTextErrors(field: string, text = ''): FieldError[] {
  return text === '' ? [required(new FieldPath(field))] : lengthErrors(field, text, SHORT_TEXT_MAX)
}

function lengthErrors(field: string, text: string, limit: number): FieldError[] {
  if (Buffer.byteLength(text) <= limit) return []
  return [invalidValue(new FieldPath(field), '', `can have at most ${limit} characters`)]
}
