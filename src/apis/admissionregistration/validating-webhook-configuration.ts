/** ValidatingWebhookConfigurations: services that are asked whether a request may pass. */

import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, integerColumn, nameColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { mapField, mapItems } from '../field-defaults.ts'
import { bumpGeneration, startGeneration } from '../strategy-parts.ts'
import { staticNameWarnings } from './static-names.ts'
import type { ValidatingWebhookConfiguration } from './types.gen.ts'
import { defaultWebhook, webhooksErrors } from './webhook-rules.ts'

export const validatingWebhookConfigurations = defineResource<ValidatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  resource: 'validatingwebhookconfigurations',
  categories: ['api-extensions'],
  scope: 'Cluster',
  schema: builtinSchema('admissionregistration.v1.ValidatingWebhookConfiguration'),
  default: (object) => mapField(object, 'webhooks', (webhooks) => mapItems(webhooks, defaultWebhook)),
  prepareForCreate: startGeneration,
  prepareForUpdate: (object, previous) => bumpGeneration(object, previous, ['webhooks']),
  validate: ({ webhooks }) => webhooksErrors(webhooks),
  warnings: staticNameWarnings,
  unconditionalUpdate: false,
  columns: [
    nameColumn,
    integerColumn('Webhooks', ({ webhooks = [] }: ValidatingWebhookConfiguration) => webhooks.length),
    ageColumn,
  ],
})
