import { describe, expect, test } from 'vitest'
import { type ResourceFacts, readFacts } from '../../openapi/facts.ts'
import { apiVersionOf } from '../machinery/meta/group-version.ts'
import { builtinResources } from './builtin.ts'

const facts = new Map(readFacts().resources.map((resource) => [`${resource.gv}/${resource.resource}`, resource]))

function namesIn(text: string | undefined): readonly string[] {
  return text?.split(',') ?? []
}

/** Subresources may be missing in a definition, but not differ. */
function subresourcesOf({ sub = {} }: ResourceFacts): readonly string[] {
  return Object.entries(sub).flatMap(([name, text]) => (text.endsWith(' all') ? [] : [name]))
}

describe('built-in definitions say what the facts say', () => {
  for (const definition of builtinResources) {
    const name = `${apiVersionOf(definition)}/${definition.resource}`
    const expected = facts.get(name)
    if (expected === undefined) continue
    test(name, () => {
      expect({
        kind: definition.kind,
        singular: definition.singular,
        scope: definition.scope,
        verbs: definition.verbs.toSorted(),
        shortNames: definition.shortNames,
        categories: definition.categories,
        deleteReturns: definition.deletion.returns,
      }).toEqual({
        kind: expected.kind,
        singular: expected.singular ?? expected.kind.toLowerCase(),
        scope: expected.scope,
        verbs: namesIn(expected.verbs),
        shortNames: namesIn(expected.short),
        categories: namesIn(expected.categories),
        deleteReturns: expected.del ?? 'status',
      })
      const known = subresourcesOf(expected)
      const own = [
        ...(definition.status === undefined ? [] : ['status']),
        ...(definition.scale === undefined ? [] : ['scale']),
        ...definition.subresources,
      ]
      expect(own.filter((subresource) => !known.includes(subresource))).toEqual([])
    })
  }
})
