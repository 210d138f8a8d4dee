/** Parameters of operations: what every method of a path takes moves to the path, the rest stays with the method. */

import { parameterFacts } from './facts.gen.ts'
import type { Method, Operation, PathOperations } from './operations.ts'

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly type: 'string' | 'boolean' | 'integer'
  readonly required: boolean
  /** Its name among the shared parameters of the v2 document. */
  readonly key?: string | undefined
}

export interface PathParameters {
  readonly path: readonly Parameter[]
  readonly methods: ReadonlyMap<Method, readonly Parameter[]>
}

export function parametersOf({ parameters, methods }: PathOperations): PathParameters {
  const lists = new Map<Method, readonly Parameter[]>()
  for (const [method, operation] of entriesOf(methods)) {
    lists.set(
      method,
      operation.query.map((name) => queryParameter(name, operation, method)),
    )
  }
  const [first = [], ...others] = lists.values()
  const shared = first.filter((parameter) => others.every((list) => list.some((other) => same(parameter, other))))
  const own = [...lists].map(([method, list]): [Method, readonly Parameter[]] => [
    method,
    list.filter((parameter) => !shared.some((other) => same(parameter, other))).toSorted(byName),
  ])
  return { path: [...parameters.map(pathParameter), ...shared].toSorted(byName), methods: new Map(own) }
}

export function entriesOf(methods: PathOperations['methods']): readonly (readonly [Method, Operation])[] {
  return Object.entries(methods) as [Method, Operation][]
}

/** `name:<Kind>`, `path@`, or the name of a shared parameter. */
function pathParameter(text: string): Parameter {
  if (text.startsWith('name:')) return { name: 'name', in: 'path', type: 'string', required: true }
  const facts = factsOf(text)
  return {
    name: text.replace('@', ''),
    in: facts.in ?? 'query',
    type: facts.type,
    required: facts.in === 'path',
    key: facts.key,
  }
}

function queryParameter(name: string, { options }: Operation, method: Method): Parameter {
  const candidates = [`${options}.${name}`, `${name}/${method}`, name]
  const facts = factsOf(candidates.find((candidate) => Object.hasOwn(parameterFacts, candidate)) ?? name)
  return { name, in: 'query', type: facts.type, required: false, key: facts.key }
}

function factsOf(name: string): (typeof parameterFacts)[string] {
  const facts = parameterFacts[name]
  if (facts === undefined) throw new Error(`the facts have no parameter ${name}`)
  return facts
}

function same(left: Parameter, right: Parameter): boolean {
  return left.key === undefined ? left.name === right.name && right.key === undefined : left.key === right.key
}

function byName(left: Parameter, right: Parameter): number {
  if (left.name !== right.name) return left.name < right.name ? -1 : 1
  return left.in < right.in ? -1 : 1
}
