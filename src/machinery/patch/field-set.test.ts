import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../base/random.ts'
import {
  difference,
  emptyFieldSet,
  type FieldSet,
  FieldSetBuilder,
  hasPath,
  intersection,
  leavesOf,
  membersOf,
  parseFieldSet,
  pathText,
  recursiveDifference,
  union,
  withPrefix,
} from './field-set.ts'

function setOf(...paths: readonly (readonly string[])[]): FieldSet {
  const builder = new FieldSetBuilder()
  for (const path of paths) builder.insert(path)
  return builder.build()
}

const spec = ['f:spec']
const replicas = ['f:spec', 'f:replicas']
const web = ['f:spec', 'f:containers', 'k:{"name":"web"}']
const image = [...web, 'f:image']

describe('the fieldsV1 form', () => {
  test('marks members that have others below them', () => {
    expect(setOf(replicas, web, image)).toEqual({
      'f:spec': { 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:image': {} } }, 'f:replicas': {} },
    })
  })

  test('comes in a fixed order: fields, keys by their values, values, indices', () => {
    const set = setOf(['i:10'], ['i:9'], ['v:"b"'], ['v:"a"'], ['k:{"port":443}'], ['k:{"port":80}'], ['f:b'], ['f:a'])
    expect(Object.keys(set)).toEqual(['f:a', 'f:b', 'k:{"port":80}', 'k:{"port":443}', 'v:"a"', 'v:"b"', 'i:9', 'i:10'])
  })

  test.each<[string, unknown]>([
    ['no object', 'x'],
    ['a list', []],
    ['an unknown element', { 'x:a': {} }],
    ['a name of the prototype', JSON.parse('{"__proto__":{}}')],
    ['a scalar inside', { 'f:a': 1 }],
  ])('refuses %s', (_name, fields) => expect(parseFieldSet(fields)).toBeUndefined())

  test('refuses bottomless nesting', () => {
    expect(parseFieldSet(JSON.parse(`${'{"f:a":'.repeat(1000)}{}${'}'.repeat(1000)}`))).toBeUndefined()
  })
})

describe('operations', () => {
  test('union, intersection, difference', () => {
    expect(union(setOf(replicas), setOf(image))).toEqual(setOf(replicas, image))
    expect(union(setOf(web), setOf(image))).toEqual(setOf(web, image))
    expect(intersection(setOf(replicas, web, image), setOf(image, replicas, spec))).toEqual(setOf(replicas, image))
    expect(difference(setOf(replicas, web, image), setOf(web))).toEqual(setOf(replicas, image))
    expect(difference(setOf(image), setOf(image))).toEqual({})
  })
  test('the recursive difference takes what lies below', () => {
    expect(recursiveDifference(setOf(replicas, image, ['f:status', 'f:a']), setOf(spec))).toEqual(
      setOf(['f:status', 'f:a']),
    )
  })
  test('has only members, not what leads to them', () => {
    expect([hasPath(setOf(image), image), hasPath(setOf(image), web), hasPath(setOf(image), [])]).toEqual([
      true,
      false,
      false,
    ])
  })
  test('prefix, members and leaves', () => {
    expect(withPrefix(setOf(spec, replicas), 'f:spec')).toEqual(setOf(['f:replicas']))
    expect(membersOf(setOf(image, web))).toEqual([web, image])
    expect(leavesOf(setOf(image, web))).toEqual(setOf(image))
  })
  test('unchanged parts are shared', () => {
    const set = setOf(replicas, ['f:status', 'f:a'])
    expect(difference(set, setOf(replicas))['f:status']).toBe(set['f:status'])
    expect(difference(set, setOf(['f:other']))).toBe(set)
    expect(union(set, emptyFieldSet)).toBe(set)
  })
})

test('paths print as in messages', () => {
  expect(pathText(image)).toBe('.spec.containers[name="web"].image')
  expect(pathText(['f:ports', 'k:{"containerPort":80,"protocol":"TCP"}'])).toBe(
    '.ports[containerPort=80,protocol="TCP"]',
  )
  expect(pathText(['f:finalizers', 'v:"a/b"'])).toBe('.finalizers[="a/b"]')
})

test('the laws of sets hold for random sets', () => {
  const random = seededRandom(7)
  const element = (): string => `f:${'abc'[Math.floor(random.next() * 3)]}`
  const path = (): string[] => Array.from({ length: 1 + Math.floor(random.next() * 3) }, element)
  const randomSet = (): FieldSet => setOf(...Array.from({ length: Math.floor(random.next() * 6) }, path))
  for (let round = 0; round < 300; round++) {
    const [left, right] = [randomSet(), randomSet()]
    expect(union(left, right)).toEqual(union(right, left))
    expect(union(difference(left, right), intersection(left, right))).toEqual(left)
    expect(union(left, intersection(left, right))).toBe(left)
    expect(intersection(difference(left, right), right)).toEqual({})
    expect(setOf(...membersOf(left))).toEqual(left)
  }
})
