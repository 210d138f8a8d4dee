/**
 * Documents of aggregated servers merged into the OpenAPI v2 document: the paths of one version each, with what those
 * refer to. A definition or parameter that means something else here already gets a name of its own. What comes from
 * other servers is nobody's promise: it is walked with bounds, and what has no sense is left out.
 */

import { deepEqual } from '../../base/deep-equal.ts'
import { setOwn } from '../../base/deep-freeze.ts'
import { apiVersionOf, type GroupVersion } from '../../machinery/meta/group-version.ts'
import { isJson, type Json } from './schemas.ts'
import type { DocumentV2 } from './v2.ts'

/** What one version of a group needs of a document. */
export interface PartV2 {
  readonly paths: Readonly<Record<string, Json>>
  readonly definitions: Readonly<Record<string, Json>>
  readonly parameters: Readonly<Record<string, Json>>
}

const KINDS = ['definitions', 'parameters'] as const
const REFERENCE = /^#\/(definitions|parameters)\/(.+)$/
const KIND_EXTENSION = 'x-kubernetes-group-version-kind'

/** The part of a whole document that is about the version. */
export function partOf(document: unknown, groupVersion: GroupVersion): PartV2 {
  const whole = jsonAt(document)
  const prefix = `/apis/${apiVersionOf(groupVersion)}/`
  const paths = Object.entries(jsonAt(whole.paths)).filter(([path, value]) => path.startsWith(prefix) && isJson(value))
  const part = { paths: objectOf(paths), definitions: new Map<string, Json>(), parameters: new Map<string, Json>() }
  const waiting: unknown[] = [part.paths]
  while (waiting.length > 0) {
    for (const [kind, name] of referencesIn(waiting.pop())) {
      const from = jsonAt(whole[kind])
      const found = Object.hasOwn(from, name) ? from[name] : undefined
      if (!isJson(found) || part[kind].has(name)) continue
      part[kind].set(name, found)
      waiting.push(found)
    }
  }
  return { paths: part.paths, definitions: objectOf(part.definitions), parameters: objectOf(part.parameters) }
}

function* referencesIn(node: unknown): Generator<readonly ['definitions' | 'parameters', string]> {
  const waiting = [node]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (Array.isArray(next)) for (const item of next) waiting.push(item)
    if (!isJson(next)) continue
    for (const [key, value] of Object.entries(next)) {
      const found = key === '$ref' && typeof value === 'string' ? REFERENCE.exec(value) : null
      if (found) yield [found[1] === 'parameters' ? 'parameters' : 'definitions', found[2] ?? '']
      else waiting.push(value)
    }
  }
}

/** The parts in the order of their priority. A path that is there stays. */
export function mergeV2(own: DocumentV2, parts: readonly PartV2[]): DocumentV2 {
  return parts.reduce(withPart, own)
}

function withPart(whole: DocumentV2, part: PartV2): DocumentV2 {
  const names = new Map<string, string>()
  const fresh = { definitions: new Map<string, Json>(), parameters: new Map<string, Json>() }
  const shared = { definitions: new Map<string, Json>(), parameters: new Map<string, Json>() }
  for (const kind of KINDS) {
    for (const [name, value] of Object.entries(part[kind])) {
      const here = nameFor(whole[kind], fresh[kind], name, value)
      if (here !== name) names.set(`#/${kind}/${name}`, `#/${kind}/${here}`)
      const known = Object.hasOwn(whole[kind], here) ? whole[kind][here] : undefined
      if (known === undefined) fresh[kind].set(here, value)
      else shared[kind].set(here, withKindsOf(known, value))
    }
  }
  const paths = Object.entries(part.paths).filter(([path]) => !Object.hasOwn(whole.paths, path))
  const merged = (kind: (typeof KINDS)[number]) =>
    sorted([...Object.entries(whole[kind]), ...shared[kind], ...renamed(fresh[kind], names)])
  return {
    ...whole,
    paths: sorted([...Object.entries(whole.paths), ...renamed(paths, names)]),
    definitions: merged('definitions'),
    parameters: merged('parameters'),
  }
}

/** The name, where it is free or stands for the same; else the first of `name_v2`, `name_v3`, … that is. */
function nameFor(
  present: Readonly<Record<string, Json>>,
  added: ReadonlyMap<string, Json>,
  name: string,
  value: Json,
): string {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? name : `${name}_v${number}`
    const known = Object.hasOwn(present, candidate) ? present[candidate] : added.get(candidate)
    if (known === undefined || deepEqual(withoutKinds(known), withoutKinds(value))) return candidate
  }
}

function withoutKinds({ [KIND_EXTENSION]: _, ...others }: Json): Json {
  return others
}

/** A shared definition is of the kinds of all groups that have it: options of deletions, events of watches. */
function withKindsOf(known: Json, other: Json): Json {
  const [before, here] = [listAt(known[KIND_EXTENSION]), listAt(other[KIND_EXTENSION])]
  const more = here.filter((kind) => !before.some((one) => deepEqual(one, kind)))
  return more.length === 0 ? known : { ...known, [KIND_EXTENSION]: [...before, ...more] }
}

function* renamed(
  entries: Iterable<readonly [string, Json]>,
  names: ReadonlyMap<string, string>,
): Generator<readonly [string, Json]> {
  for (const [name, value] of entries) yield [name, names.size === 0 ? value : jsonAt(withNames(value, names))]
}

/** Recursion is bounded by the depth that documents are read with. */
function withNames(node: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(node)) return node.map((item) => withNames(item, names))
  if (!isJson(node)) return node
  const copy: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(node)) {
    const name = key === '$ref' && typeof value === 'string' ? names.get(value) : undefined
    setOwn(copy, key, name ?? withNames(value, names))
  }
  return copy
}

function sorted(entries: readonly (readonly [string, Json])[]): Readonly<Record<string, Json>> {
  return objectOf(entries.toSorted(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)))
}

function objectOf(entries: Iterable<readonly [string, unknown]>): Readonly<Record<string, Json>> {
  const object: Record<string, Json> = {}
  for (const [name, value] of entries) if (isJson(value)) setOwn(object, name, value)
  return object
}

function jsonAt(value: unknown): Json {
  return isJson(value) ? value : {}
}

function listAt(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
