/** IPAddresses: one per cluster IP that is taken, named by the address, with the service that has it. */

import { type FieldError, FieldPath, required } from '../../machinery/meta/field-error.ts'
import { isPathSegmentName } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { canonicalIpErrors, dnsSubdomainErrors, findingErrors } from '../field-rules.ts'
import { immutable } from '../strategy-parts.ts'
import type { IPAddress, ParentReference } from './types.gen.ts'

export const ipAddresses = defineResource<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  resource: 'ipaddresses',
  shortNames: ['ip'],
  scope: 'Cluster',
  schema: builtinSchema('networking.v1.IPAddress'),
  nameRule: addressFindings,
  validate: ({ spec }) => parentErrors(spec?.parentRef),
  validateUpdate: ({ spec }, previous) => immutable('spec.parentRef', spec?.parentRef, previous.spec?.parentRef),
  columns: [nameColumn, textColumn('ParentRef', ({ spec }: IPAddress) => parentText(spec?.parentRef))],
})

/** The name is the address in its one canonical form. */
function addressFindings(name: string): readonly string[] {
  const errors = canonicalIpErrors(new FieldPath(''), name)
  return errors.map(({ message }) => message.slice(message.indexOf(': must') + 2))
}

/** `services/default/kubernetes`, with the group in front where there is one. */
function parentText(parent: ParentReference | undefined): string {
  if (!parent) return ''
  const { group, resource, namespace, name } = parent
  const qualified = group ? `${resource}.${group}` : resource
  return [qualified, namespace, name].filter(Boolean).join('/')
}

function parentErrors(parent: ParentReference | undefined): readonly FieldError[] {
  const path = new FieldPath('spec.parentRef')
  if (!parent) return [required(path)]
  const { group, resource, namespace, name } = parent
  const errors: FieldError[] = []
  if (group) errors.push(...dnsSubdomainErrors(path.child('group'), group))
  if (!resource) errors.push(required(path.child('resource')))
  else errors.push(...findingErrors(path.child('resource'), resource, isPathSegmentName(resource)))
  if (!name) errors.push(required(path.child('name')))
  else errors.push(...findingErrors(path.child('name'), name, isPathSegmentName(name)))
  if (namespace) errors.push(...findingErrors(path.child('namespace'), namespace, isPathSegmentName(namespace)))
  return errors
}
