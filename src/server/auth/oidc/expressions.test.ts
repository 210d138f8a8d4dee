import { describe, expect, test } from 'vitest'
import { compileMapping, evaluateClaims, readsClaim } from './expressions.ts'

function programOf(source: string) {
  const compiled = compileMapping(source)
  if ('failure' in compiled) throw new Error(compiled.failure)
  return compiled.program
}

const claims = {
  sub: 'jane',
  exp: 1_800_000_000,
  groups: ['a', { 'deep.er': 1 }],
  'kubernetes.io': { 'pod-name': 'p', namespace: 'n' },
  'x/y': true,
  __proto__: { admin: true },
}

describe('claims', () => {
  for (const [source, value] of [
    ['claims.sub', 'jane'],
    ['claims.exp', 1_800_000_000],
    ['claims.exp > 1', true],
    ['string(claims.exp)', '1.8e+09'],
    ['claims.kubernetes__dot__io.pod__dash__name', 'p'],
    ['claims["kubernetes.io"]["pod-name"]', 'p'],
    ['claims.kubernetes__dot__io.__namespace__', 'n'],
    ['claims.x__slash__y', true],
    ['claims.groups[1].deep__dot__er', 1],
    ['has(claims.nobody)', false],
    ['has(claims.kubernetes__dot__io)', true],
    ['claims.?nobody.orValue("x")', 'x'],
    ['"sub" in claims', true],
    ['"admin" in claims', false],
  ] as const)
    test(source, () => expect(evaluateClaims(programOf(source), claims)).toBe(value))

  for (const [source, failure] of [
    ['claims.nobody', 'no such key: nobody'],
    ['claims.toString', 'no such key: toString'],
    ['claims.sub + 1', 'no such overload'],
  ] as const)
    test(`${source} fails`, () => expect(() => evaluateClaims(programOf(source), claims)).toThrow(failure))

  test('evaluation ends when it has cost enough', () => {
    const list = '[1,2,3,4,5,6,7,8,9,10]'
    const source = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].reduceRight(
      (inner, name) => `${list}.all(${name}, ${inner})`,
      'true',
    )
    expect(() => evaluateClaims(programOf(source), claims)).toThrow('actual cost limit exceeded')
  })

  test('are no list before they are said to be one, as upstream has it', () => {
    expect(compileMapping('claims.groups.map(g, g)')).toEqual({
      failure: expect.stringContaining("expression of type 'any' cannot be range of a comprehension"),
    })
    expect(compileMapping('dyn(claims.groups).map(g, g)')).toHaveProperty('program')
  })
})

describe('a claim is read', () => {
  for (const [source, expected] of [
    ['claims.email', true],
    ['claims.?email.orValue("")', true],
    ['has(claims.email)', true],
    ['[claims.email]', true],
    ['{"a": claims.email}["a"]', true],
    ['["x"].exists(x, x == claims.email)', true],
    ['claims.sub.startsWith(claims.email)', true],
    ['claims.email_verified', false],
    ['claims.other.email', false],
    ['"email"', false],
  ] as const)
    test(`${source}: ${expected}`, () => expect(readsClaim(programOf(source), 'email')).toBe(expected))
})
