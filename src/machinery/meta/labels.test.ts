import { describe, expect, test } from 'vitest'
import { ApiError } from './api-error.ts'
import { rootPath } from './field-error.ts'
import {
  everythingSelector,
  type LabelSelector,
  labelSelectorText,
  nothingSelector,
  parseLabelSelector,
  selectorFromLabelSelector,
  selectorFromLabels,
  validateLabelSelector,
} from './labels.ts'

const KEY_RULE =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " +
  "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is " +
  "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

function messageOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof ApiError) return error.message
    throw error
  }
  return 'no error'
}

describe('canonical text', () => {
  test.each([
    ['', ''],
    ['x=a,y=b,z=c', 'x=a,y=b,z=c'],
    ['y=b , x==a', 'x==a,y=b'],
    ['x!=a', 'x!=a'],
    ['x in (c,a,b)', 'x in (a,b,c)'],
    ['x notin (a)', 'x notin (a)'],
    ['x in ()', 'x in ()'],
    ['x in (,a)', 'x in (,a)'],
    ['x in (a,,b)', 'x in (,a,b)'],
    ['x,!y', 'x,!y'],
    ['x>1,y<5', 'x>1,y<5'],
    ['x=', 'x='],
    ['in in (in,notin)', 'in in (in,notin)'],
    ['x=in', 'x=in'],
    ['a.example.com/b=1', 'a.example.com/b=1'],
  ])('%s', (text, canonical) => {
    const selector = parseLabelSelector(text)
    expect(String(selector)).toBe(canonical)
    expect(String(parseLabelSelector(String(selector)))).toBe(canonical)
  })
})

describe('errors', () => {
  test.each([
    ['x=a||y=b', 'unable to parse requirement: values[0][x]: Invalid value: "a||y": a valid label must'],
    ['x==a==b', "found '==', expected: ',' or 'end of string'"],
    ['!x=a', "found '=', expected: ',' or 'end of string'"],
    ['x in a', "unable to parse requirement: found 'a' expected: '('"],
    ['x in (a b)', "unable to parse requirement: found 'b', expected: ',' or ')'"],
    ['x in (a', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['x y', "unable to parse requirement: found 'y', expected: in, notin, =, ==, !=, gt, lt"],
    ['x,,y', "found ',', expected: identifier after ','"],
    ['x,', "found '', expected: identifier after ','"],
    ['=a', "found '=', expected: !, identifier, or 'end of string'"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['_x', `unable to parse requirement: <nil>: Invalid value: "_x": ${KEY_RULE}`],
    ['x>a', "Invalid value: \"a\": for 'Gt', 'Lt' operators, the value must be an integer"],
  ])('%s', (text, message) => {
    expect(messageOf(() => parseLabelSelector(text))).toContain(message)
  })
})

describe('matching', () => {
  const labels = { app: 'web', tier: 'front', size: '10' }
  test.each([
    ['', true],
    ['app=web', true],
    ['app==db', false],
    ['app!=db,missing!=x', true],
    ['app in (web,db)', true],
    ['app notin (web)', false],
    ['missing notin (web)', true],
    ['app,!missing', true],
    ['!app', false],
    ['size>9,size<11', true],
    ['app>1', false],
    ['missing<1', false],
    ['constructor', false],
    ['__proto_', false],
  ])('%s', (text, expected) => {
    const matches =
      text === '__proto_'
        ? selectorFromLabels({ toString: 'x' }).matches(labels)
        : parseLabelSelector(text).matches(labels)
    expect(matches).toBe(expected)
  })

  test('everything and nothing', () => {
    expect([everythingSelector.matches({}), everythingSelector.nothing]).toEqual([true, false])
    expect([nothingSelector.matches({}), nothingSelector.nothing]).toEqual([false, true])
    expect(everythingSelector.matches(undefined)).toBe(true)
  })
})

describe('LabelSelector objects', () => {
  test('absent selects nothing, empty selects everything', () => {
    expect(selectorFromLabelSelector(undefined).matches({ a: 'b' })).toBe(false)
    expect(selectorFromLabelSelector({}).matches({ a: 'b' })).toBe(true)
  })

  test('become text', () => {
    const selector: LabelSelector = {
      matchLabels: { b: '1', a: '2' },
      matchExpressions: [
        { key: 'c', operator: 'In', values: ['y', 'x'] },
        { key: 'd', operator: 'Exists' },
        { key: 'e', operator: 'DoesNotExist', values: [] },
        { key: 'f', operator: 'NotIn', values: ['z'] },
      ],
    }
    expect(labelSelectorText(selector)).toBe('a=2,b=1,c in (x,y),d,!e,f notin (z)')
  })

  test('print for scales and tables', () => {
    expect([labelSelectorText({}), labelSelectorText(undefined)]).toEqual(['', ''])
    expect(labelSelectorText({ matchExpressions: [{ key: 'a', operator: 'Near' }] })).toBe('<error>')
  })

  test('an unknown operator is refused', () => {
    const selector = { matchExpressions: [{ key: 'a', operator: 'Near' }] }
    expect(messageOf(() => selectorFromLabelSelector(selector))).toBe('"Near" is not a valid label selector operator')
  })

  test.each<[string, LabelSelector, readonly string[]]>([
    ['valid', { matchLabels: { a: 'b' } }, []],
    [
      'values missing',
      { matchExpressions: [{ key: 'a', operator: 'In' }] },
      ["selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"],
    ],
    [
      'values in the way',
      { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] },
      [
        "selector.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or " +
          "'DoesNotExist'",
      ],
    ],
    [
      'operator and key',
      { matchExpressions: [{ key: '_', operator: 'Gt' }] },
      [
        'selector.matchExpressions[0].operator: Invalid value: "Gt": not a valid selector operator',
        `selector.matchExpressions[0].key: Invalid value: "_": ${KEY_RULE}`,
      ],
    ],
  ])('validates: %s', (_name, selector, expected) => {
    const errors = validateLabelSelector(selector, rootPath.child('selector'))
    expect(errors.map(({ path, message }) => `${path}: ${message}`)).toEqual(expected)
  })
})
