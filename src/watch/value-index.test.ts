import { expect, test } from 'vitest'
import { cachedObjectFactory } from './cached-object.ts'
import { ValueIndex } from './value-index.ts'

const make = cachedObjectFactory()
const labelled = (name: string, labels: Record<string, string>) =>
  make({ key: name, namespace: '', name, uid: '', revision: 1, labels, fields: {}, bytes: new Uint8Array() })

const objects = [labelled('one', { app: 'x' }), labelled('two', { app: 'y' }), labelled('three', {})]

test('finds objects by value, and those without the label under the empty value', () => {
  const index = new ValueIndex(({ labels }) => labels)
  const ask = (value: string) => [...index.keys('app', value, () => objects)]
  expect([ask('x'), ask('y'), ask(''), ask('z')]).toEqual([['one'], ['two'], ['three'], []])
  const added = labelled('four', { app: 'x' })
  index.add(added)
  expect(ask('x')).toEqual(['one', 'four'])
  index.remove(added)
  expect(ask('x')).toEqual(['one'])
})

test('is built once per name, and anew when too many other names were asked', () => {
  const index = new ValueIndex(({ labels }) => labels)
  let built = 0
  const all = () => {
    built++
    return objects
  }
  index.keys('app', 'x', all)
  index.keys('app', 'y', all)
  expect(built).toBe(1)
  for (let name = 0; name < 100; name++) index.keys(`invented-${name}`, 'x', all)
  expect(built).toBe(101)
  expect([...index.keys('app', 'x', all)]).toEqual(['one'])
  expect(built).toBe(102)
})

test('names of Object.prototype are names like any other', () => {
  const index = new ValueIndex(({ labels }) => labels)
  expect([...index.keys('constructor', '', () => objects)]).toHaveLength(3)
})
