import { describe, expect, test } from 'vitest'
import { documentAt, isSound, versionAt } from './remote-path.ts'

describe('the version that a path belongs to', () => {
  test.each([
    ['/apis/example.com/v1', { group: 'example.com', version: 'v1' }],
    ['/apis/example.com/v1/', { group: 'example.com', version: 'v1' }],
    ['/apis/example.com/v1/namespaces/a/gadgets/b/status', { group: 'example.com', version: 'v1' }],
    ['/apis/example%2Ecom/v%31/gadgets', { group: 'example.com', version: 'v1' }],
    ['/openapi/v3/apis/example.com/v1', undefined],
    ['/apis/example.com', undefined],
    ['/apis/example.com/', undefined],
    ['/apis', undefined],
    ['/api/v1/pods', undefined],
    ['/openapi/v2', undefined],
    ['//apis/example.com/v1', undefined],
    ['apis/example.com/v1', undefined],
    ['/apis/example.com/%zz', undefined],
  ])('%s', (path, place) => expect(versionAt(path)).toEqual(place))
})

test('documents about versions and groups have names', () => {
  expect(documentAt('/openapi/v3/apis/example.com/v1')).toBe('apis/example.com/v1')
  expect(documentAt('/openapi/v3/apis/example.com')).toBe('apis/example.com')
  expect(documentAt('/openapi/v3/api/v1')).toBeUndefined()
  expect(documentAt('/apis/example.com/v1')).toBeUndefined()
})

describe('a path that everybody reads alike', () => {
  test.each([
    ['/apis/example.com/v1', false, true],
    ['/apis/example.com/v1/', false, true],
    ['/apis/example.com/v1/gadgets', true, true],
    ['/apis/example.com/v1/namespaces/a/gadgets/b/portforward/22/tcp', true, true],
    // What is below a version and was not read as a resource was judged as a path, which everybody may see.
    ['/apis/example.com/v1//gadgets', false, false],
    ['/apis/example.com/v1/namespaces/../gadgets', false, false],
    ['/apis/example.com/v1/namespaces/a/gadgets/b/proxy/../../c', true, false],
    ['/apis/example.com/v1/namespaces/a/gadgets/b/proxy/%2e%2E/c', true, false],
    ['/apis/example.com/v1/namespaces/a/gadgets/b/proxy/..%2f..%2Fc', true, false],
    ['/apis/example.com/v1/namespaces/a/gadgets/b/proxy/c%2fd', true, true],
    ['/apis/example.com/v1/namespaces/a/gadgets/b\\..\\c', true, false],
    ['/apis/example.com/v1/namespaces/a/gadgets/b/proxy/.', true, false],
    ['/openapi/v3/apis/example.com/v1', false, true],
  ])('%s', (path, isResource, sound) => expect(isSound(path, isResource)).toBe(sound))
})
