import { expect, test } from 'vitest'
import { createFakeClock } from '../base/fake-clock.ts'
import { parseFieldSelector } from '../machinery/meta/fields.ts'
import { parseLabelSelector } from '../machinery/meta/labels.ts'
import { type CachedObject, cachedObjectFactory } from './cached-object.ts'
import { Egress } from './egress.ts'
import { delivery, toCacheEvent } from './event.ts'
import { FanOut } from './fan-out.ts'
import type { Selection } from './selection.ts'
import { Watcher } from './watcher.ts'

const make = cachedObjectFactory()

function pod(namespace: string, node: string, revision: number): CachedObject {
  const fields = node === '' ? {} : { 'spec.nodeName': node }
  const bytes = Buffer.from('{"metadata":{}}')
  return make({ key: `pods/${namespace}/p`, namespace, name: 'p', uid: '', revision, labels: {}, fields, bytes })
}

function move(before: CachedObject | undefined, after: CachedObject | undefined) {
  const stored = { key: 'pods/x', value: new Uint8Array(1), created: 1 }
  const codec = {
    decode: ({ modified }: { modified: number }) => (modified === 2 ? (after ?? before) : before) ?? pod('', '', 0),
  }
  const change = {
    ...stored,
    revision: 2,
    value: after && stored.value,
    previous: before && { ...stored, modified: 1 },
  }
  const event = toCacheEvent(change, before, codec)
  if (!event) throw new Error('there is something to tell')
  return event
}

const selections: Readonly<Record<string, Selection>> = {
  all: {},
  'in a': { namespace: 'a' },
  'in b': { namespace: 'b' },
  'on n1': { fields: parseFieldSelector('spec.nodeName=n1') },
  'on n2': { fields: parseFieldSelector('spec.nodeName=n2') },
  unscheduled: { fields: parseFieldSelector('spec.nodeName=') },
  'not on n1': { fields: parseFieldSelector('spec.nodeName!=n1') },
  'on n1 in b': { namespace: 'b', fields: parseFieldSelector('spec.nodeName=n1') },
  labelled: { labels: parseLabelSelector('app') },
}

test.each([
  ['a new pod without a node', undefined, pod('a', '', 2), 'all ADDED, in a ADDED, unscheduled ADDED, not on n1 ADDED'],
  [
    'a pod that gets its node',
    pod('a', '', 1),
    pod('a', 'n1', 2),
    'all MODIFIED, in a MODIFIED, on n1 ADDED, unscheduled DELETED, not on n1 DELETED',
  ],
  ['a deleted pod', pod('b', 'n1', 1), undefined, 'all DELETED, in b DELETED, on n1 DELETED, on n1 in b DELETED'],
  [
    'a changed pod',
    pod('b', 'n2', 1),
    pod('b', 'n2', 2),
    'all MODIFIED, in b MODIFIED, on n2 MODIFIED, not on n1 MODIFIED',
  ],
])('%s reaches exactly those who see it', async (_, before, after, expected) => {
  const fanOut = new FanOut()
  const egress = new Egress(createFakeClock())
  const watchers = Object.entries(selections).map(([name, selection]) => {
    const watcher = new Watcher({ selection, replay: undefined, egress, onEnd: () => fanOut.remove(watcher) })
    fanOut.add(watcher)
    return { name, watcher }
  })
  fanOut.dispatch(move(before, after))
  fanOut.endAll()
  expect(fanOut.size).toBe(0)
  const told: string[] = []
  for (const { name, watcher } of watchers) {
    for await (const batch of watcher) told.push(...batch.map(({ type }) => `${name} ${type}`))
  }
  expect(told.join(', ')).toBe(expected)
})

test('who selects the same is told the same, for as long as each watches', async () => {
  const fanOut = new FanOut()
  const egress = new Egress(createFakeClock())
  const open = (labels: string) => {
    const selection = { namespace: 'a', labels: parseLabelSelector(labels) }
    const watcher = new Watcher({ selection, replay: undefined, egress, onEnd: () => fanOut.remove(watcher) })
    fanOut.add(watcher)
    return watcher
  }
  const [first, second, other] = [open('!x,!y'), open('!y,!x'), open('x')]
  fanOut.dispatch(move(undefined, pod('a', '', 2)))
  first.end()
  fanOut.dispatch(move(undefined, pod('a', 'n1', 2)))
  const told = [first.take(), second.take(), other.take()]
  expect(told.map(({ length }) => length)).toEqual([1, 2, 0])
  expect(told[0]?.[0]).toBe(told[1]?.[0])
  second.end()
  other.end()
  expect(fanOut.size).toBe(0)
})

test('a frame is encoded once, whoever asks', () => {
  let encoded = 0
  const encoding = {
    name: 'counting',
    event: () => Buffer.from(`${++encoded}`),
    bookmark: () => Buffer.alloc(0),
  }
  const one = delivery('ADDED', pod('a', '', 1))
  expect(one.frame(encoding)).toBe(one.frame({ ...encoding }))
  expect(encoded).toBe(1)
})
