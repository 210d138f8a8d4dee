/** Expressions that say which requests a webhook authorizer is asked about, over `request`: a SubjectAccessReview's spec. */

import type { SubjectAccessReviewSpec } from '../../../apis/authorization/types.gen.ts'
import type { Clock } from '../../../base/clock.ts'
import { kubernetesEnvironment, type Program } from '../../../machinery/cel/cel.ts'
import { valueFromJson } from '../../../machinery/cel/json-values.ts'
import {
  CALL_COST_MAX,
  type CompiledExpression,
  compileExpression,
} from '../../../machinery/cel/kubernetes/admission.ts'
import { BOOL, type CelType, listType, mapType, objectType, STRING } from '../../../machinery/cel/types.ts'
import { CelError } from '../../../machinery/cel/values.ts'
import { aggregated } from '../texts.ts'
import type { AuthorizationMetrics } from './authorization-metrics.ts'

/** Whether the webhook is asked; an error where that cannot be told. */
export type Matcher = (spec: SubjectAccessReviewSpec) => boolean | Error

export interface MatcherParts {
  /** Of the webhook, for metrics. */
  readonly name: string
  readonly clock: Clock
  readonly metrics: AuthorizationMetrics
}

function typeOf(name: string, fields: Readonly<Record<string, CelType>>): CelType {
  return objectType(`kubernetes.${name}`, (field) => {
    const type = Object.hasOwn(fields, field) ? fields[field] : undefined
    return type && { type }
  })
}

const REQUIREMENT = typeOf('SelectorRequirement', { key: STRING, operator: STRING, values: listType(STRING) })
const SELECTOR = { rawSelector: STRING, requirements: listType(REQUIREMENT) }
const REQUEST = typeOf('SubjectAccessReviewSpec', {
  resourceAttributes: typeOf('ResourceAttributes', {
    namespace: STRING,
    verb: STRING,
    group: STRING,
    version: STRING,
    resource: STRING,
    subresource: STRING,
    name: STRING,
    fieldSelector: typeOf('FieldSelectorAttributes', SELECTOR),
    labelSelector: typeOf('LabelSelectorAttributes', SELECTOR),
  }),
  nonResourceAttributes: typeOf('NonResourceAttributes', { path: STRING, verb: STRING }),
  user: STRING,
  groups: listType(STRING),
  extra: mapType(STRING, listType(STRING)),
  uid: STRING,
})

const ENVIRONMENT = kubernetesEnvironment({ variables: { request: REQUEST } })

export function compileMatchCondition(expression: string): CompiledExpression {
  return compileExpression(expression, ENVIRONMENT, [BOOL])
}

/** All must hold. One that does not hold decides, whatever goes wrong elsewhere. Expressions have been compiled once. */
export function createMatcher(expressions: readonly string[], { name, clock, metrics }: MatcherParts): Matcher {
  const labels = { type: 'Webhook', name }
  const programs = expressions.map((expression) => {
    const compiled = compileMatchCondition(expression)
    if ('failure' in compiled) throw new Error(compiled.failure)
    return compiled.program
  })
  if (programs.length === 0) return () => true
  return (spec) => {
    const startMs = clock.monotonic()
    const result = evaluate(programs, spec)
    metrics.matchConditionSeconds(labels, (clock.monotonic() - startMs) / 1_000)
    if (result === false) metrics.matchConditionExclusions(labels)
    if (typeof result === 'object') metrics.matchConditionErrors(labels)
    return result
  }
}

function evaluate(programs: readonly Program[], spec: SubjectAccessReviewSpec): boolean | Error {
  const bindings = new Map([['request', valueFromJson(completed(spec), REQUEST)]])
  const failures: string[] = []
  for (const { source, evaluate: run } of programs) {
    const { value } = run(bindings, { costBudget: CALL_COST_MAX })
    if (value === false) return false
    if (value instanceof CelError)
      failures.push(`cel evaluation error: expression '${source}' resulted in error: ${value.message}`)
  }
  return failures.length === 0 ? true : new Error(aggregated(failures))
}

/** Every text and list is there for expressions, however empty. */
function completed({ resourceAttributes, nonResourceAttributes, ...who }: SubjectAccessReviewSpec): object {
  const what = { namespace: '', verb: '', group: '', version: '', resource: '', subresource: '', name: '' }
  return {
    user: who.user ?? '',
    groups: who.groups ?? [],
    uid: who.uid ?? '',
    extra: who.extra ?? {},
    ...(resourceAttributes && { resourceAttributes: { ...what, ...present(resourceAttributes) } }),
    ...(nonResourceAttributes && { nonResourceAttributes }),
  }
}

function present(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
