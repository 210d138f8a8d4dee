/** The facts as the build reads them: files of `openapi/facts`, parsed and checked against each other. */

import { readFileSync } from 'node:fs'
import {
  type DefinitionFacts,
  type PropertyFacts,
  parseProperty,
  type TypeFacts,
} from '../src/apis/definition-facts.ts'

export interface ResourceFacts {
  /** `group/version`, or `v1` for the core group. */
  readonly gv: string
  readonly resource: string
  readonly kind: string
  readonly singular?: string
  readonly scope: 'Cluster' | 'Namespaced'
  readonly verbs?: string
  readonly short?: string
  readonly categories?: string
  /** `all`: off unless asked for. */
  readonly profile?: 'all'
  /** The group version it is stored as where that is another one; `none`: not stored. */
  readonly storage?: string
  readonly del?: 'object'
  readonly sub?: Readonly<Record<string, string>>
}

export interface GroupFacts {
  readonly group: string
  readonly versions: readonly string[]
  readonly default: readonly string[]
}

/** `number jsonName type flags…` of every field, by message. */
export type MessageFacts = Readonly<Record<string, readonly string[]>>

export interface Facts {
  readonly definitions: Readonly<Record<string, DefinitionFacts>>
  readonly messages: MessageFacts
  readonly groups: readonly GroupFacts[]
  readonly resources: readonly ResourceFacts[]
  readonly parameters: ParameterFacts
  readonly gnostic: { readonly v2: MessageFacts; readonly v3: MessageFacts }
}

export interface ParameterFacts {
  readonly params: Readonly<Record<string, { readonly type: string; readonly key?: string; readonly in?: string }>>
  readonly options: Readonly<Record<string, readonly string[]>>
  readonly bodyDelete: string
  readonly bodyPatch: string
}

export function readFacts(): Facts {
  const { groups, resources } = readFactsFile('resources.json') as Pick<Facts, 'groups' | 'resources'>
  const facts: Facts = {
    definitions: {
      ...(readFactsFile('definitions.json') as Facts['definitions']),
      ...(readFactsFile('metrics.json') as Facts['definitions']),
    },
    messages: readFactsFile('proto.json') as MessageFacts,
    groups,
    resources,
    parameters: readFactsFile('parameters.json') as ParameterFacts,
    gnostic: readFactsFile('gnostic-proto.json') as Facts['gnostic'],
  }
  checkReferences(facts)
  return facts
}

export function readFactsFile(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`facts/${name}`, import.meta.url), 'utf8'))
}

export function propertiesOf(definition: DefinitionFacts): readonly PropertyFacts[] {
  return Object.entries(definition.p ?? {}).map(([key, text]) => parseProperty(key, text))
}

/** The definition a type refers to, itself or through its elements. */
export function referenceOf(type: TypeFacts): string | undefined {
  if (type.kind === 'reference') return type.definition
  return type.kind === 'scalar' ? undefined : referenceOf(type.element)
}

/** `core.v1.PodSpec` → `{ package: 'core', version: 'v1', kind: 'PodSpec' }`. */
export function partsOf(name: string): { readonly package: string; readonly version: string; readonly kind: string } {
  const [first = '', ...rest] = name.split('.')
  return { package: first, version: rest.slice(0, -1).join('.'), kind: rest.at(-1) ?? '' }
}

/** Definitions of versions that are served unless somebody asks for more, and what they have in common. */
export function isServedByDefault(name: string): boolean {
  const { version } = partsOf(name)
  return !/(alpha|beta)/.test(version) || name.startsWith('metrics.')
}

function checkReferences({ definitions }: Facts): void {
  for (const [name, definition] of Object.entries(definitions)) {
    for (const property of propertiesOf(definition)) {
      const target = referenceOf(property.type)
      if (target !== undefined && !Object.hasOwn(definitions, target)) {
        throw new Error(`${name}.${property.name} refers to ${target}, which the facts do not have`)
      }
    }
  }
}
