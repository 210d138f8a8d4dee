/** ComponentStatuses: the health of the control plane's parts, made up on each read; nothing is stored. */

import { findCondition } from '../../machinery/meta/conditions.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import type { ComponentStatus } from './types.gen.ts'

export const componentStatuses = defineResource<ComponentStatus>({
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  resource: 'componentstatuses',
  shortNames: ['cs'],
  scope: 'Cluster',
  schema: builtinSchema('core.v1.ComponentStatus'),
  deprecationWarning: 'v1 ComponentStatus is deprecated in v1.19+',
  verbs: ['get', 'list'],
  columns: [
    nameColumn,
    textColumn('Status', (object) => (healthOf(object)?.status === 'True' ? 'Healthy' : 'Unhealthy')),
    textColumn('Message', (object) => healthOf(object)?.message ?? ''),
    textColumn('Error', (object) => healthOf(object)?.error ?? ''),
  ],
})

function healthOf({ conditions }: ComponentStatus) {
  return findCondition(conditions, 'Healthy')
}
