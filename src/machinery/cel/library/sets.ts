/** Lists as sets: `sets.contains`, `sets.equivalent`, `sets.intersects`. */

import type { Library } from '../declarations.ts'
import { sizeForCost } from '../evaluate/actual-cost.ts'
import { equal } from '../operators/equality.ts'
import { BOOL, listType } from '../types.ts'
import type { CelValue, ListValue } from '../values.ts'
import { A, costingFirst, declare, overload } from './declare.ts'

function holds(list: ListValue, value: CelValue): boolean {
  for (let index = 0; index < list.length; index++) if (equal(list.at(index), value)) return true
  return false
}

function contains(list: ListValue, part: ListValue): boolean {
  for (let index = 0; index < part.length; index++) if (!holds(list, part.at(index))) return false
  return true
}

function intersects(left: ListValue, right: ListValue): boolean {
  for (let index = 0; index < left.length; index++) if (holds(right, left.at(index))) return true
  return false
}

const product =
  (factor: number) =>
  ([left, right]: readonly CelValue[]) =>
    1 + sizeForCost(left) * sizeForCost(right) * factor

const LIST = listType(A)

export const SETS: Library = {
  name: 'cel.lib.ext.sets',
  functions: [
    declare(
      'sets.contains',
      costingFirst(product(1), [overload('list_sets_contains_list', [LIST, LIST], BOOL, contains)]),
    ),
    declare(
      'sets.equivalent',
      costingFirst(product(2), [
        overload(
          'list_sets_equivalent_list',
          [LIST, LIST],
          BOOL,
          (left: ListValue, right: ListValue) => contains(left, right) && contains(right, left),
        ),
      ]),
    ),
    declare(
      'sets.intersects',
      costingFirst(product(1), [overload('list_sets_intersects_list', [LIST, LIST], BOOL, intersects)]),
    ),
  ],
}
