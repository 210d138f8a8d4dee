import { expect, test } from 'vitest'
import { acceptNames } from './accepted-names.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionNames } from './types.gen.ts'

const names = (plural: string, more: Partial<CustomResourceDefinitionNames> = {}): CustomResourceDefinitionNames => ({
  ...{ plural, singular: plural.slice(0, -1), kind: plural, listKind: `${plural}List` },
  ...more,
})

const crd = (
  spec: CustomResourceDefinitionNames,
  accepted?: CustomResourceDefinitionNames,
  group = 'x.io',
): CustomResourceDefinition => ({
  metadata: { name: `${spec.plural}.${group}` },
  spec: { group, scope: 'Cluster', names: spec, versions: [] },
  status: accepted && { acceptedNames: accepted },
})

const taken = crd(names('as', { shortNames: ['a'] }), names('as', { shortNames: ['a'] }))

test.each<[string, CustomResourceDefinition, string, string]>([
  ['free names', crd(names('bs')), 'True', 'NoConflicts'],
  ['a kind that is taken', crd(names('bs', { kind: 'as' })), 'False', 'KindConflict'],
  ['a short name that is taken', crd(names('bs', { shortNames: ['a', 'as'] })), 'False', 'ShortNamesConflict'],
  ['a singular that is somebody’s short name', crd(names('bs', { singular: 'a' })), 'False', 'SingularConflict'],
  ['a name of another group', crd(names('as'), undefined, 'y.io'), 'True', 'NoConflicts'],
  ['names that it has already', crd(names('bs', { kind: 'as' }), names('bs', { kind: 'as' })), 'True', 'NoConflicts'],
])('%s', (_behaviour, object, status, reason) => {
  expect(acceptNames(object, [taken, object]).condition).toMatchObject({ type: 'NamesAccepted', status, reason })
})

test('what is not in dispute is accepted beside what is', () => {
  const verdict = acceptNames(crd(names('bs', { shortNames: ['a', 'as'] })), [taken])
  expect(verdict.acceptedNames).toMatchObject({ plural: 'bs', kind: 'bs' })
  expect(verdict.acceptedNames.shortNames).toBeUndefined()
  expect(verdict.condition.message).toBe('["a" is already in use, "as" is already in use]')
})
