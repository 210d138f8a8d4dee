import { describe, expect, test } from 'vitest'
import { mediaTypeCovers, parseAccept, parseMediaType } from './content-type.ts'

describe('parseMediaType', () => {
  for (const [text, type, parameters] of [
    ['application/json', 'application/json', {}],
    ['Application/JSON; Charset=UTF-8', 'application/json', { charset: 'UTF-8' }],
    ['application/json;as=Table;v=v1;g=meta.k8s.io', 'application/json', { as: 'Table', v: 'v1', g: 'meta.k8s.io' }],
    ['text/plain; a="x;\\"y"; b=1', 'text/plain', { a: 'x;"y', b: '1' }],
    ['application/json;', 'application/json', {}],
  ] as const)
    test(`reads ${text}`, () => {
      const media = parseMediaType(text)
      expect(media?.type).toBe(type)
      expect(Object.fromEntries(media?.parameters ?? [])).toEqual(parameters)
    })

  for (const text of ['', 'json', 'a/b/c', 'application/json; broken', 'a b/c'])
    test(`refuses ${JSON.stringify(text)}`, () => expect(parseMediaType(text)).toBeUndefined())
})

describe('parseAccept', () => {
  for (const [header, expected] of [
    [undefined, ['*/*']],
    ['application/yaml;q=0.5, application/json', ['application/json', 'application/yaml']],
    ['*/*, text/*, text/html', ['text/html', 'text/*', '*/*']],
    ['application/json;q=0, text/plain', ['text/plain']],
    ['nonsense, application/json', ['application/json']],
  ] as const)
    test(`orders ${header}`, () => expect(parseAccept(header).map(({ type }) => type)).toEqual(expected))
})

test('a wildcard covers what it stands for', () => {
  expect(mediaTypeCovers('*/*', 'a/b')).toBe(true)
  expect(mediaTypeCovers('application/*', 'application/json')).toBe(true)
  expect(mediaTypeCovers('application/*', 'text/plain')).toBe(false)
})
