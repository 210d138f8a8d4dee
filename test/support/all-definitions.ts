/** Definitions of everything that is served by default, with names and verbs from the facts and no behaviour. */

import { type ResourceFacts, readFacts } from '../../openapi/facts.ts'
import { defineResource } from '../../src/apis/define-resource.ts'
import type { ResourceDefinition, Verb } from '../../src/apis/definition.ts'
import { parseApiVersion } from '../../src/machinery/meta/group-version.ts'
import type { KubeObject } from '../../src/machinery/meta/object.ts'

export function allDefinitions(): readonly ResourceDefinition[] {
  return readFacts()
    .resources.filter((resource) => resource.profile !== 'all')
    .map(definitionOf)
}

function definitionOf(facts: ResourceFacts): ResourceDefinition {
  const { gv, resource, kind, scope, verbs, short, categories, singular, sub = {}, del } = facts
  const { group, version } = parseApiVersion(gv) ?? { group: '', version: '' }
  const names = Object.entries(sub).flatMap(([name, text]) => (text.endsWith(' all') ? [] : [name]))
  const status = { prepareForUpdate: (object: KubeObject) => object, validateUpdate: () => [] }
  return defineResource({
    group,
    version,
    kind,
    resource,
    scope,
    schema: {},
    verbs: (verbs ?? '').split(',') as Verb[],
    shortNames: short?.split(',') ?? [],
    categories: categories?.split(',') ?? [],
    ...(singular === undefined ? {} : { singular }),
    ...(names.includes('status') ? { status } : {}),
    subresources: names.filter((name) => name !== 'status'),
    deletion: { returns: del ?? 'status' },
  })
}
