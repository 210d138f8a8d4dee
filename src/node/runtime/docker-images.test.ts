import { expect, test } from 'vitest'
import { registryOf, userOfImage, withTag } from './docker-images.ts'

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
