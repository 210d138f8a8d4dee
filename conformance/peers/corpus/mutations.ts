/**
 * Objects that are wrong in one place: for every field that the facts know, what is missing, of a wrong type, out
 * of range, too long, unknown or twice there. What is meant is in the name of the change, `spec.replicas: -1`.
 */

import { propertiesOf, readFacts } from '../../../openapi/facts.ts'
import type { DefinitionFacts, PropertyFacts, TypeFacts } from '../../../src/apis/definition-facts.ts'
import { isRecord } from '../values.ts'

export type Path = readonly (string | number)[]

export interface Mutation {
  readonly path: Path
  /** What is changed, in words. */
  readonly change: string
  /** Undefined: the field is taken away. */
  readonly value: unknown
}

/** How far changes go below a field that the object does not have. */
const ABSENT_DEPTH_MAX = 2
/** Templates of pods are looked into in one place only; elsewhere this much is enough. */
const SHALLOW: ReadonlySet<string> = new Set(['core.v1.PodTemplateSpec', 'core.v1.PersistentVolumeClaimTemplate'])
const SHALLOW_DEPTH = 2
/** The same for every kind: looked at once, by cases of their own. */
const SKIPPED: ReadonlySet<string> = new Set([
  'meta.v1.ObjectMeta',
  'meta.v1.ListMeta',
  'apiextensions.v1.JSONSchemaProps',
])

const LONG = 'x'.repeat(300)
const { definitions } = readFacts()

interface Place {
  readonly path: Path
  /** The value there; undefined: absent. */
  readonly value: unknown
  /** Levels that may still be entered below absent fields, and below templates. */
  readonly absentDepth: number
  readonly depth: number
}

export interface MutationOptions {
  /** Whether templates are looked into as deeply as everything else. */
  readonly deep: boolean
  /** Top-level fields that are looked at. */
  readonly fields: (name: string) => boolean
}

export function mutationsOf(definition: string, object: unknown, options: MutationOptions): readonly Mutation[] {
  const start: Place = { path: [], value: object, absentDepth: ABSENT_DEPTH_MAX, depth: Number.POSITIVE_INFINITY }
  const found: Mutation[] = []
  visitObject(definition, start, options, found)
  return found
}

function visitObject(name: string, place: Place, options: MutationOptions, found: Mutation[]): void {
  if (place.depth <= 0) return
  const facts: DefinitionFacts = definitions[name] ?? {}
  for (const property of propertiesOf(facts)) {
    if (place.path.length === 0 && !options.fields(property.name)) continue
    visitProperty(property, place, options, found)
  }
}

function visitProperty(property: PropertyFacts, parent: Place, options: MutationOptions, found: Mutation[]): void {
  const { name, type } = property
  const value = isRecord(parent.value) && Object.hasOwn(parent.value, name) ? parent.value[name] : undefined
  const place: Place = { ...parent, path: [...parent.path, name], value, depth: parent.depth - 1 }
  if (type.kind === 'reference' && SKIPPED.has(type.definition)) return
  const own = changesOf(type, value).map(([change, changed]) => ({ path: place.path, change, value: changed }))
  found.push(...(value === undefined ? own : [{ path: place.path, change: 'missing', value: undefined }, ...own]))
  enter(type, place, options, found)
}

function enter(type: TypeFacts, place: Place, options: MutationOptions, found: Mutation[]): void {
  const { value, path } = place
  const absent = value === undefined
  if (absent && place.absentDepth <= 0) return
  const below = { ...place, absentDepth: place.absentDepth - (absent ? 1 : 0) }
  if (type.kind === 'reference') {
    const shallow = SHALLOW.has(type.definition) && !options.deep
    visitObject(type.definition, { ...below, depth: shallow ? SHALLOW_DEPTH : below.depth }, options, found)
  } else if (type.kind === 'list') {
    const first = Array.isArray(value) ? value[0] : undefined
    if (!absent && first === undefined) return
    enter(type.element, { ...below, path: [...path, 0], value: first }, options, found)
  } else if (type.kind === 'map' && isRecord(value)) {
    const [key] = Object.keys(value)
    if (key !== undefined) enter(type.element, { ...below, path: [...path, key], value: value[key] }, options, found)
  }
}

type Change = readonly [change: string, value: unknown]

