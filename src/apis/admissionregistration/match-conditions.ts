/** Match conditions: expressions that narrow down which requests a webhook or a policy sees. */

import { duplicate, type FieldError, type FieldPath, required, tooMany } from '../../machinery/meta/field-error.ts'
import { qualifiedNameErrors } from '../field-rules.ts'
import type { MatchCondition } from './types.gen.ts'

const MATCH_CONDITIONS_MAX = 64

export function matchConditionsErrors(
  path: FieldPath,
  conditions: readonly MatchCondition[] | undefined = [],
): readonly FieldError[] {
  const names = conditions.map(({ name }) => name)
  return [
    ...(conditions.length > MATCH_CONDITIONS_MAX ? [tooMany(path, conditions.length, MATCH_CONDITIONS_MAX)] : []),
    ...conditions.flatMap((condition, index) => [
      ...matchConditionErrors(path.index(index), condition),
      ...(condition.name && names.indexOf(condition.name) < index
        ? [duplicate(path.index(index).child('name'), condition.name)]
        : []),
    ]),
  ]
}

function matchConditionErrors(path: FieldPath, { name = '', expression = '' }: MatchCondition): readonly FieldError[] {
  return [
    ...(expression.trim() === '' ? [required(path.child('expression'))] : []),
    ...(name === '' ? [required(path.child('name'))] : qualifiedNameErrors(path.child('name'), name)),
  ]
}
