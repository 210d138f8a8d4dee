/** What kube-apiserver 1.36 answers, collected with policies whose message is the expression's value. */

import { expect, test } from 'vitest'
import { compile, kubernetesEnvironment } from './cel.ts'
import { CelError } from './values.ts'

const ENVIRONMENT = kubernetesEnvironment({})

const ADDRESS = 'parse error during conversion from string: ParseAddr'
const BLOCK = `network address ${ADDRESS.replace(': ParseAddr', '')}: network address parse error during conversion from string`

test.each([
  ['"%.2e".format([1234.567])', '1.234567×10⁰³'],
  ['"%d".format([1234567])', '1234567'],
  ['"%s".format([[1.5, "a"]])', '[1.500000, "a"]'],
  ['string(timestamp("2020-01-02T03:04:05+02:00") + duration("1h"))', '2020-01-02T04:04:05+02:00'],
  ['timestamp("2020-01-02T03:04:05+02:00").getHours()', 1n],
  ['dyn(1).contains("a")', 'error: no such overload'],
  ['dyn(1).lowerAscii()', 'error: no such overload: lowerAscii(int)'],
  ['size(dyn(1))', 'error: no such overload: size'],
  ['dyn("abc").map(x, x)', "error: got 'types.String', expected iterable type"],
  ['has(dyn(1).x)', false],
  ['dyn("abc")[0]', 'error: no such key: 0'],
  ['dyn([1])["x"]', "error: unsupported index type 'string' in list"],
  ['dyn([1])[1.5]', 'error: unsupported index value 1.5 in list'],
  ['quantity("1Gi").isInteger()', true],
  ['quantity("1Pi").isInteger()', false],
  ['quantity("1.0").isInteger()', false],
  ['quantity("500m").add(quantity("500m")).isInteger()', false],
  ['dyn(quantity("1")) == "1"', 'error: no such overload'],
  ['ip("1.2.3.04")', `error: IP Address "1.2.3.04" ${ADDRESS}("1.2.3.04"): IPv4 field has octet with leading zero`],
  ['ip("1::2::3")', `error: IP Address "1::2::3" ${ADDRESS}("1::2::3"): multiple :: in address (at ":3")`],
  ['cidr("::1/129")', `error: ${BLOCK}: netip.ParsePrefix("::1/129"): prefix length out of range`],
  ['cidr("10.0.0.0/8").containsIP("x")', 'error: no such overload'],
  ['semver("1.02.3")', 'error: Minor number must not contain leading zeroes "02"'],
  ['semver("1.2-a", true)', 'error: short version cannot contain PreRelease/Build meta data'],
])('%s is %s', (source, expected) => {
  const compiled = compile(source, ENVIRONMENT)
  if ('issues' in compiled) throw new Error(compiled.text)
  const { value } = compiled.program.evaluate(new Map())
  expect(value instanceof CelError ? `error: ${value.message}` : value).toBe(expected)
})

test.each([
  ['(1', "missing ')' at '<EOF>'"],
  ['[1', "mismatched input '<EOF>' expecting {']', ','}"],
  ['[1,', "missing ']' at '<EOF>'"],
  ['{1 2}', "missing ':' at '2'"],
  ['[1 2]', "extraneous input '2' expecting {']', ','}"],
  ['-', "no viable alternative at input '-'"],
  ['"%d".format(["a"])', 'decimal clause can only be used on integers, was given string'],
  ['cel.bind(x, 1, x)', "undeclared reference to 'cel' (in container '')"],
])('%s is refused: %s', (source, expected) => {
  const compiled = compile(source, ENVIRONMENT)
  expect('issues' in compiled ? compiled.text : '').toContain(expected)
})

test.each([
  ['int("x")', "type conversion error from 'string' to 'int'"],
  ['"a".find("(")', 'error parsing regexp: missing closing ): `(`'],
])('%s is no program', (source, failure) => {
  const compiled = compile(source, ENVIRONMENT)
  expect('issues' in compiled ? '' : compiled.program.failure).toBe(failure)
})
