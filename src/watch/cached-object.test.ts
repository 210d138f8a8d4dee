import { expect, test } from 'vitest'
import type { KubeObject } from '../machinery/meta/object.ts'
import { type CachedObject, cachedObjectFactory } from './cached-object.ts'

function facts(name: string) {
  const bytes = Buffer.from(JSON.stringify({ metadata: { name } }))
  return { key: name, namespace: '', name, uid: '', revision: 1, labels: {}, fields: {}, bytes }
}

const namesOf = (objects: readonly CachedObject[]) => objects.map((object) => object.object().metadata.name)

test('an object that somebody has is parsed once, however many others were parsed since', () => {
  const make = cachedObjectFactory(1)
  const cached = make(facts('first'))
  const first = cached.object()
  const others = ['second', 'third'].map((name) => make(facts(name)))
  expect(namesOf(others)).toEqual(['second', 'third'])
  expect(cached.object()).toBe(first)
  expect(Object.isFrozen(first.metadata)).toBe(true)
})

test('all facts are told', () => {
  const all = { ...facts('first'), ownerUids: ['a'], finalizers: ['b'] }
  expect({ ...cachedObjectFactory(1)(all) }).toEqual(all)
})

test('an object that was there before its bytes were is not parsed at all', () => {
  const object: KubeObject = { metadata: { name: 'first' } }
  expect(cachedObjectFactory(1)(facts('first'), object).object()).toBe(object)
})

test('every object is what its bytes say, whether it was kept or not', () => {
  const make = cachedObjectFactory(2)
  const names = ['a', 'b', 'c', 'd', 'e']
  const cached = names.map((name) => make(facts(name)))
  for (let round = 0; round < 3; round++) expect(namesOf(cached)).toEqual(names)
})
