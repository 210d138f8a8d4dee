import { describe, expect, test } from 'vitest'
import { type Logger, silentLogger } from '../base/log.ts'
import type { KubeObject, OwnerReference } from '../machinery/meta/object.ts'
import { InformerStore } from './informer.ts'

interface Options {
  readonly revision?: number
  readonly uid?: string
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly owner?: OwnerReference
}

const thing = (
  name: string,
  { revision = 1, uid = name, namespace = 'default', labels, owner }: Options = {},
): KubeObject => ({
  metadata: {
    name,
    namespace,
    uid,
    labels,
    resourceVersion: `${revision}`,
    ...(owner ? { ownerReferences: [owner] } : {}),
  },
})
const names = (objects: readonly KubeObject[]) =>
  objects.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)

/** A store and the changes its handler saw. */
function watched() {
  const store = new InformerStore<KubeObject>()
  const seen: string[] = []
  const line = (word: string) => (object: KubeObject) =>
    void seen.push(`${word} ${object.metadata.name}@${object.metadata.resourceVersion}`)
  const unsubscribe = store.subscribe({ added: line('added'), updated: line('updated'), deleted: line('deleted') })
  return { store, unsubscribe, taken: () => seen.splice(0) }
}

describe('handlers', () => {
  test('a relist tells what appeared, changed and went, and nothing of what stayed', () => {
    const { store, taken } = watched()
    store.replace(
      ['a', 'b', 'c'].map((name) => thing(name)),
      1,
    )
    expect(taken()).toEqual(['added a@1', 'added b@1', 'added c@1'])
    store.replace([thing('a'), thing('b', { revision: 2 }), thing('d', { revision: 3 })], 3)
    expect(taken()).toEqual(['deleted c@1', 'updated b@2', 'added d@3'])
  })

  test('another object of the same name is a deletion and an addition', () => {
    const { store, taken } = watched()
    store.replace([thing('a', { uid: '1' })], 1)
    store.replace([thing('a', { uid: '2', revision: 5 })], 5)
    expect(taken()).toEqual(['added a@1', 'deleted a@1', 'added a@5'])
  })

  test('events apply in turn; one that is known already, or deletes what is not there, tells nothing', () => {
    const { store, taken } = watched()
    store.replace([], 1)
    for (const [type, revision] of [
      ['ADDED', 2],
      ['ADDED', 2],
      ['MODIFIED', 3],
      ['BOOKMARK', 9],
      ['DELETED', 10],
      ['DELETED', 11],
    ] as const)
      store.apply({ type, object: thing('a', { revision }) })
    expect(taken()).toEqual(['added a@2', 'updated a@3', 'deleted a@10'])
    expect(store.revision).toBe(11)
  })

  test('who subscribes late is told what is there; who has left is told nothing', () => {
    const { store, unsubscribe, taken } = watched()
    store.replace([thing('a')], 1)
    taken()
    const late: string[] = []
    store.subscribe({ added: ({ metadata }) => void late.push(metadata.name ?? '') })
    unsubscribe()
    store.apply({ type: 'ADDED', object: thing('b', { revision: 2 }) })
    expect([late, taken()]).toEqual([['a', 'b'], []])
  })

  test('a handler that subscribes another is no reason to tell that one twice', () => {
    const store = new InformerStore<KubeObject>()
    const inner: string[] = []
    store.subscribe({
      added: () => void store.subscribe({ added: ({ metadata }) => void inner.push(metadata.name ?? '') }),
    })
    store.replace([thing('a')], 1)
    expect(inner).toEqual(['a'])
  })

  test('what one throws is logged and keeps nobody else from anything', () => {
    const errors: unknown[] = []
    const log: Logger = { ...silentLogger, error: (_message, fields) => void errors.push(fields?.error) }
    const store = new InformerStore<KubeObject>(log)
    const seen: string[] = []
    store.subscribe({ added: () => expect.fail('a mistake') })
    store.subscribe({ added: ({ metadata }) => void seen.push(metadata.name ?? '') })
    store.replace([thing('a')], 1)
    expect([seen, store.revision, errors.length]).toEqual([['a'], 1, 1])
  })
})

