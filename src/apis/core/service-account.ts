/** Service accounts. References to secrets keep nothing but the name. */

import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import type { ServiceAccount } from './types.gen.ts'

export const serviceAccounts = defineResource<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  resource: 'serviceaccounts',
  shortNames: ['sa'],
  scope: 'Namespaced',
  schema: builtinSchema('core.v1.ServiceAccount'),
  prepareForCreate: withBareSecretNames,
  prepareForUpdate: withBareSecretNames,
  warnings: mountWarnings,
  deletion: { returns: 'object' },
  subresources: ['token'],
  columns: [nameColumn, ageColumn],
})

function withBareSecretNames(object: ServiceAccount): ServiceAccount {
  const { secrets } = object
  if (secrets === undefined) return object
  return { ...object, secrets: secrets.map(({ name }) => ({ name })) }
}

const ENFORCE_MOUNTABLE = 'kubernetes.io/enforce-mountable-secrets'

function mountWarnings({ metadata }: ServiceAccount, previous: ServiceAccount | undefined): readonly string[] {
  const isSet = (annotations: ServiceAccount['metadata']['annotations']): boolean =>
    annotations?.[ENFORCE_MOUNTABLE] !== undefined
  if (!isSet(metadata.annotations) || isSet(previous?.metadata.annotations)) return []
  const advice = 'deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets'
  return [`metadata.annotations[${ENFORCE_MOUNTABLE}]: ${advice}`]
}
