import { describe, expect, test } from 'vitest'
import { deepFreeze } from '../../base/deep-freeze.ts'
import { applyStrategicMergePatch } from './strategic-merge.ts'
import { workloadSchema } from './test-schemas.ts'

const live = deepFreeze({
  spec: {
    replicas: 1,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } },
    containers: [
      { name: 'a', image: 'a:1', args: ['x'] },
      { name: 'b', image: 'b:1', ports: [{ containerPort: 80, name: 'web' }] },
    ],
    finalizers: ['one', 'two'],
    data: { k: 'v', l: 'w' },
    owner: { name: 'o', uid: 'u' },
  },
})

const patched = (spec: object): unknown =>
  (applyStrategicMergePatch(live, deepFreeze({ spec }), workloadSchema) as { spec: unknown }).spec

describe('merges', () => {
  test.each<[string, object, object]>([
    ['scalars and maps', { replicas: 2, data: { k: null, m: 'x' } }, { replicas: 2, data: { l: 'w', m: 'x' } }],
    [
      'an item by its key, atomic lists as a whole',
      { containers: [{ name: 'a', args: ['y', 'z'] }] },
      { containers: [{ name: 'a', image: 'a:1', args: ['y', 'z'] }, live.spec.containers[1]] },
    ],
    [
      'a new item, before those of the server',
      { containers: [{ name: 'c', image: 'c:1' }] },
      { containers: [{ name: 'c', image: 'c:1' }, ...live.spec.containers] },
    ],
    [
      'nested lists by key',
      { containers: [{ name: 'b', ports: [{ containerPort: 81 }] }] },
      {
        containers: [
          live.spec.containers[0],
          { name: 'b', image: 'b:1', ports: [{ containerPort: 81 }, { containerPort: 80, name: 'web' }] },
        ],
      },
    ],
    ['lists of scalars as sets', { finalizers: ['two', 'three'] }, { finalizers: ['one', 'two', 'three'] }],
    [
      '$patch: delete of an item',
      { containers: [{ $patch: 'delete', name: 'a' }] },
      { containers: [live.spec.containers[1]] },
    ],
    [
      '$patch: replace of a list',
      { containers: [{ name: 'c' }, { $patch: 'replace' }] },
      { containers: [{ name: 'c' }] },
    ],
    ['$patch: replace of a map', { data: { $patch: 'replace', z: '1' } }, { data: { z: '1' } }],
    ['$patch: delete of a map', { data: { $patch: 'delete' } }, { data: {} }],
    ['$retainKeys', { strategy: { $retainKeys: ['type'], type: 'Recreate' } }, { strategy: { type: 'Recreate' } }],
    ['$deleteFromPrimitiveList', { '$deleteFromPrimitiveList/finalizers': ['one'] }, { finalizers: ['two'] }],
    [
      '$setElementOrder of maps',
      { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }], containers: [{ name: 'a', image: 'a:2' }] },
      { containers: [live.spec.containers[1], { name: 'a', image: 'a:2', args: ['x'] }] },
    ],
    [
      '$setElementOrder of maps, where added items take the places of deleted ones',
      {
        '$setElementOrder/containers': [{ name: 'c' }, { name: 'd' }],
        containers: [{ name: 'c' }, { name: 'd' }, { $patch: 'delete', name: 'a' }],
      },
      { containers: [live.spec.containers[1], { name: 'c' }, { name: 'd' }] },
    ],
    [
      '$setElementOrder of scalars',
      { '$setElementOrder/finalizers': ['three', 'one'], finalizers: ['three'] },
      { finalizers: ['three', 'one', 'two'] },
    ],
    ['a field whose strategy is replace', { owner: { name: 'p' } }, { owner: { name: 'p' } }],
    [
      'an absent list loses its directives',
      { volumes: [{ $patch: 'delete', name: 'x' }, { name: 'y' }] },
      { volumes: [{ name: 'y' }] },
    ],
    ['an absent map loses its nulls', { extra: { a: null, b: { c: null, d: 1 } } }, { extra: { b: { d: 1 } } }],
    ['another type replaces', { data: 'text' }, { data: 'text' }],
  ])('%s', (_name, patch, expected) => expect(patched(patch)).toEqual({ ...live.spec, ...expected }))

  test('a field named like a directive’s list leaves no directive behind', () => {
    const patch = { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } }
    expect(applyStrategicMergePatch({}, patch, workloadSchema)).toEqual({ spec: { strategy: { type: 'Recreate' } } })
  })
})

describe('refuses', () => {
  test.each<[string, object, string, number]>([
    [
      'items without their key',
      { containers: [{ image: 'x' }] },
      'map: map[image:x] does not contain declared merge key: name',
      400,
    ],
    ['an unknown directive', { data: { $patch: 'eat' } }, 'unknown patch type: eat in map: map[$patch:eat]', 400],
    [
      'merge as a list’s directive',
      { containers: [{ $patch: 'merge', name: 'a' }] },
      'merging lists cannot yet be specified in the patch',
      400,
    ],
    [
      'keys that are not retained',
      { strategy: { $retainKeys: ['x'], type: 'y' } },
      'invalid patch format of retainKeys',
      400,
    ],
    [
      'a list directive without a list',
      { $deleteFromPrimitiveList: [] },
      'invalid patch format of primitive list',
      400,
    ],
    ['mixed lists', { finalizers: ['a', 1] }, 'list element types are not identical', 400],
    [
      'an order that the patch contradicts',
      {
        '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }],
        containers: [{ name: 'b' }, { name: 'a' }],
      },
      "[map[name:b] map[name:a]]\n doesn't match $setElementOrder list:\n[map[name:a] map[name:b]]",
      400,
    ],
  ])('%s', (_name, patch, message, code) => {
    expect(() => patched(patch)).toThrow(expect.objectContaining({ message: expect.stringContaining(message), code }))
  })

  test('a patch that is no object', () => {
    expect(() => applyStrategicMergePatch({}, [], workloadSchema)).toThrow('invalid JSON document')
  })
})
