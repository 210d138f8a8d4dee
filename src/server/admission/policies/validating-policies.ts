/** ValidatingAdmissionPolicy: expressions that say whether a request may pass, and what becomes of it otherwise. */

import { validatingAdmissionPolicyBindings } from '../../../apis/admissionregistration/admission-policy-bindings.ts'
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '../../../apis/admissionregistration/types.gen.ts'
import { validatingAdmissionPolicies } from '../../../apis/admissionregistration/validating-admission-policy.ts'
import { whenThere } from '../../../base/awaitable.ts'
import { ApiError } from '../../../machinery/meta/api-error.ts'
import type { Authorization } from '../../auth/authorization.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import type { AdmissionPlugin } from '../plugin.ts'
import { refused } from '../refusal.ts'
import { isExempt } from '../webhooks/matching.ts'
import type { ReviewSubject } from '../webhooks/review.ts'
import { compiledOnce, compileValidatingPolicy } from './compiled-policy.ts'
import { AdmissionBindings, AuthorizerAnswers, type ExpressionInputs } from './expressions.ts'
import { type Invocation, invocationsFor, type PolicyParts, type Step } from './invocations.ts'
import { PolicyAnnotations } from './policy-annotations.ts'
import { namespaceOf, requestOf, subjectAs } from './subject.ts'
import { type Denial, evaluateValidations } from './validations.ts'

const KINDS = { policies: validatingAdmissionPolicies, bindings: validatingAdmissionPolicyBindings }

type Called = Invocation<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding>
type Steps = readonly Step<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding>[]

/** A denial with who made it. */
interface Attributed extends Denial {
  readonly policy: string
  readonly binding: string | undefined
}

export function validatingPolicies(
  parts: PolicyParts & { readonly authorization: Pick<Authorization, 'authorizer'> },
): AdmissionPlugin {
  const compiled = compiledOnce(compileValidatingPolicy)
  const check = async (steps: Steps, attributes: AdmissionAttributes): Promise<void> => {
    const answers = new AuthorizerAnswers(parts.authorization.authorizer, attributes)
    const namespace = await namespaceOf(attributes, parts.view)
    const denials: Attributed[] = []
    const annotations = new PolicyAnnotations()
    for (const step of steps) {
      const named = { policy: step.policy.metadata.name ?? '', binding: step.binding?.metadata.name }
      if ('message' in step) {
        const isFatal = step.policy.spec.failurePolicy !== 'Ignore'
        if (isFatal) denials.push({ ...named, message: step.message, reason: undefined, isForced: true, index: 0 })
        continue
      }
      const policy = compiled(step.policy)
      if (step.params.length === 0) continue
      const subject = await subjectAs(step.definition, attributes, parts.convert)
      for (const inputs of inputsOf(step, subject, { namespace, variables: policy.variables })) {
        const found = await answers.run((ask) =>
          evaluateValidations(step.policy, policy, (withAuthorizer) => {
            return new AdmissionBindings(inputs, attributes, withAuthorizer ? ask : undefined)
          }),
        )
        denials.push(...actedOn(step, found.denials, attributes).map((denial) => ({ ...named, ...denial })))
        annotations.add(named.policy, found.annotations)
      }
    }
    annotations.publish(attributes.audit)
    const [first] = denials
    if (first !== undefined) throw denied(attributes, first)
  }
  return {
    name: 'ValidatingAdmissionPolicy',
    operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
    validate(attributes) {
      if (isExempt(attributes)) return undefined
      return whenThere(invocationsFor(KINDS, attributes, parts), (steps) =>
        steps.length === 0 ? undefined : check(steps, attributes),
      )
    },
  }
}

/** What the expressions see: once for each parameter. */
function inputsOf(
  { params, policy }: Called,
  subject: ReviewSubject,
  common: Pick<ExpressionInputs, 'namespace' | 'variables'>,
): readonly ExpressionInputs[] {
  const { object, previous } = subject
  const request = requestOf(subject)
  const { apiVersion, kind } = policy.spec.paramKind ?? {}
  return params.map((param) => ({
    ...common,
    object,
    previous,
    request,
    params: param === null ? null : { ...param, apiVersion, kind },
  }))
}

/** The denials that the binding makes refusals; it may make them warnings, or notes in the audit log, instead. */
function actedOn({ policy, binding }: Called, denials: readonly Denial[], attributes: AdmissionAttributes) {
  const actions = binding.spec.validationActions ?? []
  const refusals: Denial[] = []
  for (const denial of denials) {
    if (denial.isForced || actions.includes('Deny')) refusals.push(denial)
    if (denial.isForced) continue
    if (actions.includes('Audit')) auditFailure(binding, denial, attributes)
    if (!actions.includes('Warn')) continue
    const who = `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}'`
    attributes.warn(`Validation failed for ${who}: ${denial.message}`)
  }
  return refusals
}

/** The first failure of a request is the one that is told. */
function auditFailure(
  { metadata, spec }: Called['binding'],
  { message, index }: Denial,
  { audit }: AdmissionAttributes,
): void {
  const { policyName: policy, validationActions } = spec
  const failure = { message, policy, binding: metadata.name, expressionIndex: index, validationActions }
  audit?.annotate('validation.policy.admission.k8s.io/validation_failure', JSON.stringify([failure]))
}

const CODES: ReadonlyMap<string, number> = new Map([
  ['Forbidden', 403],
  ['Unauthorized', 401],
  ['RequestEntityTooLarge', 413],
  ['Invalid', 422],
])

function denied(
  attributes: AdmissionAttributes,
  { policy, binding, message, reason = 'Invalid' }: Attributed,
): ApiError {
  const who = binding === undefined ? `'${policy}'` : `'${policy}' with binding '${binding}'`
  const text = `ValidatingAdmissionPolicy ${who} denied request: ${message}`
  const { status } = refused(attributes, text)
  const details = { ...status.details, causes: [{ message: text }] }
  return new ApiError(CODES.get(reason) ?? 422, reason, status.message ?? text, details)
}
