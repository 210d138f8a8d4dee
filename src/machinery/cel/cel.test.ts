import { describe, expect, test } from 'vitest'
import { compile, estimateCost, kubernetesEnvironment } from './cel.ts'
import type { EnvironmentOptions } from './environment.ts'
import { jsonFromValue, valueFromJson } from './json-values.ts'
import { STARTS } from './syntax/grammar.ts'
import { BOOL, type CelType, DYN, INT, listType, mapType, objectType, STRING } from './types.ts'
import { CelError } from './values.ts'

function programOf(source: string, variables: EnvironmentOptions['variables'] = {}) {
  const compiled = compile(source, kubernetesEnvironment({ variables }))
  if ('issues' in compiled) throw new Error(compiled.text)
  return compiled.program
}

/** The value of an expression as JSON; the message when it has none. */
function valueOfText(source: string, self: unknown = null, type: CelType = DYN): unknown {
  const { value } = programOf(source, { self: type }).evaluate(new Map([['self', valueFromJson(self, type)]]))
  return value instanceof CelError ? value.message : jsonFromValue(value)
}

function textOf(source: string, variables: EnvironmentOptions['variables'] = {}): string {
  const compiled = compile(source, kubernetesEnvironment({ variables }))
  return 'issues' in compiled ? compiled.text : ''
}

const CONTAINER = objectType('Container', (name) => {
  if (name === 'name') return { type: { kind: 'string', maxSize: 63 } }
  if (name === '__namespace__') return { type: STRING, property: 'namespace' }
  return name === 'ports' ? { type: listType(INT, 10) } : undefined
})

describe('messages', () => {
  for (const [behaviour, source, expected] of [
    [
      'an unknown name',
      'object.spec > foo',
      "ERROR: <input>:1:15: undeclared reference to 'foo' (in container '')\n | object.spec > foo\n | ..............^",
    ],
    [
      'an operator without an overload',
      "1 + 'a'",
      "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n | 1 + 'a'\n | ..^",
    ],
    [
      'an end in the middle',
      'object.spec ==',
      `ERROR: <input>:1:15: Syntax error: mismatched input '<EOF>' expecting ${STARTS}\n | object.spec ==\n | ..............^`,
    ],
    ['an undefined field', 'self.nosuch', "ERROR: <input>:1:5: undefined field 'nosuch'\n | self.nosuch\n | ....^"],
    [
      'a pattern that is none',
      "'a'.matches('(')",
      "ERROR: <input>:1:13: invalid matches argument\n | 'a'.matches('(')\n | ............^",
    ],
    [
      'a list of mixed types',
      "[1, 'a']",
      "ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, 'a']\n | ....^",
    ],
    [
      'wide characters, marked by their width',
      "'é' + x",
      "ERROR: <input>:1:7: undeclared reference to 'x' (in container '')\n | 'é' + x\n | .．....^",
    ],
  ] as const) {
    test(`are cel-go's for ${behaviour}`, () => {
      expect(textOf(source, { object: DYN, self: CONTAINER })).toBe(expected)
    })
  }
})

describe('values over JSON', () => {
  test('are read by their declared types', () => {
    const self = { name: 'web', namespace: 'default', ports: [80, 443] }
    expect(valueOfText("self.name == 'web' && self.__namespace__ == 'default'", self, CONTAINER)).toBe(true)
    expect(valueOfText('self.ports.all(p, p > 0) && self.ports[1] == 443', self, CONTAINER)).toBe(true)
    expect(valueOfText('has(self.ports) && !has(self.name)', { ports: [] }, CONTAINER)).toBe(true)
    expect(valueOfText('self.name', { ports: [] }, CONTAINER)).toBe('no such key: name')
  })
  test('compare lists that are sets in any order, and lists with keys by their keys', () => {
    const type = mapType(STRING, { kind: 'list', element: STRING, identity: 'set' })
    expect(valueOfText('self.a == self.b', { a: ['x', 'y'], b: ['y', 'x'] }, type)).toBe(true)
    expect(valueOfText('(self.a + self.b).size()', { a: ['x', 'y'], b: ['y', 'z'] }, type)).toBe(3)
  })
  test('hold null where JSON does', () => {
    expect(valueOfText('self.a == null && has(self.a)', { a: null })).toBe(true)
    expect(valueOfText('self.?a.hasValue()', { a: null })).toBe(true)
  })
})

