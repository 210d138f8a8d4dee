/**
 * JSON as CEL values and back. A value over JSON is a view: wrapping an object of any size costs one allocation,
 * and what an expression touches is converted when it is touched, by the type it was declared with.
 */

import type { CelType } from './types.ts'
import type { CelValue } from './values.ts'

/**
 * The value of JSON that is declared to have a type. Numbers become int or double, strings with a declared
 * `bytes`, `timestamp` or `duration` type are parsed; under `dyn` whole numbers are ints and objects are maps.
 */
export function valueFromJson(_json: unknown, _type: CelType): CelValue {
  throw new Error('lands within the hour')
}
