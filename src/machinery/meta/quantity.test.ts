import { describe, expect, test } from 'vitest'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  isNegative,
  isZero,
  milliValue,
  multiplyQuantity,
  negateQuantity,
  parseQuantity,
  quantityFromMilli,
  quantityFromValue,
  quantityOf,
  quantityText,
  roundUpToMilli,
  subtractQuantities,
  toFloat,
  toNumber,
} from './quantity.ts'

describe('canonical text, value and thousandths', () => {
  test.each([
    ['0', '0', 0, 0],
    ['100m', '100m', 1, 100],
    ['1500m', '1500m', 2, 1500],
    ['0.5', '500m', 1, 500],
    ['1.500', '1.500', 2, 1500],
    ['.5', '500m', 1, 500],
    ['1.', '1.', 1, 1000],
    ['1.G', '1.G', 1e9, 1e12],
    ['010', '010', 10, 10_000],
    ['+5', '+5', 5, 5000],
    ['.', '0', 0, 0],
    ['Ki', '0', 0, 0],
    ['1Ki', '1Ki', 1024, 1_024_000],
    ['8Ki', '8Ki', 8192, 8_192_000],
    ['1024Ki', '1Mi', 1_048_576, 1_048_576_000],
    ['1025Ki', '1025Ki', 1_049_600, 1_049_600_000],
    ['1.5Gi', '1536Mi', 1_610_612_736, 1_610_612_736_000],
    ['0.1Gi', '107374182400m', 107_374_183, 107_374_182_400],
    ['0.5Ki', '512', 512, 512_000],
    ['0.0001Ki', '102400u', 1, 103],
    ['1e3', '1e3', 1000, 1_000_000],
    ['1e+3', '1e+3', 1000, 1_000_000],
    ['1e2', '100', 100, 100_000],
    ['1e-10', '1e-9', 1, 1],
    ['0.0000000001', '1n', 1, 1],
    ['1000n', '1u', 1, 1],
    ['1000k', '1M', 1e6, 1e9],
    ['1000000', '1M', 1e6, 1e9],
    ['-1.5', '-1500m', -2, -1500],
    ['-0.5Gi', '-512Mi', -536_870_912, -536_870_912_000],
    ['1234567890123456789', '1234567890123456789', 1_234_567_890_123_456_789n, undefined],
    ['16Ei', '9223372036854775807', 9_223_372_036_854_775_807n, undefined],
  ])('%s', (text, canonical, value, milli) => {
    expect(canonicalQuantity(text)).toBe(canonical)
    expect(toNumber(text)).toBe(Number(value))
    if (milli !== undefined) expect(milliValue(text)).toBe(milli)
  })
})

describe('what is no quantity', () => {
  const format = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
  const suffix = "unable to parse quantity's suffix"
  test.each([
    ['', format],
    ['1.1.M', format],
    ['1+1.0M', format],
    ['aoeu', format],
    [' 1', format],
    ['0.1mi', suffix],
    ['1i', suffix],
    ['1ee3', suffix],
    ['-3.01e-', suffix],
    ['1e999999999', suffix],
  ])('%s', (text, expected) => expect(parseQuantity(text)).toBe(expected))

  test('a number longer than any real one is refused without computing it', () => {
    expect(parseQuantity('9'.repeat(100_000))).toBe('unable to parse numeric part of quantity')
  })
})

test('blanks around a client’s text are forgiven', () => expect(canonicalQuantity(' 1Gi ')).toBe('1Gi'))

test('canonical text stays what it is', () => {
  for (const text of ['1536Mi', '107374182400m', '102400u', '1e-9', '-512Mi', '100'])
    expect(canonicalQuantity(text)).toBe(text)
})

describe('arithmetic', () => {
  const text = (quantity: ReturnType<typeof quantityOf>): string => quantityText(quantity)
  const of = quantityOf

  test('adds exactly and keeps the left format', () => {
    expect(text(addQuantities(of('1Gi'), of('512Mi')))).toBe('1536Mi')
    expect(text(addQuantities(of('100m'), of('0.9')))).toBe('1')
    expect(text(addQuantities(of('1G'), of('1Gi')))).toBe('2073741824')
  })
  test('a zero takes the other format', () => {
    expect(text(addQuantities(of('0'), of('2048Ki')))).toBe('2Mi')
    expect(text(subtractQuantities(of('0'), of('1Ki')))).toBe('-1Ki')
  })
  test('subtracts, multiplies, negates, compares', () => {
    expect(text(subtractQuantities(of('1'), of('250m')))).toBe('750m')
    expect(text(multiplyQuantity(of('250m'), 6))).toBe('1500m')
    expect(text(negateQuantity(of('1Ki')))).toBe('-1Ki')
    expect(compareQuantities(of('1000m'), of('1'))).toBe(0)
    expect(compareQuantities(of('1Gi'), of('1G'))).toBe(1)
    expect(compareQuantities(of('1k'), of('1Ki'))).toBe(-1)
  })
  test('knows zero and negative', () => {
    expect([isZero(of('0Ki')), isZero(of('1n')), isNegative(of('-1')), isNegative(of('0'))]).toEqual([
      true,
      false,
      true,
      false,
    ])
  })
  test('makes quantities from numbers and rounds to thousandths', () => {
    expect(text(quantityFromValue(2_147_483_648, 'BinarySI'))).toBe('2Gi')
    expect(text(quantityFromMilli(1500, 'DecimalSI'))).toBe('1500m')
    expect(text(roundUpToMilli(of('1u')))).toBe('1m')
    expect(toFloat(of('250m'))).toBe(0.25)
  })
  test('text that is no quantity counts as zero where validation has run', () => {
    expect([toNumber('nonsense'), toNumber(undefined), toNumber(3)]).toEqual([0, 0, 3])
  })
})