describe('functions of Kubernetes', () => {
  for (const [source, expected] of [
    ["quantity('1.5Gi').isGreaterThan(quantity('1Gi'))", true],
    ["quantity('50k').add(20).asInteger()", 50020],
    ["quantity('10Mi') == quantity('10240Ki')", true],
    ["isQuantity('1.3Gi') && !isQuantity('1,3')", true],
    ["ip('fe80::1').isLinkLocalUnicast() && ip('10.0.0.1').family() == 4", true],
    ["cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsCIDR('11.0.0.0/16')", true],
    ["string(cidr('192.168.1.7/24').masked())", '192.168.1.0/24'],
    ["isIP('::ffff:1.2.3.4')", false],
    ["url('https://example.com:80/a%20b?x=1&x=2').getHost()", 'example.com:80'],
    ["url('https://[::1]:80/').getHostname() + url('https://[::1]:80/').getPort()", '::180'],
    ["url('https://a/?x=1&x=2').getQuery()['x']", ['1', '2']],
    ["isURL('no url')", false],
    ["semver('v1.2', true).compareTo(semver('1.2.0'))", 0],
    ["semver('1.2.3-beta.2').isLessThan(semver('1.2.3-beta.11'))", true],
    ["!format.dns1123Label().validate('a.b').hasValue()", false],
    ["format.named('date').value().validate('2026-02-30').value()", ['invalid date']],
    ["'abc 123'.find('[0-9]+') + ['a', 'b'].join(',')", '123a,b'],
    ["'a1b22'.findAll('[0-9]+')", ['1', '22']],
    ["[3, 1, 2].sort() == [1, 2, 3] && ['b', 'a'].sortBy(x, x) == ['a', 'b']", true],
    ['[1, 2, 3].sum() == 6 && [1, 2].max() == 2 && lists.range(3) == [0, 1, 2]', true],
    ['sets.equivalent([1, 2, 1], [2, 1]) && [1, 1, 2].distinct() == [1, 2]', true],
    ["{'a': 1}.transformMap(k, v, v + 1)", { a: 2 }],
    ["'%s has %d'.format(['x', 3])", 'x has 3'],
    ["[1, 'x'].size() == 2", undefined],
    ['optional.of(1).optMap(x, x + 1).orValue(0)', 2],
  ] as const) {
    test(source, () => {
      if (expected === undefined) expect(textOf(source)).toContain("expected type 'int' but found 'string'")
      else expect(valueOfText(source)).toEqual(expected)
    })
  }
})

describe('cost', () => {
  const list = listType({ kind: 'string', maxSize: 10 }, 100)
  for (const [source, minimum, maximum] of [
    ['[1, 2, 3, 4, 5].sum()', 15, 15],
    ["url('https:://kubernetes.io/').getHost()", 4, 4],
    ["ip('2001:db8:3333:4444:5555:6666:7777:8888').isLoopback()", 5, 5],
    ["ip.isCanonical('2001:db8:3333:4444:5555:6666:7777:8888')", 8, 8],
    ["self.all(x, x.startsWith('a'))", 2, 502],
    ["self.exists(x, x == 'abc')", 2, 602],
  ] as const) {
    test(`of ${source} is estimated`, () => {
      expect(estimateCost(programOf(source, { self: list }))).toEqual({ min: minimum, max: maximum })
    })
  }
  test('is what evaluation adds up to, at most the estimate', () => {
    const program = programOf("self.all(x, x.startsWith('a'))", { self: list })
    const { cost } = program.evaluate(new Map([['self', valueFromJson(['a', 'ab'], list)]]))
    expect(cost).toBe(12)
    expect(cost).toBeLessThanOrEqual(estimateCost(program).max)
  })
  test('ends an evaluation that goes beyond the budget', () => {
    const { value, overBudget } = programOf('lists.range(1000000).all(x, x >= 0)').evaluate(new Map(), {
      costBudget: 10_000,
    })
    expect(overBudget).toBe(true)
    expect(value).toEqual(new CelError('operation cancelled: actual cost limit exceeded'))
  })
})

test('an empty expression has no place', () => {
  expect(textOf('')).toMatch(/^ERROR: <input>:1:0: Syntax error: mismatched input '<EOF>' expecting \{[^\n]*\}$/)
})

describe('hostile input', () => {
  test('nesting is refused beyond 250', () => {
    const limit = 'ERROR: <input>:-1:0: expression recursion limit exceeded: 250'
    expect(textOf(`${'('.repeat(300)}1${')'.repeat(300)}`)).toBe(limit)
    expect(textOf(`${'['.repeat(300)}${']'.repeat(300)}`)).toBe(limit)
    expect(textOf(`1${'+1'.repeat(300)}`)).toBe('ERROR: <input>:-1:0: max recursion depth exceeded')
  })
  test('a long chain of || is no deep one', () => {
    expect(valueOfText(Array.from({ length: 2_000 }, () => 'false').join('||'))).toBe(false)
  })
  test('length is refused beyond 100,000 characters', () => {
    expect(textOf(`'${'a'.repeat(100_000)}'`)).toContain(
      'expression code point size exceeds limit: size: 100002, limit 100000',
    )
  })
  test('types that double with every name are refused', () => {
    const source = Array.from({ length: 40 }, (_, index) => `[{v${index}: v${index}}].map(v${index + 1}, `).join('')
    expect(textOf(`[1].map(v0, ${source}v40${')'.repeat(41)}`)).toContain('too complex')
  })
  test('patterns take linear time', () => {
    expect(valueOfText("self.matches('(a+)+$')", `${'a'.repeat(5_000)}b`)).toBe(false)
  })
  test('keys of Object.prototype are no keys', () => {
    expect(valueOfText("has(self.constructor) || 'toString' in self || self.?__proto__.hasValue()", {})).toBe(false)
  })
  test('results of impossible length are errors', () => {
    expect(valueOfText("self.replace('', self)", 'a'.repeat(20_000))).toBe('string is too long')
  })
})

test('a program says what it reads and what it evaluates to', () => {
  const program = programOf('self.exists(x, x == other)', { self: listType(STRING), other: STRING })
  expect(program.type).toEqual(BOOL)
  expect([...program.variables]).toEqual(['self', 'other'])
})
