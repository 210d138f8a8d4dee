import { describe, expect, test } from 'vitest'
import { deepFreeze } from '../../base/deep-freeze.ts'
import { seededRandom } from '../../base/random.ts'
import { ApiError } from '../meta/api-error.ts'
import type { KubeObject } from '../meta/object.ts'
import { serverSideApply } from './apply.ts'
import { LAST_APPLIED_ANNOTATION } from './last-applied.ts'
import { trackUpdate } from './managed-fields.ts'
import { workloadSchema } from './test-schemas.ts'

interface Workload extends KubeObject {
  readonly spec?: object | undefined
}

const base = { apiVersion: 'v1', subresource: '', schema: workloadSchema, resetFields: [] }

function apply(
  live: Workload | undefined,
  spec: object,
  options: { manager?: string; force?: boolean; nowText?: string; annotations?: Record<string, string> } = {},
): Workload {
  const { annotations } = options
  const metadata = { name: 'w', namespace: 'n', ...(annotations ? { annotations } : {}) }
  const applied: Workload = deepFreeze({ apiVersion: 'v1', kind: 'Workload', metadata, spec })
  const result = serverSideApply({ ...base, live, applied, manager: 'one', force: false, nowText: 't', ...options })
  return deepFreeze({ ...result, metadata: { ...result.metadata, uid: 'u' } })
}

function update(live: Workload, spec: object, manager = 'updater'): Workload {
  const updated = deepFreeze({ ...live, spec })
  return deepFreeze(trackUpdate({ ...base, live, updated, manager, operation: 'Update', nowText: 't' }))
}

function errorOf(action: () => unknown): ApiError {
  try {
    action()
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const owners = (object: Workload): Record<string, unknown> =>
  Object.fromEntries((object.metadata.managedFields ?? []).map(({ manager, fieldsV1 }) => [manager, fieldsV1]))

describe('ownership', () => {
  test('the applier owns exactly what it applied', () => {
    const object = apply(undefined, { replicas: 1, containers: [{ name: 'a', image: 'x' }] })
    expect(object.metadata.managedFields).toEqual([
      {
        manager: 'one',
        operation: 'Apply',
        apiVersion: 'v1',
        time: 't',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:spec': {
            'f:containers': { 'k:{"name":"a"}': { '.': {}, 'f:image': {}, 'f:name': {} } },
            'f:replicas': {},
          },
        },
      },
    ])
  })

  test('applying the same again changes nothing, not even the time', () => {
    const object = apply(undefined, { replicas: 1, finalizers: ['a'] })
    expect(apply(object, { replicas: 1, finalizers: ['a'] }, { nowText: 'later' })).toEqual(object)
  })

  test('what is applied again is the very same, but for what differs', () => {
    const spec = { replicas: 1, data: { a: '1' }, containers: [{ name: 'a', args: ['x'] }], selector: { a: '1' } }
    const object = apply(update(apply(undefined, spec), { ...spec, paused: true }), spec)
    const again = apply(object, structuredClone(spec), { nowText: 'later' })
    expect(again.spec).toBe(object.spec)
    expect(again.metadata.managedFields?.[0]?.fieldsV1).toBe(object.metadata.managedFields?.[0]?.fieldsV1)
    const changed = apply(object, { ...spec, replicas: 2 })
    expect(changed.spec).toEqual({ ...spec, paused: true, replicas: 2 })
    expect(Reflect.get(changed.spec ?? {}, 'containers')).toBe(Reflect.get(object.spec ?? {}, 'containers'))
  })

  test('a list that is applied as null goes when nobody owns what is left in it', () => {
    const object = apply(apply(undefined, { finalizers: null, replicas: 1 }), { finalizers: null, replicas: 1 })
    const live = deepFreeze({ ...object, spec: { ...object.spec, finalizers: ['unowned'] } })
    expect(apply(live, { finalizers: null, replicas: 1 }).spec).toEqual({ replicas: 1 })
    expect(apply(live, { finalizers: null, replicas: 2 }).spec).toEqual({ replicas: 2 })
  })

  test('equal values are shared by their appliers', () => {
    const object = apply(apply(undefined, { replicas: 1 }), { replicas: 1 }, { manager: 'two' })
    expect(owners(object)).toEqual({
      one: { 'f:spec': { 'f:replicas': {} } },
      two: { 'f:spec': { 'f:replicas': {} } },
    })
  })

  test('what is no longer applied goes', () => {
    const object = apply(undefined, {
      replicas: 1,
      data: { a: '1', b: '2' },
      containers: [{ name: 'a' }, { name: 'b' }],
    })
    expect(apply(object, { data: { b: '2' }, containers: [{ name: 'b' }] }).spec).toEqual({
      data: { b: '2' },
      containers: [{ name: 'b' }],
    })
  })

  test('unless somebody else owns it', () => {
    const shared = apply(apply(undefined, { replicas: 1, paused: true }), { replicas: 1 }, { manager: 'two' })
    const object = apply(shared, { paused: true })
    expect(object.spec).toEqual({ replicas: 1, paused: true })
    expect(owners(object)).toEqual({ one: { 'f:spec': { 'f:paused': {} } }, two: { 'f:spec': { 'f:replicas': {} } } })
  })

  test('an item stays while another owns something in it', () => {
    const first = apply(undefined, { containers: [{ name: 'a', image: 'x' }] })
    const second = apply(first, { containers: [{ name: 'a', args: ['y'] }] }, { manager: 'two' })
    expect(apply(second, {}).spec).toEqual({ containers: [{ name: 'a', args: ['y'] }] })
  })

  test('an applier of an empty map owns that', () => {
    const object = apply(apply(undefined, { replicas: 1 }), { paused: true }, { manager: 'two' })
    expect(owners(apply(object, {})).one).toEqual({ 'f:spec': {} })
  })

  test('an object that nobody tracked belongs to before-first-apply', () => {
    const live: Workload = {
      apiVersion: 'v1',
      kind: 'Workload',
      metadata: { name: 'w', uid: 'u' },
      spec: { replicas: 1 },
    }
    expect(errorOf(() => apply(live, { replicas: 2 })).message).toBe(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .spec.replicas',
    )
  })
})

