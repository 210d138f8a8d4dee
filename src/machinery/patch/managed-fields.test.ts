import { describe, expect, test } from 'vitest'
import { deepFreeze } from '../../base/deep-freeze.ts'
import { randomInteger, seededRandom } from '../../base/random.ts'
import type { KubeObject, ManagedFieldsEntry } from '../meta/object.ts'
import { type FieldSet, membersOf } from './field-set.ts'
import { type TrackedUpdate, trackUpdate } from './managed-fields.ts'
import { workloadSchema } from './test-schemas.ts'
import { compareValues, emptyObjectOf, fieldSetOf } from './typed-value.ts'

interface Workload extends KubeObject {
  readonly spec?: object
  readonly status?: object
}

const T0 = '2026-01-01T00:00:00Z'
const T1 = '2026-01-01T00:01:00Z'

function write(
  live: Workload | undefined,
  updated: Workload,
  options: Partial<Omit<TrackedUpdate<Workload>, 'live' | 'updated'>> = {},
): Workload {
  return trackUpdate({
    live,
    updated: deepFreeze(updated),
    manager: 'alice',
    operation: 'Update',
    apiVersion: 'v1',
    subresource: '',
    nowText: T0,
    schema: workloadSchema,
    resetFields: [],
    ...options,
  })
}

const metadata = { name: 'w', namespace: 'n', uid: 'u', labels: { app: 'web' } }
const created = write(undefined, { metadata, spec: { replicas: 1, containers: [{ name: 'a', image: 'a:1' }] } })

