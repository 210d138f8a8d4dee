import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { NOW_MS, writeContext } from '../../test/support/findings.ts'
import { deepFreeze } from '../base/deep-freeze.ts'
import { apiVersionOf } from '../machinery/meta/group-version.ts'
import { builtinResources } from './builtin.ts'
import { cellAt } from './columns.ts'
import type { ResourceDefinition } from './definition.ts'

// Goal: columns, field labels and write rules of every built-in definition are those of `openapi/facts`, and no
// definition fails on objects that lack everything. Names, verbs and subresources: `builtin.test.ts`.

interface StrategyFacts {
  readonly resource: string
  readonly createOnUpdate?: boolean
  readonly unconditionalUpdate: boolean
  readonly defaultPropagation?: string
  readonly resetFields?: Readonly<Record<string, string>>
}

interface ColumnFacts {
  readonly defaultColumns: readonly string[]
  readonly kinds: Readonly<Record<string, { readonly cols: readonly string[] }>>
}

interface SelectorFacts {
  readonly labels: readonly string[]
  readonly alias?: Readonly<Record<string, string>>
}

function facts<T>(name: string): T {
  const text = readFileSync(new URL(`../../openapi/facts/${name}.json`, import.meta.url), 'utf8')
  return JSON.parse(text) as T
}

const strategies = facts<readonly StrategyFacts[]>('strategies')
const columns = facts<ColumnFacts>('printer-columns')
const selectors = facts<Readonly<Record<string, SelectorFacts>>>('field-selectors')

for (const definition of builtinResources) {
  const gv = apiVersionOf(definition)
  describe(`${gv} ${definition.resource}`, () => {
    test('has the columns of the API', () => {
      const kind = definition.group === '' ? definition.kind : `${definition.group}/${definition.kind}`
      const expected = columns.kinds[kind]?.cols ?? (definition.columns.length === 0 ? [] : columns.defaultColumns)
      expect(definition.columns.map(columnFact)).toEqual(expected)
    })

    test('accepts the field labels of the API', () => {
      const expected = selectors[`${gv}/${definition.resource}`]
      const own = definition.scope === 'Namespaced' ? ['metadata.name', 'metadata.namespace'] : ['metadata.name']
      const named = Object.keys(definition.fieldAliases).filter((label) => expected?.labels.includes(label))
      expect(new Set([...definition.fieldLabels, ...named])).toEqual(new Set(expected?.labels ?? own))
      expect(definition.fieldAliases).toEqual(expected?.alias ?? {})
    })

    test('writes as the API does', () => {
      const name = definition.group === '' ? `v1/${definition.resource}` : `${definition.group}/${definition.resource}`
      const strategy = strategies.find(({ resource }) => resource === name)
      if (strategy === undefined) return
      const propagation = strategy.defaultPropagation ?? 'Background'
      expect({
        createOnUpdate: definition.createOnUpdate,
        unconditionalUpdate: definition.unconditionalUpdate,
        // Nothing depends on events, so what they do not support never shows.
        propagation: propagation === 'Unsupported' ? propagation : definition.deletion.propagation,
        resetFields: definition.resetFields,
      }).toEqual({
        createOnUpdate: strategy.createOnUpdate ?? false,
        unconditionalUpdate: strategy.unconditionalUpdate,
        propagation,
        resetFields: resetFields(strategy),
      })
    })

    test('survives an object without anything in it', () => survives(definition, {}))

    test('survives an object with an empty spec and status', () => survives(definition, { spec: {}, status: {} }))

    test('fills in defaults once', () => {
      const once = definition.default(deepFreeze({ metadata: { name: 'a' }, spec: {} }))
      expect(definition.default(deepFreeze(once))).toEqual(once)
    })
  })
}

function columnFact({ name, type, format, priority = 0 }: ResourceDefinition['columns'][number]): string {
  if (priority > 0) return [name, type, format ?? '', priority].join('|')
  return format === undefined ? `${name}|${type}` : `${name}|${type}|${format}`
}

function resetFields({ resetFields: texts = {} }: StrategyFacts): ResourceDefinition['resetFields'] {
  const entries = Object.entries(texts).map(([endpoint, text]) => {
    return [endpoint === 'main' ? '' : endpoint, text.split(',').map((path) => path.split('.'))]
  })
  return Object.fromEntries(entries)
}

function survives(definition: ResourceDefinition, parts: object): void {
  const object = definition.default(deepFreeze({ metadata: {}, ...parts }))
  const created = definition.prepareForCreate(deepFreeze(object), writeContext)
  const updated = definition.prepareForUpdate(deepFreeze(object), deepFreeze(created), writeContext)
  expect(definition.validate(updated)).toBeInstanceOf(Array)
  expect(definition.validateUpdate(updated, created)).toBeInstanceOf(Array)
  expect(definition.warnings(updated, created)).toBeInstanceOf(Array)
  expect(definition.warnings(updated, undefined)).toBeInstanceOf(Array)
  expect(definition.fields(updated)).toBeTypeOf('object')
  const status = definition.status?.prepareForUpdate(updated, created, writeContext)
  if (status) expect(definition.status?.validateUpdate(status, created)).toBeInstanceOf(Array)
  for (const column of definition.columns) expect(cellAt(column, updated, NOW_MS), column.name).not.toBeUndefined()
}