describe('conflicts', () => {
  const live = update(apply(undefined, { replicas: 1, paused: false }), { replicas: 5, paused: true })

  test('one is said in one line, with its cause', () => {
    const error = errorOf(() => apply(live, { replicas: 1 }))
    expect(error.status).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "updater" using v1: .spec.replicas',
      details: {
        causes: [
          { reason: 'FieldManagerConflict', message: 'conflict with "updater" using v1', field: '.spec.replicas' },
        ],
      },
    })
  })

  test('several are listed by manager', () => {
    expect(errorOf(() => apply(live, { replicas: 1, paused: false })).message).toBe(
      'Apply failed with 2 conflicts: conflicts with "updater" using v1:\n- .spec.paused\n- .spec.replicas',
    )
  })

  test('appliers are named without a version', () => {
    const object = apply(undefined, { containers: [{ name: 'a', image: 'x' }] })
    const error = errorOf(() => apply(object, { containers: [{ name: 'a', image: 'y' }] }, { manager: 'two' }))
    expect(error.message).toBe('Apply failed with 1 conflict: conflict with "one": .spec.containers[name="a"].image')
  })

  test('force takes the fields over', () => {
    const object = apply(live, { replicas: 1 }, { force: true })
    expect(object.spec).toEqual({ replicas: 1, paused: true })
    expect(owners(object)).toEqual({
      one: { 'f:spec': { 'f:replicas': {} } },
      updater: { 'f:spec': { 'f:paused': {} } },
    })
  })
})

describe('lists', () => {
  test('keep the live object’s own items in their place and take the applied order', () => {
    const names = (...list: string[]) => ({ containers: list.map((name) => ({ name })) })
    const live = update(apply(undefined, names('a', 'b')), names('a', 'x', 'b', 'y'))
    expect(apply(live, names('b', 'a')).spec).toEqual(names('x', 'b', 'y', 'a'))
    expect(apply(live, names('a', 'c', 'b')).spec).toEqual(names('a', 'x', 'c', 'b', 'y'))
  })
  test('sets merge, atomic lists do not', () => {
    const live = update(apply(undefined, { finalizers: ['a'] }), { finalizers: ['a', 'z'] })
    expect(apply(live, { finalizers: ['b', 'a'] }).spec).toEqual({ finalizers: ['b', 'a', 'z'] })
    const atomic = apply(undefined, { containers: [{ name: 'a', args: ['1', '2'] }] })
    expect(apply(atomic, { containers: [{ name: 'a', args: ['2'] }] }).spec).toEqual({
      containers: [{ name: 'a', args: ['2'] }],
    })
  })
})