function changesOf(type: TypeFacts, value: unknown): readonly Change[] {
  switch (type.kind) {
    case 'scalar':
      return scalarChanges(type)
    case 'reference':
      return referenceChanges(type.definition)
    case 'list':
      return [['empty', []], ['null', null], ['an object', {}], ['a list of null', [null]], ...twice(value)]
    case 'map':
      return [['empty', {}], ['null', null], ['a string', 'x'], ...mapChanges(type.element)]
  }
}

function twice(value: unknown): readonly Change[] {
  return Array.isArray(value) && value.length > 0 ? [['the first twice', [value[0], ...value]]] : []
}

function mapChanges(element: TypeFacts): readonly Change[] {
  const good = element.kind === 'reference' && element.definition === 'resource#.Quantity' ? '1' : 'value'
  const wrong = element.kind === 'scalar' && element.name === 'string' ? 7 : 'x'
  if (element.kind === 'scalar' && element.name === 'byte')
    return [
      ['of bytes that are none', { key: '$$$' }],
      ['of a bad key', { 'a b': 'eA==' }],
    ]
  return [
    ['of a bad key', { 'bad key!': good }],
    ['of a long key', { [LONG]: good }],
    ['of a wrong value', { key: wrong }],
    ['of an empty key', { '': good }],
  ]
}

const STRINGS: readonly Change[] = [
  ['empty', ''],
  ['a number', 7],
  ['too long', LONG],
  ['bad characters', 'Not Valid!'],
  ['a slash', 'a/b'],
]

const NUMBERS: readonly Change[] = [
  ['-1', -1],
  ['0', 0],
  ['1', 1],
  ['a fraction', 1.5],
  ['a string', 'x'],
  ['65536', 65_536],
  ['beyond 32 bits', 2_147_483_648],
]

function scalarChanges({ name, attributes }: TypeFacts & { readonly kind: 'scalar' }): readonly Change[] {
  switch (name) {
    case 'boolean':
      return [
        ['true', true],
        ['false', false],
        ['a string', 'true'],
      ]
    case 'string':
      return attributes.enum
        ? [
            ['empty', ''],
            ['a number', 7],
            ['unknown', 'Unknown'],
            ...attributes.enum.map((choice) => [choice, choice] as const),
          ]
        : STRINGS
    case 'byte':
      return [
        ['no base64', '$$$'],
        ['empty', ''],
        ['a number', 7],
      ]
    case 'datetime':
      return [
        ['no time', 'yesterday'],
        ['a number', 7],
      ]
    case 'object':
    case 'any':
      return []
    default:
      return NUMBERS
  }
}

function referenceChanges(definition: string): readonly Change[] {
  switch (definition) {
    case 'resource#.Quantity':
      return [
        ['no quantity', 'x'],
        ['-1', '-1'],
        ['0', '0'],
        ['a fraction', '1.5m'],
        ['a boolean', true],
      ]
    case 'intstr#.IntOrString':
      return [
        ['-1', -1],
        ['0', 0],
        ['a name', 'x'],
        ['101%', '101%'],
        ['-5%', '-5%'],
        ['65536', 65_536],
        ['a boolean', true],
      ]
    case 'meta.v1.Time':
    case 'meta.v1.MicroTime':
      return [
        ['no time', 'yesterday'],
        ['a number', 7],
        ['a time', '2020-01-01T00:00:00Z'],
      ]
    case 'runtime#.RawExtension':
    case 'apiextensions.v1.JSON':
      return [
        ['a number', 7],
        ['empty', {}],
        ['a string', 'x'],
      ]
    default:
      return [
        ['empty', {}],
        ['null', null],
        ['a string', 'x'],
        ['of an unknown field', { unknownField: 1 }],
      ]
  }
}

/** The object with one place changed; what is missing on the way is made. */
export function mutated(object: unknown, { path, value }: Mutation): unknown {
  const [key, ...rest] = path
  if (key === undefined) return value
  if (typeof key === 'number') {
    const list = Array.isArray(object) ? [...object] : []
    list[key] = mutated(list[key], { path: rest, change: '', value })
    return list
  }
  const copy: Record<string, unknown> = isRecord(object) ? { ...object } : {}
  const changed = mutated(copy[key], { path: rest, change: '', value })
  if (changed === undefined) delete copy[key]
  else copy[key] = changed
  return copy
}

export function pathText(path: Path): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`)).join('')
}
