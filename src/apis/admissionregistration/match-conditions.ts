/** Match conditions: expressions that narrow down which requests a webhook or a policy sees. */

import { BOOL } from '../../machinery/cel/types.ts'
import { duplicate, type FieldError, type FieldPath, required, tooMany } from '../../machinery/meta/field-error.ts'
import { qualifiedNameErrors } from '../field-rules.ts'
import { type ExpressionRule, expressionRule } from './expressions.ts'
import type { MatchCondition } from './types.gen.ts'

const MATCH_CONDITIONS_MAX = 64

/** `hasParams`: the conditions may look at parameters. */
export function matchConditionsErrors(
  path: FieldPath,
  conditions: readonly MatchCondition[] | undefined = [],
  hasParams = false,
): readonly FieldError[] {
  const names = conditions.map(({ name }) => name)
  const rule = expressionRule({ hasParams, hasAuthorizer: true })
  return [
    ...(conditions.length > MATCH_CONDITIONS_MAX ? [tooMany(path, conditions.length, MATCH_CONDITIONS_MAX)] : []),
    ...conditions.flatMap((condition, index) => [
      ...matchConditionErrors(path.index(index), condition, rule),
      ...(condition.name && names.indexOf(condition.name) < index
        ? [duplicate(path.index(index).child('name'), condition.name)]
        : []),
    ]),
  ]
}

function matchConditionErrors(
  path: FieldPath,
  { name = '', expression = '' }: MatchCondition,
  rule: ExpressionRule,
): readonly FieldError[] {
  const expressionPath = path.child('expression')
  const trimmed = expression.trim()
  return [
    ...(trimmed === '' ? [required(expressionPath)] : rule(expressionPath, trimmed, [BOOL])),
    ...(name === '' ? [required(path.child('name'))] : qualifiedNameErrors(path.child('name'), name)),
  ]
}
