/** Rules for the conditions of a status, in upstream's words. */

import {
  duplicate,
  type FieldError,
  type FieldPath,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from '../machinery/meta/field-error.ts'
import { byteLength } from '../machinery/meta/names.ts'
import { qualifiedNameErrors } from './field-rules.ts'
import type { Condition } from './meta/types.gen.ts'

const STATUSES = ['False', 'True', 'Unknown']
const REASON_FORMAT = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?'
const REASON_RULE =
  'a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric ' +
  "characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or " +
  `'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '${REASON_FORMAT}')`
const REASON_BYTES_MAX = 1024
const MESSAGE_BYTES_MAX = 32 * 1024

/** Each condition well-formed, each type once. */
export function conditionsErrors(path: FieldPath, conditions: readonly Condition[] | undefined): FieldError[] {
  const types = (conditions ?? []).map(({ type }) => type)
  return (conditions ?? []).flatMap((condition, index) => [
    ...(types.indexOf(condition.type) < index ? [duplicate(path.index(index).child('type'), condition.type)] : []),
    ...conditionErrors(path.index(index), condition),
  ])
}

function conditionErrors(path: FieldPath, condition: Condition): readonly FieldError[] {
  const { type = '', status = '', observedGeneration = 0, lastTransitionTime, message = '' } = condition
  const generationPath = path.child('observedGeneration')
  return [
    ...qualifiedNameErrors(path.child('type'), type),
    ...(STATUSES.includes(status) ? [] : [notSupported(path.child('status'), status, STATUSES)]),
    ...(observedGeneration < 0
      ? [invalidValue(generationPath, observedGeneration, 'must be greater than or equal to zero')]
      : []),
    ...(lastTransitionTime ? [] : [required(path.child('lastTransitionTime'))]),
    ...reasonErrors(path.child('reason'), condition.reason ?? ''),
    ...(byteLength(message) > MESSAGE_BYTES_MAX ? [tooLong(path.child('message'), MESSAGE_BYTES_MAX)] : []),
  ]
}

function reasonErrors(path: FieldPath, reason: string): readonly FieldError[] {
  if (reason === '') return [required(path)]
  return [
    ...(new RegExp(`^(?:${REASON_FORMAT})$`).test(reason) ? [] : [invalidValue(path, reason, REASON_RULE)]),
    ...(byteLength(reason) > REASON_BYTES_MAX ? [tooLong(path, REASON_BYTES_MAX)] : []),
  ]
}