describe('what is refused', () => {
  test.each<[string, object, string]>([
    ['unknown fields', { unknown: 1 }, '.spec.unknown: field not declared in schema'],
    ['wrong scalars', { replicas: 'x' }, '.spec.replicas: expected numeric (int or float), got string'],
    [
      'duplicate keys',
      { containers: [{ name: 'a' }, { name: 'a' }] },
      '.spec.containers: duplicate entries for key [name="a"]',
    ],
    [
      'missing keys',
      { containers: [{ image: 'a' }] },
      '.spec.containers: element 0: associative list with keys has an element that omits all key fields ["name"] ' +
        "(and doesn't have default values for any key fields)",
    ],
  ])('%s', (_name, spec, finding) => {
    const error = errorOf(() => apply(undefined, spec))
    expect([error.code, error.message]).toEqual([
      400,
      `failed to create typed patch object (n/w; /v1, Kind=Workload): ${finding}`,
    ])
  })

  test('another version, and managed fields', () => {
    const request = { ...base, live: undefined, manager: 'one', force: false, nowText: 't' }
    const wrong = errorOf(() => serverSideApply({ ...request, applied: { apiVersion: 'v2', metadata: {} } }))
    expect(wrong.message).toBe('Incorrect version specified in apply patch. Specified patch version: v2, expected: v1')
    const managed = { apiVersion: 'v1', metadata: { managedFields: [] } }
    expect(errorOf(() => serverSideApply({ ...request, applied: managed })).message).toBe(
      'metadata.managedFields must be nil',
    )
  })
})

describe('after client-side apply', () => {
  const configuration = {
    apiVersion: 'v1',
    kind: 'Workload',
    metadata: { name: 'w', namespace: 'n' },
    spec: { replicas: 1 },
  }
  const annotations = { [LAST_APPLIED_ANNOTATION]: JSON.stringify(configuration) }
  const clientSide: Workload = deepFreeze(
    trackUpdate({
      ...base,
      live: undefined,
      updated: { ...configuration, metadata: { ...configuration.metadata, uid: 'u', annotations } } as Workload,
      manager: 'kubectl-client-side-apply',
      operation: 'Update',
      nowText: 't',
    }),
  )

  test('kubectl takes over what it set, and keeps the annotation up to date', () => {
    const object = apply(clientSide, { replicas: 3 }, { manager: 'kubectl' })
    expect(object.spec).toEqual({ replicas: 3 })
    expect(object.metadata.annotations?.[LAST_APPLIED_ANNOTATION]).toBe(
      `${JSON.stringify({ ...configuration, spec: { replicas: 3 } })}\n`,
    )
  })

  test('others do not', () => {
    expect(errorOf(() => apply(clientSide, { replicas: 3 }, { manager: 'flux' })).code).toBe(409)
  })

  test('nor kubectl, what has changed since', () => {
    const scaled = update(clientSide, { replicas: 9 }, 'autoscaler')
    expect(errorOf(() => apply(scaled, { replicas: 3 }, { manager: 'kubectl' })).message).toBe(
      'Apply failed with 1 conflict: conflict with "autoscaler" using v1: .spec.replicas',
    )
  })
})

test('applying twice is applying once, whatever was applied before', () => {
  const random = seededRandom(11)
  const some = <T>(items: readonly T[]): T[] => items.filter(() => random.next() < 0.5)
  const configuration = (): object => ({
    data: Object.fromEntries(some(['a', 'b', 'c']).map((key) => [key, key])),
    finalizers: ['x', ...some(['y', 'z'])],
    containers: ['o', ...some(['p', 'q', 'r'])].map((name) => ({
      name,
      env: ['e', ...some(['f'])].map((key) => ({ name: key })),
    })),
  })
  let live: Workload | undefined
  for (let round = 0; round < 200; round++) {
    const [wanted, manager] = [configuration(), random.next() < 0.5 ? 'one' : 'two']
    const once = apply(live, wanted, { manager, force: true })
    expect(apply(once, wanted, { manager })).toEqual(once)
    live = once
  }
})
