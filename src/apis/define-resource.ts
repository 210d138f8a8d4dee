/**
 * `defineResource`: a `ResourceDefinition` from what is particular to a resource; everything else gets the
 * value that most resources share. See `definition.ts` for what each field means.
 */

import { nameIsDns1123Subdomain } from '../machinery/meta/names.ts'
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
    nameRule: nameIsDns1123Subdomain,
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
