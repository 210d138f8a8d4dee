/**
 * `defineResource`: a `ResourceDefinition` from what is particular to a resource; everything else gets the
 * value that most resources share. See `definition.ts` for what each field means.
 */

import type { KubeObject } from '../machinery/meta/object.ts'
import { ALL_VERBS, type DeletionRules, type ResourceDefinition } from './definition.ts'

type Particular = 'group' | 'version' | 'kind' | 'resource' | 'scope' | 'schema'

export type PartialDefinition<T extends KubeObject> = Pick<ResourceDefinition<T>, Particular> &
  Partial<Omit<ResourceDefinition<T>, Particular | 'deletion'>> & {
    readonly deletion?: Partial<DeletionRules<T>> | undefined
  }

export function defineResource<T extends KubeObject>(partial: PartialDefinition<T>): ResourceDefinition<T> {
  const subresources = partial.subresources ?? []
  return {
    listKind: `${partial.kind}List`,
    singular: partial.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    verbs: ALL_VERBS,
    default: (object) => object,
    nameRule: nameIsSubdomain,
    prepareForCreate: (object) => object,
    prepareForUpdate: (object) => object,
    validate: () => [],
    validateUpdate: () => [],
    warnings: () => [],
    createOnUpdate: false,
    unconditionalUpdate: true,
    resetFields: {},
    columns: [],
    fields: () => ({}),
    fieldLabels: partial.scope === 'Namespaced' ? ['metadata.name', 'metadata.namespace'] : ['metadata.name'],
    fieldAliases: {},
    ...partial,
    subresources,
    deletion: { propagation: 'Background', returns: 'status', ...partial.deletion },
  }
}

/** Bytes of a DNS subdomain. */
const SUBDOMAIN_BYTES_MAX = 253
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const SUBDOMAIN_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and " +
  "end with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

function nameIsSubdomain(name: string, prefix: boolean): readonly string[] {
  const whole = prefix && name.endsWith('-') ? `${name.slice(0, -1)}a` : name
  const errors: string[] = []
  if (whole.length > SUBDOMAIN_BYTES_MAX) errors.push(`must be no more than ${SUBDOMAIN_BYTES_MAX} characters`)
  if (!SUBDOMAIN.test(whole)) errors.push(SUBDOMAIN_MESSAGE)
  return errors
}
