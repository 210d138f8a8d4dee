/** MutatingWebhookConfigurations: services that may change what a request writes. */

import { type FieldError, type FieldPath, notSupported } from '../../machinery/meta/field-error.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, integerColumn, nameColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { mapField, mapItems, withAbsent } from '../field-defaults.ts'
import { bumpGeneration, startGeneration } from '../strategy-parts.ts'
import { REINVOCATION_POLICIES } from './match-resources.ts'
import { staticNameWarnings } from './static-names.ts'
import type { MutatingWebhook, MutatingWebhookConfiguration } from './types.gen.ts'
import { defaultWebhook, webhooksErrors } from './webhook-rules.ts'

export const mutatingWebhookConfigurations = defineResource<MutatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  resource: 'mutatingwebhookconfigurations',
  categories: ['api-extensions'],
  scope: 'Cluster',
  schema: builtinSchema('admissionregistration.v1.MutatingWebhookConfiguration'),
  default: (object) => mapField(object, 'webhooks', (webhooks) => mapItems(webhooks, defaultMutatingWebhook)),
  prepareForCreate: startGeneration,
  prepareForUpdate: (object, previous) => bumpGeneration(object, previous, ['webhooks']),
  validate: ({ webhooks }) => webhooksErrors(webhooks, reinvocationErrors),
  warnings: staticNameWarnings,
  unconditionalUpdate: false,
  columns: [
    nameColumn,
    integerColumn('Webhooks', ({ webhooks = [] }: MutatingWebhookConfiguration) => webhooks.length),
    ageColumn,
  ],
})

function defaultMutatingWebhook(webhook: MutatingWebhook): MutatingWebhook {
  return withAbsent(defaultWebhook(webhook), { reinvocationPolicy: 'Never' })
}

function reinvocationErrors(path: FieldPath, { reinvocationPolicy: policy }: MutatingWebhook): readonly FieldError[] {
  if (policy === undefined || REINVOCATION_POLICIES.includes(policy)) return []
  return [notSupported(path.child('reinvocationPolicy'), policy, REINVOCATION_POLICIES)]
}