describe('reading', () => {
  test('lists all, or those of a namespace, in order of keys', () => {
    const store = new InformerStore<KubeObject>()
    store.replace([thing('b'), thing('a', { namespace: 'x' }), thing('a')], 1)
    expect(names(store.list())).toEqual(['default/a', 'default/b', 'x/a'])
    expect(names(store.list('default'))).toEqual(['default/a', 'default/b'])
    expect(store.list('none')).toEqual([])
    expect(store.get({ namespace: 'x', name: 'a' })?.metadata.namespace).toBe('x')
    expect(store.get({ namespace: 'x', name: 'b' })).toBeUndefined()
  })

  test('indexes follow every change, and are filled when they come late', () => {
    const store = new InformerStore<KubeObject>()
    const app = ({ metadata }: KubeObject) => Object.values(metadata.labels ?? {})
    store.replace([thing('a', { labels: { app: 'web' } }), thing('b', { labels: { app: 'web' } })], 1)
    store.addIndex('app', app)
    store.addIndex('app', app)
    expect(names(store.byIndex('app', 'web'))).toEqual(['default/a', 'default/b'])
    store.apply({ type: 'MODIFIED', object: thing('a', { labels: { app: 'db' }, revision: 2 }) })
    store.apply({ type: 'DELETED', object: thing('b', { labels: { app: 'other' }, revision: 3 }) })
    expect([names(store.byIndex('app', 'web')), names(store.byIndex('app', 'db'))]).toEqual([[], ['default/a']])
    expect(['web', 'db'].map((value) => store.hasIndexed('app', value))).toEqual([false, true])
    expect(() => store.byIndex('none', '')).toThrow('no index')
  })

  test('finds what an owner controls, and not what it merely owns', () => {
    const store = new InformerStore<KubeObject>()
    const owner = { apiVersion: 'v1', kind: 'Thing', name: 'o', uid: 'o1', controller: true }
    store.replace([thing('a', { owner }), thing('b', { owner: { ...owner, controller: false } }), thing('c')], 1)
    expect(names(store.controlledBy('o1'))).toEqual(['default/a'])
  })

  test('names that mean something to JavaScript are names', () => {
    const store = new InformerStore<KubeObject>()
    store.replace([thing('__proto__'), thing('constructor', { namespace: '__proto__' })], 1)
    expect(names(store.list('__proto__'))).toEqual(['__proto__/constructor'])
    expect(store.controlledBy('constructor')).toEqual([])
  })
})

describe('waiting', () => {
  test('caughtUpTo resolves with the event, relist or bookmark that reaches the revision', async () => {
    const store = new InformerStore<KubeObject>()
    const reached: number[] = []
    const waits = [3, 7, 9].map((revision) => store.caughtUpTo(revision).then(() => reached.push(revision)))
    store.replace([], 2)
    await Promise.resolve()
    expect(reached).toEqual([])
    store.apply({ type: 'ADDED', object: thing('a', { revision: 4 }) })
    await waits[0]
    store.apply({ type: 'BOOKMARK', object: thing('', { revision: 8 }) })
    await waits[1]
    store.replace([], 9)
    await waits[2]
    expect(reached).toEqual([3, 7, 9])
  })

  test('nothing holds before the first list', async () => {
    const store = new InformerStore<KubeObject>()
    let synced = false
    const waiting = store
      .until(() => true)
      .then(() => {
        synced = true
      })
    await Promise.resolve()
    expect([synced, store.synced, store.revision]).toEqual([false, false, 0])
    store.replace([], 1)
    await waiting
    await store.caughtUpTo(0)
  })

  test('an aborted wait rejects with the reason and is forgotten', async () => {
    const store = new InformerStore<KubeObject>()
    store.replace([], 1)
    const stop = new AbortController()
    let asked = 0
    const waiting = store.until(() => ++asked === 0, stop.signal)
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    const before = asked
    store.apply({ type: 'ADDED', object: thing('a', { revision: 2 }) })
    expect(asked).toBe(before)
  })
})
