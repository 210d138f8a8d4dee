/** `quantity('1.5Gi')` and what can be asked of quantities. */

import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  type Quantity,
  quantityFromValue,
  quantityText,
  subtractQuantities,
  toFloat,
} from '../../meta/quantity.ts'
import type { Library } from '../declarations.ts'
import { costing, declare, member, overload } from '../library/declare.ts'
import { BOOL, DOUBLE, INT, opaqueType, STRING } from '../types.ts'
import { CelError, OpaqueValue, type Result } from '../values.ts'
import { type Amount, addAmounts, amountOf, wholeAmount } from './amounts.ts'
import { nominal, perCharacter } from './costs.ts'

export const QUANTITY = opaqueType('kubernetes.Quantity')

class QuantityValue extends OpaqueValue {
  readonly type = QUANTITY
  readonly quantity: Quantity
  readonly amount: Amount | undefined
  constructor(quantity: Quantity, amount: Amount | undefined) {
    super()
    this.quantity = quantity
    this.amount = amount
  }
  equals(other: OpaqueValue): boolean {
    return other instanceof QuantityValue && compareQuantities(this.quantity, other.quantity) === 0
  }
  override toString(): string {
    return quantityText(this.quantity)
  }
}

function parse(text: string): Result {
  const quantity = parseQuantity(text)
  return typeof quantity === 'string' ? new CelError(quantity) : new QuantityValue(quantity, amountOf(text))
}

const isInteger = ({ amount }: QuantityValue): boolean => wholeAmount(amount) !== undefined

function asInteger({ amount }: QuantityValue): Result {
  return wholeAmount(amount) ?? new CelError('cannot convert value to integer')
}

function plus(left: QuantityValue, right: QuantityValue): QuantityValue {
  return new QuantityValue(addQuantities(left.quantity, right.quantity), addAmounts(left.amount, right.amount))
}

function minus(left: QuantityValue, right: QuantityValue): QuantityValue {
  const subtracted = right.amount && { ...right.amount, value: -right.amount.value }
  return new QuantityValue(subtractQuantities(left.quantity, right.quantity), addAmounts(left.amount, subtracted))
}

function sign({ quantity: { nano } }: QuantityValue): bigint {
  return nano === 0n ? 0n : nano > 0n ? 1n : -1n
}

const order = (left: QuantityValue, right: QuantityValue): number => compareQuantities(left.quantity, right.quantity)

const whole = (value: bigint): QuantityValue =>
  new QuantityValue(quantityFromValue(value, 'DecimalSI'), { value, scale: 0 })

export const QUANTITIES: Library = {
  name: 'kubernetes.quantity',
  functions: [
    declare('quantity', costing(perCharacter, [overload('string_to_quantity', [STRING], QUANTITY, parse)])),
    declare(
      'isQuantity',
      costing(perCharacter, [
        overload('is_quantity_string', [STRING], BOOL, (text: string) => typeof parseQuantity(text) !== 'string'),
      ]),
    ),
    declare('sign', costing(nominal, [overload('quantity_sign', [QUANTITY], INT, sign)])),
    declare(
      'isGreaterThan',
      costing(nominal, [
        member(
          'quantity_is_greater_than',
          [QUANTITY, QUANTITY],
          BOOL,
          (left: QuantityValue, right: QuantityValue) => order(left, right) > 0,
        ),
      ]),
    ),
    declare(
      'isLessThan',
      costing(nominal, [
        member(
          'quantity_is_less_than',
          [QUANTITY, QUANTITY],
          BOOL,
          (left: QuantityValue, right: QuantityValue) => order(left, right) < 0,
        ),
      ]),
    ),
    declare(
      'compareTo',
      costing(nominal, [
        member('quantity_compare_to', [QUANTITY, QUANTITY], INT, (left: QuantityValue, right: QuantityValue) =>
          BigInt(order(left, right)),
        ),
      ]),
    ),
    declare(
      'asApproximateFloat',
      costing(nominal, [
        member('quantity_get_float', [QUANTITY], DOUBLE, ({ quantity }: QuantityValue) => toFloat(quantity)),
      ]),
    ),
    declare('asInteger', costing(nominal, [member('quantity_get_int', [QUANTITY], INT, asInteger)])),
    declare('isInteger', costing(nominal, [member('quantity_is_integer', [QUANTITY], BOOL, isInteger)])),
    declare(
      'add',
      costing(nominal, [
        member('quantity_add', [QUANTITY, QUANTITY], QUANTITY, plus),
        member('quantity_add_int', [QUANTITY, INT], QUANTITY, (left: QuantityValue, right: bigint) =>
          plus(left, whole(right)),
        ),
      ]),
    ),
    declare(
      'sub',
      costing(nominal, [
        member('quantity_sub', [QUANTITY, QUANTITY], QUANTITY, minus),
        member('quantity_sub_int', [QUANTITY, INT], QUANTITY, (left: QuantityValue, right: bigint) =>
          minus(left, whole(right)),
        ),
      ]),
    ),
  ],
}