const update = (fields: object, extra: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry => ({
  manager: 'alice',
  operation: 'Update',
  apiVersion: 'v1',
  time: T0,
  fieldsType: 'FieldsV1',
  fieldsV1: fields as Readonly<Record<string, unknown>>,
  ...extra,
})

const createdFields = {
  'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
  'f:spec': {
    '.': {},
    'f:containers': { '.': {}, 'k:{"name":"a"}': { '.': {}, 'f:image': {}, 'f:name': {} } },
    'f:replicas': {},
  },
}

describe('create', () => {
  test('the creator owns all but the system’s fields', () => {
    expect(created.metadata.managedFields).toEqual([update(createdFields)])
  })
  test('ignored fields are nobody’s', () => {
    const object = write(
      undefined,
      { metadata, spec: { replicas: 1 }, status: { replicas: 1 } },
      { resetFields: [['status']] },
    )
    expect(object.metadata.managedFields?.[0]?.fieldsV1).not.toHaveProperty('f:status')
  })
  test('a client without a name is unknown', () => {
    expect(write(undefined, { metadata }, { manager: '' }).metadata.managedFields?.[0]?.manager).toBe('unknown')
  })
})

describe('update', () => {
  test('nothing changed: the very same entries', () => {
    const again = write(
      created,
      { ...created, spec: structuredClone(created.spec ?? {}) },
      { nowText: T1, manager: 'bob' },
    )
    expect(again.metadata.managedFields).toBe(created.metadata.managedFields)
  })

  test('a changed field changes its owner', () => {
    const next = write(created, { ...created, spec: { ...created.spec, replicas: 2 } }, { nowText: T1, manager: 'bob' })
    const { 'f:replicas': _replicas, ...spec } = createdFields['f:spec']
    expect(next.metadata.managedFields).toEqual([
      update({ ...createdFields, 'f:spec': spec }),
      update({ 'f:spec': { 'f:replicas': {} } }, { manager: 'bob', time: T1 }),
    ])
  })

  test('an owner who changes own fields keeps them, with a new time', () => {
    const next = write(created, { ...created, spec: { ...created.spec, replicas: 2 } }, { nowText: T1 })
    expect(next.metadata.managedFields).toEqual([update(createdFields, { time: T1 })])
  })

  test('who changes again what is their own has the very same set', () => {
    const next = write(created, { ...created, spec: { ...created.spec, replicas: 2 } }, { nowText: T1 })
    expect(next.metadata.managedFields?.[0]?.fieldsV1).toBe(created.metadata.managedFields?.[0]?.fieldsV1)
  })

  test('a removed field is nobody’s, and removing gives no ownership', () => {
    const next = write(created, { ...created, spec: { replicas: 1 } }, { nowText: T1, manager: 'bob' })
    expect(next.metadata.managedFields).toEqual([
      update({ 'f:metadata': createdFields['f:metadata'], 'f:spec': { '.': {}, 'f:replicas': {} } }),
    ])
  })

  test('status is a manager of its own', () => {
    const next = write(created, { ...created, status: { replicas: 1 } }, { subresource: 'status', manager: 'alice' })
    expect(next.metadata.managedFields?.map(({ subresource }) => subresource)).toEqual([undefined, 'status'])
  })

  test('an object that nobody tracked stays untracked', () => {
    const { managedFields: _none, ...bare } = created.metadata
    const live: Workload = { ...created, metadata: bare }
    expect(write(live, { ...live, spec: { replicas: 5 } }).metadata.managedFields).toBeUndefined()
  })

  test('an empty list resets the tracking', () => {
    const next = write(created, { ...created, metadata: { ...created.metadata, managedFields: [] } })
    expect(next.metadata.managedFields).toBeUndefined()
  })

  test('entries that are left out or broken are the live ones', () => {
    const broken = [update({ 'x:y': {} })]
    for (const managedFields of [undefined, broken]) {
      const next = write(created, { ...created, metadata: { ...created.metadata, managedFields } })
      expect(next.metadata.managedFields).toEqual(created.metadata.managedFields)
    }
  })

  test('the eleventh manager by update merges the oldest two', () => {
    let live = created
    for (let count = 1; count <= 11; count++) {
      const spec = { ...live.spec, data: { ...dataOf(live), [`key${count}`]: 'x' } }
      const nowText = `2026-01-02T00:00:${String(count).padStart(2, '0')}Z`
      live = write(live, { ...live, spec }, { manager: `m${count}`, nowText })
    }
    const managers = live.metadata.managedFields?.map(({ manager }) => manager)
    expect(managers).toHaveLength(10)
    expect(managers?.[0]).toBe('ancient-changes')
    expect(managers).not.toContain('m1')
  })
})

function dataOf(workload: Workload): object {
  const spec = workload.spec ?? {}
  return 'data' in spec && typeof spec.data === 'object' && spec.data !== null ? spec.data : {}
}

test('updates by many leave to each what it changed last: generated sequences', () => {
  const random = seededRandom(5)
  const oneOf = <T>(...values: readonly T[]): T => values[randomInteger(random, values.length)] as T
  const anySpec = (): object => ({
    ...oneOf({}, { replicas: oneOf(1, 2) }),
    ...oneOf({}, { data: oneOf({}, { a: oneOf('1', '2') }, { b: '1', c: oneOf('1', '2') }) }),
    ...oneOf({}, { finalizers: oneOf(['a'], ['a', 'b'], ['b', 'c']) }),
    ...oneOf({}, { containers: oneOf([{ name: 'a', image: oneOf('x', 'y') }], [{ name: 'b', image: 'x' }], []) }),
  })
  const pathsOf = (set: unknown): string[] => membersOf(set as FieldSet).map((path) => path.join(' '))
  let live = created
  let owned = new Map([['alice', new Set(pathsOf(created.metadata.managedFields?.[0]?.fieldsV1))]])
  for (let round = 0; round < 500; round++) {
    const manager = oneOf('alice', 'bob', 'carol')
    const next = write(live, { ...live, spec: anySpec() }, { manager })
    const { changed, removed } = compareValues(live, next, workloadSchema)
    const lost = new Set([...pathsOf(changed), ...pathsOf(removed)])
    const rest = (paths: ReadonlySet<string> = new Set()): string[] => [...paths].filter((path) => !lost.has(path))
    const mine = pathsOf(changed).filter((path) => !path.startsWith('f:metadata'))
    owned = new Map([...owned].map(([name, paths]) => [name, new Set(rest(paths))]))
    owned.set(manager, new Set([...(owned.get(manager) ?? []), ...mine]))
    const entries = next.metadata.managedFields ?? []
    for (const [name, paths] of owned) {
      const entry = entries.find((one) => one.manager === name)
      expect(new Set(pathsOf(entry?.fieldsV1 ?? {})), `${name} in round ${round}`).toEqual(paths)
    }
    live = deepFreeze(next)
  }
})

describe('fields of values', () => {
  test('lists by key, sets, atomic maps and lists', () => {
    const object = {
      spec: {
        selector: { app: 'web' },
        finalizers: ['a', 'b'],
        data: { k: 'v' },
        containers: [{ name: 'a', args: ['x'], ports: [{ containerPort: 80 }] }],
      },
    }
    expect(fieldSetOf(object, workloadSchema)).toEqual({
      'f:spec': {
        'f:containers': {
          'k:{"name":"a"}': {
            '.': {},
            'f:args': {},
            'f:name': {},
            'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
          },
        },
        'f:data': { 'f:k': {} },
        'f:finalizers': { 'v:"a"': {}, 'v:"b"': {} },
        'f:selector': {},
      },
    })
  })

  test('a comparison tells what changed and what went', () => {
    const before = { spec: { replicas: 1, finalizers: ['a', 'b'], selector: { a: '1' } } }
    const after = { spec: { replicas: 2, finalizers: ['b', 'c'], selector: { a: '2' } } }
    expect(compareValues(before, after, workloadSchema)).toEqual({
      changed: { 'f:spec': { 'f:finalizers': { 'v:"c"': {} }, 'f:replicas': {}, 'f:selector': {} } },
      removed: { 'f:spec': { 'f:finalizers': { 'v:"a"': {} } } },
    })
  })

  test('structs that built-in types always have are not set by anybody', () => {
    const schema = {
      type: 'object',
      properties: {
        spec: { type: 'object', presence: 'always', properties: { name: { type: 'string', presence: 'always' } } },
        status: { type: 'object', properties: {} },
      },
    } as const
    expect(emptyObjectOf(schema)).toEqual({ spec: { name: '' } })
  })
})
