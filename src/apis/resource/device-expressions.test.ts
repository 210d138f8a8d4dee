import { describe, expect, test } from 'vitest'
import { FieldPath } from '../../machinery/meta/field-error.ts'
import { deviceExpressionErrors } from './device-expressions.ts'

const errors = (source: string) =>
  deviceExpressionErrors(new FieldPath('expression'), source).map(({ message }) => message)

/** Ten times as much work for every level. */
function nested(levels: number): string {
  const ten = '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]'
  return levels === 0 ? "'1'.find('[0-9]*') == '1'" : `${ten}.all(x${levels}, ${nested(levels - 1)})`
}

describe('an expression that chooses devices', () => {
  test.each([
    'true',
    'device.driver == "dra.example.com"',
    'device.allowMultipleAllocations',
    'device.attributes["dra.example.com"].healthy',
    'device.attributes["dra.example.com"].version.isGreaterThan(semver("0.0.1"))',
    'device.capacity["dra.example.com"].memory.isGreaterThan(quantity("1Mi"))',
    '"dra.example.com" in device.attributes && has(device.attributes["dra.example.com"].name)',
    'cel.bind(dra, device.attributes["dra.example.com"], dra.one && dra.another)',
  ])('may be %s', (source) => {
    expect(errors(source)).toEqual([])
  })

  test.each<readonly [string, string]>([
    ['1', 'Invalid value: "1": must evaluate to bool or the unknown type, not int'],
    ['device.driver', 'Invalid value: "device.driver": must evaluate to bool or the unknown type, not string'],
    ['device.name', 'Invalid value: "device.name": compilation failed: ERROR: <input>:1:7: undefined field \'name\''],
    [
      'object.a',
      'Invalid value: "object.a": compilation failed: ERROR: <input>:1:1: undeclared reference to \'object\'',
    ],
    [`"${'x'.repeat(10_240)}" == ""`, 'Too long: may not be more than 10240 bytes'],
    ['int("one") == 1', 'Internal error: program instantiation failed: '],
    [nested(7), 'Forbidden: too complex, exceeds cost limit'],
  ])('is not %#', (source, expected) => {
    expect(errors(source)).toEqual([expect.stringContaining(expected)])
  })
})
