/** The validations of one policy over one request and one parameter: which of them fail, and with what words. Pure. */

import type { ValidatingAdmissionPolicy, Validation } from '../../../apis/admissionregistration/types.gen.ts'
import { REQUEST_COST_MAX } from '../../../machinery/cel/kubernetes/admission.ts'
import { byteLength } from '../../../machinery/meta/names.ts'
import type { CompiledValidatingPolicy } from './compiled-policy.ts'
import { type AdmissionBindings, type Evaluated, evaluateAll } from './expressions.ts'
import { evaluateMatchConditions } from './match-conditions.ts'

export interface Denial {
  readonly message: string
  /** Undefined: `Invalid`. */
  readonly reason: string | undefined
  /** Whether it is a refusal whatever the binding's actions are. */
  readonly isForced: boolean
  /** Which of the policy's validations it is of. */
  readonly index: number
}

export interface Findings {
  readonly denials: readonly Denial[]
  /** For the audit log, by the policy's own keys. */
  readonly annotations: readonly (readonly [string, string])[]
}

/** A longer message of a `messageExpression` is not used. */
const MESSAGE_BYTES_MAX = 5 * 1024

/** `bindings` makes names anew: with or without `authorizer`, which messages may not use. */
export function evaluateValidations(
  { spec }: ValidatingAdmissionPolicy,
  policy: CompiledValidatingPolicy,
  bindings: (withAuthorizer: boolean) => AdmissionBindings,
): Findings {
  const { failurePolicy } = spec
  const failure = (message: string, index = 0): readonly Denial[] =>
    failurePolicy === 'Ignore' ? [] : [{ message, reason: undefined, isForced: false, index }]
  const verdict = evaluateMatchConditions(policy.matchConditions, bindings(true), failurePolicy)
  if (verdict === 'matches-not') return { denials: [], annotations: [] }
  if (verdict !== 'matches') return { denials: failure(verdict.failure), annotations: [] }
  const evaluation = evaluateAll(policy.validations, bindings(true), REQUEST_COST_MAX)
  if ('failure' in evaluation) return { denials: failure(evaluation.failure), annotations: [] }
  const messages = evaluateAll(
    policy.validations.map(({ message }) => message),
    bindings(false),
    evaluation.budgetLeft,
  )
  const denials = policy.validations.flatMap(({ validation }, index) => {
    const result = evaluation.results[index]
    if (result === undefined) return []
    if ('failure' in result) return failure(result.failure, index)
    if ('failure' in messages) return failure(`failed messageExpression: ${messages.failure}`, index)
    if (result.value === true) return []
    const message = messageOf(validation, messages.results[index])
    return [{ message, reason: validation.reason, isForced: false, index }]
  })
  const { failures, annotations } = evaluateAnnotations(spec, policy, bindings(true))
  return { denials: failurePolicy === 'Ignore' ? denials : [...denials, ...failures], annotations }
}

function messageOf({ message = '', expression = '' }: Validation, evaluated: Evaluated | undefined): string {
  const made = evaluated !== undefined && 'value' in evaluated ? evaluated.value : undefined
  const text = typeof made === 'string' ? made.trim() : ''
  if (text !== '' && byteLength(text) <= MESSAGE_BYTES_MAX && !text.includes('\n')) return text
  return message.trim() || `failed expression: ${expression.trim()}`
}

/** Annotations whose value cannot be told deny the request, by the policy's own failure policy. */
function evaluateAnnotations(
  { auditAnnotations = [] }: ValidatingAdmissionPolicy['spec'],
  { annotations: expressions }: CompiledValidatingPolicy,
  names: AdmissionBindings,
): { readonly failures: readonly Denial[]; readonly annotations: Findings['annotations'] } {
  if (expressions.length === 0) return { failures: [], annotations: [] }
  const evaluation = evaluateAll(expressions, names, REQUEST_COST_MAX)
  const results = 'failure' in evaluation ? [evaluation] : evaluation.results
  const failures = results.flatMap((result, index) =>
    result !== undefined && 'failure' in result
      ? [{ message: result.failure, reason: undefined, isForced: true, index }]
      : [],
  )
  const annotations = results.flatMap((result, index) => {
    const { key } = auditAnnotations[index] ?? {}
    const text =
      result !== undefined && 'value' in result && typeof result.value === 'string' ? result.value.trim() : ''
    return key !== undefined && text !== '' ? [[key, text] as const] : []
  })
  return { failures, annotations }
}
