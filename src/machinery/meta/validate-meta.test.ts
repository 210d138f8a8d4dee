import { describe, expect, test } from 'vitest'
import { nameIsDns1123Subdomain } from './names.ts'
import type { ObjectMeta } from './object.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from './validate-meta.ts'

const texts = (errors: readonly { readonly path: string; readonly message: string }[]): string[] =>
  errors.map(({ path, message }) => `${path}: ${message}`)

const valid: ObjectMeta = { name: 'web', namespace: 'default' }
const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a', uid: '1', controller: true }

describe('create', () => {
  const findings = (meta: ObjectMeta, namespaced = true): string[] =>
    texts(validateObjectMeta(meta, { namespaced, nameRule: nameIsDns1123Subdomain }))

  test('a name and a namespace are enough', () => expect(findings(valid)).toEqual([]))

  test.each<[string, ObjectMeta, boolean, readonly string[]]>([
    ['no name', { namespace: 'default' }, true, ['metadata.name: Required value: name or generateName is required']],
    ['no namespace', { name: 'a' }, true, ['metadata.namespace: Required value']],
    ['namespace where none may be', valid, false, ['metadata.namespace: Forbidden: not allowed on this type']],
    [
      'negative generation',
      { ...valid, generation: -1 },
      true,
      ['metadata.generation: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'too many annotations',
      { ...valid, annotations: { a: 'x'.repeat(262_144) } },
      true,
      ['metadata.annotations: Too long: may not be more than 262144 bytes'],
    ],
    [
      'two controllers',
      { ...valid, ownerReferences: [owner, { ...owner, name: 'b' }] },
      true,
      [
        `metadata.ownerReferences: Invalid value: ${JSON.stringify([owner, { ...owner, name: 'b' }])}: Only one ` +
          'reference can have Controller set to true. Found "true" in references for ReplicaSet/a and ReplicaSet/b',
      ],
    ],
    [
      'incomplete owner',
      { ...valid, ownerReferences: [{ apiVersion: '', kind: '', name: 'a', uid: '' }] },
      true,
      [
        'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
        'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
        'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
      ],
    ],
    [
      'contradicting finalizers',
      { ...valid, finalizers: ['orphan', 'foregroundDeletion'] },
      true,
      [
        'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: ' +
          'finalizer orphan and foregroundDeletion cannot be both set',
      ],
    ],
    [
      'managed fields',
      { ...valid, managedFields: [{ operation: 'Eat', fieldsType: 'V2', manager: 'a\nb' }] },
      true,
      [
        'metadata.managedFields[0].operation: Invalid value: "Eat": must be `Apply` or `Update`',
        'metadata.managedFields[0].fieldsType: Invalid value: "V2": must be `FieldsV1`',
        'metadata.managedFields[0].manager: Invalid value: "a\\nb": invalid character U+000A (at position 1)',
      ],
    ],
  ])('%s', (_name, meta, namespaced, expected) => expect(findings(meta, namespaced)).toEqual(expected))

  test('annotation keys ignore case, label keys do not accept blanks', () => {
    expect(findings({ ...valid, annotations: { 'Example.COM/a': '' } })).toEqual([])
    expect(findings({ ...valid, labels: { 'a b': 'c' } })).toHaveLength(1)
  })

  test('a bad generateName is found besides a bad name', () => {
    expect(findings({ ...valid, name: 'Web-x', generateName: 'Web-' }).map((text) => text.split(':')[0])).toEqual([
      'metadata.generateName',
      'metadata.name',
    ])
  })
})

describe('update', () => {
  const previous: ObjectMeta = {
    ...valid,
    uid: 'u',
    resourceVersion: '5',
    generation: 3,
    creationTimestamp: '2026-01-01T00:00:00Z',
    finalizers: ['a.b/c'],
  }
  test.each<[string, Partial<ObjectMeta>, Partial<ObjectMeta>, readonly string[]]>([
    ['nothing changed', {}, {}, []],
    [
      'no resource version',
      { resourceVersion: '' },
      {},
      ['metadata.resourceVersion: Invalid value: "": must be specified for an update'],
    ],
    ['older generation', { generation: 2 }, {}, ['metadata.generation: Invalid value: 2: must not be decremented']],
    ['other name', { name: 'x' }, {}, ['metadata.name: Invalid value: "x": field is immutable']],
    ['other uid', { uid: 'x' }, {}, ['metadata.uid: Invalid value: "x": field is immutable']],
    [
      'no creation time',
      { creationTimestamp: null },
      {},
      ['metadata.creationTimestamp: Invalid value: null: field is immutable'],
    ],
    ['more finalizers', { finalizers: ['a.b/c', 'a.b/d'] }, {}, []],
    [
      'more finalizers while being deleted',
      { finalizers: ['a.b/e', 'a.b/c', 'a.b/d'], deletionTimestamp: '2026-01-02T00:00:00Z' },
      { deletionTimestamp: '2026-01-02T00:00:00Z' },
      [
        'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, ' +
          'found new finalizers []string{"a.b/d", "a.b/e"}',
      ],
    ],
  ])('%s', (_name, change, before, expected) => {
    expect(texts(validateObjectMetaUpdate({ ...previous, ...change }, { ...previous, ...before }))).toEqual(expected)
  })
})
