import { expect, test } from 'vitest'
import { randomInteger, seededRandom } from '../../base/random.ts'
import type { KubeObject } from '../meta/object.ts'
import { type AppliedSet, appliedSet } from './applied-set.ts'
import { checkTyped } from './check-typed.ts'
import { type ResetFields, stripped, withoutReset } from './managed-fields.ts'
import { managedSchema } from './managed-schema.ts'
import { workloadSchema } from './test-schemas.ts'
import { fieldSetOf } from './typed-value.ts'

const schema = managedSchema(workloadSchema)
const random = seededRandom(3)
const oneOf = <T>(...values: readonly T[]): T => values[randomInteger(random, values.length)] as T

function anyContainer(): unknown {
  return oneOf<unknown>(
    { name: oneOf('a', 'b'), image: oneOf<unknown>('x', 'y', 7, null) },
    { name: 'a', args: oneOf<unknown>([], ['x'], ['x', 'y'], [1], null, 'x') },
    { name: 'b', env: oneOf<unknown>([{ name: 'A' }], [{ name: 'A' }, { name: oneOf('A', 'B'), value: '1' }], {}) },
    {
      name: 'b',
      ports: [{ containerPort: oneOf<unknown>(80, '80') }, { containerPort: 80, protocol: oneOf('TCP', 'UDP') }],
    },
    oneOf<unknown>({}, { image: 'x' }, 'c', null, []),
  )
}

/** Of few shapes and many values; some do not fit. */
function anyWorkload(): KubeObject {
  const metadata = {
    name: oneOf('one', 'two'),
    ...oneOf<object>({}, {}, { labels: oneOf<unknown>({ a: '1' }, { a: '2', 'b:1': '1' }, { a: 1 }, {}, null) }),
    ...oneOf<object>({}, { finalizers: oneOf<unknown>(['x'], ['y'], ['x', 'y'], ['x', 'x'], [1]) }),
  }
  const spec = {
    ...oneOf<object>({}, { replicas: oneOf<unknown>(1, 2, '1', null, undefined) }),
    ...oneOf<object>({}, { selector: oneOf<unknown>({ a: '1' }, { a: '2' }, { a: 1 }, [], 's') }),
    ...oneOf<object>({}, { data: oneOf<unknown>({ '1:a': 'x', b: 'y' }, { '1': 'a', b: 'y' }, { '__proto__ ': 'x' }) }),
    ...oneOf<object>({}, { containers: [anyContainer(), anyContainer()].slice(randomInteger(random, 3)) }),
    ...oneOf<object>({}, {}, {}, { unknown: oneOf<unknown>(1, {}) }),
  }
  const object: object = {
    apiVersion: 'v1',
    kind: 'Workload',
    metadata,
    ...oneOf<object>({ spec }, { spec }, { spec: null }),
  }
  return object as KubeObject
}

function madeOf(applied: KubeObject, resetFields: ResetFields): AppliedSet {
  checkTyped(applied, schema)
  const all = withoutReset(fieldSetOf(applied, schema), resetFields)
  return { all, owned: stripped(all), hasNull: JSON.stringify(applied).includes('null') }
}

function outcomeOf(action: () => AppliedSet): unknown {
  try {
    return action()
  } catch (error) {
    return String(error)
  }
}

test('what is found by its shape is what would be made of it, refusals included', () => {
  const refused = new Set<unknown>()
  for (let round = 0; round < 1_000; round++) {
    const applied = anyWorkload()
    const resetFields = oneOf<ResetFields>([], [['spec', 'replicas']])
    const made = outcomeOf(() => madeOf(applied, resetFields))
    expect(
      outcomeOf(() => appliedSet(applied, schema, resetFields)),
      JSON.stringify(applied),
    ).toEqual(made)
    if (typeof made === 'string') refused.add(made)
  }
  expect(refused.size).toBeGreaterThan(20)
})

test('configurations of one template share their set', () => {
  const of = (name: string, replicas: number): AppliedSet => {
    const object: object = { apiVersion: 'v1', kind: 'Workload', metadata: { name }, spec: { replicas } }
    return appliedSet(object as KubeObject, schema, [])
  }
  expect(of('one', 1)).toBe(of('another', 2))
})

test('long shapes are made anew', () => {
  const data = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`key-${index}`, 'x']))
  const object: object = { apiVersion: 'v1', kind: 'Workload', metadata: { name: 'one' }, spec: { data } }
  const once = appliedSet(object as KubeObject, schema, [])
  expect(Object.keys(once.owned['f:spec']?.['f:data'] ?? {})).toHaveLength(2_000)
  expect(appliedSet(object as KubeObject, schema, [])).not.toBe(once)
})
