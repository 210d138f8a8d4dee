/** Services: names, strategy, field selectors. Addresses and node ports are handed out by the registry, not here. */

import { nameIsDns1123Label } from '../../../machinery/meta/names.ts'
import { builtinSchema } from '../../builtin-schema.ts'
import { defineResource } from '../../define-resource.ts'
import { keepSpec, withoutStatus } from '../../strategy-parts.ts'
import type { Service } from '../types.gen.ts'
import { serviceColumns } from './columns.ts'
import { defaultService } from './defaults.ts'
import { prepareServiceUpdate, withClusterIps } from './strategy.ts'
import { validateService } from './validate.ts'
import { validateServiceStatusUpdate, validateServiceUpdate } from './validate-update.ts'
import { serviceWarnings } from './warnings.ts'

export const services = defineResource<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  resource: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: builtinSchema('core.v1.Service'),
  nameRule: nameIsDns1123Label,
  default: defaultService,
  prepareForCreate: (object) => withClusterIps(withoutStatus(object), undefined),
  prepareForUpdate: prepareServiceUpdate,
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  warnings: serviceWarnings,
  createOnUpdate: true,
  deletion: { returns: 'object' },
  status: { prepareForUpdate: keepSpec, validateUpdate: validateServiceStatusUpdate },
  subresources: ['proxy'],
  resetFields: { '': [['status']], status: [['spec']] },
  columns: serviceColumns,
  fields: ({ spec }) => ({ 'spec.clusterIP': spec.clusterIP ?? '', 'spec.type': spec.type ?? '' }),
  fieldLabels: ['metadata.name', 'metadata.namespace', 'spec.clusterIP', 'spec.type'],
})
