/** Conditions that must become true, or must not, before a pod is bound to a node with a device. */

import { duplicate, type FieldError, type FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import { qualifiedNameErrors } from '../field-rules.ts'
import { boundedList } from './bounded-lists.ts'

const CONDITIONS_MAX = 4

interface BindingParameters {
  readonly bindingConditions?: readonly string[] | undefined
  readonly bindingFailureConditions?: readonly string[] | undefined
}

export function bindingErrors(path: FieldPath, parameters: BindingParameters): readonly FieldError[] {
  const { bindingConditions: good = [], bindingFailureConditions: bad = [] } = parameters
  const goodPath = path.child('bindingConditions')
  const badPath = path.child('bindingFailureConditions')
  const overlap = 'bindingFailureConditions must not overlap with bindingConditions'
  return [
    ...boundedList(goodPath, good, CONDITIONS_MAX, qualifiedNameErrors),
    ...boundedList(badPath, bad, CONDITIONS_MAX, qualifiedNameErrors),
    ...good.flatMap((name, index) => repeated(goodPath, good, name, index)),
    ...bad.flatMap((name, index) => [
      ...repeated(badPath, bad, name, index),
      ...(good.includes(name) ? [invalidValue(badPath.index(index), name, overlap)] : []),
    ]),
    ...(good.length === 0 && bad.length > 0
      ? [
          invalidValue(
            goodPath,
            parameters.bindingConditions,
            'bindingConditions are required to use bindingFailureConditions',
          ),
        ]
      : []),
    ...(bad.length === 0 && good.length > 0
      ? [
          invalidValue(
            badPath,
            parameters.bindingFailureConditions,
            'bindingFailureConditions are required to use bindingConditions',
          ),
        ]
      : []),
  ]
}

function repeated(path: FieldPath, list: readonly string[], name: string, index: number): readonly FieldError[] {
  return list.indexOf(name) < index ? [duplicate(path.index(index), name)] : []
}
