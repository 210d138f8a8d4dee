import { expect, test } from 'vitest'
import { userOfImage } from './docker-images.ts'
import { checkReference, registryOf, withTag } from './image-reference.ts'

test('a reference without a tag means the latest', () => {
  for (const [reference, expected] of [
    ['nginx', 'nginx:latest'],
    ['nginx:1.15-4', 'nginx:1.15-4'],
    ['localhost:5000/nginx', 'localhost:5000/nginx:latest'],
    ['a.example/b@sha256:00', 'a.example/b@sha256:00'],
  ] as const)
    expect(withTag(reference)).toBe(expected)
})

test('the registry of a reference is its first part, if that looks like a host', () => {
  for (const [reference, expected] of [
    ['nginx', 'https://index.docker.io/v1/'],
    ['library/nginx', 'https://index.docker.io/v1/'],
    ['registry.example/a/b:1', 'registry.example'],
    ['localhost/a', 'localhost'],
    ['host:5000/a', 'host:5000'],
  ] as const)
    expect(registryOf(reference)).toBe(expected)
})

test('the user of an image is a number, a name, or root', () => {
  expect(['', '1001:1', 'nginx', '0'].map(userOfImage)).toEqual([
    { uid: 0 },
    { uid: 1001 },
    { name: 'nginx' },
    { uid: 0 },
  ])
})

test('what is no reference is refused before anything is asked', () => {
  for (const reference of [
    'busybox',
    'registry.k8s.io/e2e-test-images/agnhost:2.63.0',
    'localhost:5000/a/b_c__d--e:v1.2',
    `a.example/b:1@sha256:${'0'.repeat(64)}`,
    `sha256:${'a'.repeat(64)}`,
  ])
    checkReference(reference)
  for (const reference of [
    '',
    'Bad Ref',
    '../containers/x',
    'a/../b',
    'a?b=c',
    'a#b',
    'UPPER',
    'a:b:c',
    'x'.repeat(600),
  ])
    expect(() => checkReference(reference)).toThrow('invalid reference format')
})
