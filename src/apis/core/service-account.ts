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
  deletion: { returns: 'object' },
  subresources: ['token'],
  columns: [nameColumn, ageColumn],
})

function withBareSecretNames(object: ServiceAccount): ServiceAccount {
  const { secrets } = object
  if (secrets === undefined) return object
  return { ...object, secrets: secrets.map(({ name }) => ({ name })) }
}
