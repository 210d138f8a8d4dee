/** Which of the names that a definition asks for it gets: names are taken per group, and kept once they are had. */

import { deepEqual } from '../../base/deep-equal.ts'
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
} from './types.gen.ts'

export interface NamingVerdict {
  readonly acceptedNames: CustomResourceDefinitionNames
  /** NamesAccepted. */
  readonly condition: CustomResourceDefinitionCondition
}

/** `others`: all definitions there are, this one may be among them. */
export function acceptNames(
  { metadata, spec, status }: CustomResourceDefinition,
  others: Iterable<CustomResourceDefinition>,
): NamingVerdict {
  const taken = takenNames(spec.group, metadata.name ?? '', others)
  const wanted = spec.names
  const had = status?.acceptedNames ?? { kind: '', plural: '' }
  const accepted: { -readonly [Key in keyof CustomResourceDefinitionNames]: CustomResourceDefinitionNames[Key] } = {
    ...had,
  }
  let problem: { readonly reason: string; readonly message: string } | undefined
  const claim = (
    name: 'plural' | 'singular' | 'kind' | 'listKind',
    used: ReadonlySet<string>,
    reason: string,
  ): void => {
    const value = wanted[name] ?? ''
    if (value !== had[name] && used.has(value)) problem = { reason, message: inUse(value) }
    else accepted[name] = value
  }
  claim('plural', taken.resources, 'PluralConflict')
  claim('singular', taken.resources, 'SingularConflict')
  const lost = lostShortNames(wanted, had, taken.resources)
  if (lost.length > 0) problem = { reason: 'ShortNamesConflict', message: aggregate(lost.map(inUse)) }
  else accepted.shortNames = wanted.shortNames
  claim('kind', taken.kinds, 'KindConflict')
  claim('listKind', taken.kinds, 'ListKindConflict')
  accepted.categories = wanted.categories
  const verdict = problem
    ? { status: 'False', ...problem }
    : { status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
  return { acceptedNames: accepted, condition: { type: 'NamesAccepted', ...verdict } }
}

function lostShortNames(
  wanted: CustomResourceDefinitionNames,
  had: CustomResourceDefinitionNames,
  taken: ReadonlySet<string>,
): readonly string[] {
  const [next, known] = [wanted.shortNames ?? [], had.shortNames ?? []]
  if (deepEqual(next, known)) return []
  return next.filter((name) => !known.includes(name) && taken.has(name))
}

const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`

/** Several messages as one, as Go's aggregate prints them. */
function aggregate(messages: readonly string[]): string {
  const different = [...new Set(messages)]
  return different.length === 1 ? (different[0] ?? '') : `[${different.join(', ')}]`
}

function takenNames(group: string, self: string, definitions: Iterable<CustomResourceDefinition>) {
  const resources = new Set<string>()
  const kinds = new Set<string>()
  for (const { metadata, spec, status } of definitions) {
    const names = status?.acceptedNames
    if (spec.group !== group || metadata.name === self || names === undefined) continue
    for (const name of [names.plural, names.singular, ...(names.shortNames ?? [])]) if (name) resources.add(name)
    for (const name of [names.kind, names.listKind]) if (name) kinds.add(name)
  }
  return { resources, kinds }
}
