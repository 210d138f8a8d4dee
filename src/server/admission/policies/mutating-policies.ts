/** MutatingAdmissionPolicy: expressions that change what a request writes, one policy after the other. */

import { mutatingAdmissionPolicyBindings } from '../../../apis/admissionregistration/admission-policy-bindings.ts'
import { mutatingAdmissionPolicies } from '../../../apis/admissionregistration/mutating-admission-policy.ts'
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
} from '../../../apis/admissionregistration/types.gen.ts'
import { whenThere } from '../../../base/awaitable.ts'
import { deepEqual } from '../../../base/deep-equal.ts'
import { deepFreeze } from '../../../base/deep-freeze.ts'
import { messageOf } from '../../../base/error-text.ts'
import { REQUEST_COST_MAX } from '../../../machinery/cel/kubernetes/admission.ts'
import { ApiError } from '../../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { Authorization } from '../../auth/authorization.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import type { Convert } from '../converted.ts'
import type { AdmissionPlugin } from '../plugin.ts'
import { refused } from '../refusal.ts'
import type { Rounds } from '../rounds.ts'
import { isExempt } from '../webhooks/matching.ts'
import { inRequestForm } from '../webhooks/patched-object.ts'
import type { ReviewSubject } from '../webhooks/review.ts'
import {
  type CompiledMutatingPolicy,
  type CompiledMutation,
  compiledOnce,
  compileMutatingPolicy,
} from './compiled-policy.ts'
import { AdmissionBindings, AuthorizerAnswers, evaluateAll } from './expressions.ts'
import { type Invocation, invocationsFor, type PolicyParts, type Step } from './invocations.ts'
import { evaluateMatchConditions } from './match-conditions.ts'
import type { Params } from './params.ts'
import { withConfiguration, withJsonPatch } from './patches.ts'
import { namespaceOf, requestOf, subjectAs } from './subject.ts'

const KINDS = { policies: mutatingAdmissionPolicies, bindings: mutatingAdmissionPolicyBindings }

type Called = Invocation<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding>
type Steps = readonly Step<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding>[]
type Parts = PolicyParts & { readonly authorization: Pick<Authorization, 'authorizer'> }

/** What is remembered of one request. */
interface Memory {
  /** Invocations that want to see the object again when it changes after them. */
  readonly seen: Set<string>
  /** Those of them for which it did. */
  readonly again: Set<string>
  /** The object as the first round left it. */
  left: KubeObject | undefined
}

export function mutatingPolicies(parts: Parts): AdmissionPlugin {
  const compiled = compiledOnce(compileMutatingPolicy)
  const memories = new WeakMap<Rounds, Memory>()
  const memoryOf = (rounds: Rounds): Memory => {
    const memory = memories.get(rounds) ?? { seen: new Set(), again: new Set(), left: undefined }
    memories.set(rounds, memory)
    return memory
  }
  const mutated = async (steps: Steps, attributes: AdmissionAttributes, object: KubeObject, rounds: Rounds) => {
    const memory = memoryOf(rounds)
    const run: Run = {
      attributes,
      rounds,
      memory,
      convert: parts.convert,
      namespace: await namespaceOf(attributes, parts.view),
      answers: new AuthorizerAnswers(parts.authorization.authorizer, attributes),
    }
    if (rounds.current === 'second' && !deepEqual(object, memory.left)) seeAgain(memory)
    let current = object
    const failures: Failure[] = []
    for (const step of steps) {
      if ('message' in step) failures.push({ ...step, reason: undefined })
      else current = await applied(step, compiled(step.policy), current, run, failures)
    }
    memory.left = current
    throwFirst(attributes, failures)
    return current
  }
  return {
    name: 'MutatingAdmissionPolicy',
    operations: ['CREATE', 'UPDATE', 'CONNECT'],
    mutate(attributes, object, rounds) {
      if (isExempt(attributes)) return object
      return whenThere(invocationsFor(KINDS, attributes, parts), (steps) =>
        steps.length === 0 ? object : mutated(steps, attributes, object, rounds),
      )
    },
  }
}

interface Run {
  readonly attributes: AdmissionAttributes
  readonly rounds: Rounds
  readonly memory: Memory
  readonly convert: Convert
  readonly namespace: KubeObject | undefined
  readonly answers: AuthorizerAnswers
}

interface Failure {
  readonly policy: MutatingAdmissionPolicy
  readonly binding: MutatingAdmissionPolicyBinding | undefined
  readonly message: string
  readonly reason: string | undefined
}

function seeAgain({ seen, again }: Memory): void {
  for (const key of seen) again.add(key)
  seen.clear()
}

/** The object as the policy wants it, with each of the parameters in turn. */
async function applied(
  called: Called,
  compiled: CompiledMutatingPolicy,
  object: KubeObject,
  run: Run,
  failures: Failure[],
): Promise<KubeObject> {
  let current = object
  for (const params of called.params) {
    const subject = await subjectAs(called.definition, { ...run.attributes, object: current }, run.convert)
    const verdict = await run.answers.run((ask) =>
      evaluateMatchConditions(
        compiled.matchConditions,
        new AdmissionBindings(inputsOf(called, compiled, subject, params, run), run.attributes, ask),
        called.policy.spec.failurePolicy,
      ),
    )
    if (verdict === 'matches-not') continue
    if (verdict !== 'matches') {
      failures.push({ ...called, message: verdict.failure, reason: 'Invalid' })
      continue
    }
    const key = keyOf(called, params)
    if (run.rounds.current === 'second' && !run.memory.again.has(key)) continue
    const mutated = await mutatedBy(called, compiled, { ...subject, params }, run, failures)
    if (mutated !== undefined && !deepEqual(mutated, current)) {
      current = mutated
      seeAgain(run.memory)
      run.rounds.askForSecond()
    }
    if (called.policy.spec.reinvocationPolicy === 'IfNeeded') run.memory.seen.add(key)
  }
  return current
}

function keyOf({ policy, binding }: Called, params: Params): string {
  const param = params === null ? [] : [params.metadata.namespace ?? '', params.metadata.name ?? '']
  return JSON.stringify([policy.metadata.name, binding.metadata.name, ...param])
}

function inputsOf(
  { policy }: Called,
  { variables }: CompiledMutatingPolicy,
  subject: ReviewSubject,
  params: Params,
  { namespace }: Run,
) {
  const { apiVersion, kind } = policy.spec.paramKind ?? {}
  const { object, previous } = subject
  const named = params === null ? null : { ...params, apiVersion, kind }
  return { request: requestOf(subject), object, previous, namespace, variables, params: named }
}

/** The object after the policy's mutations, in the form of the request; undefined when there is none to change. */
async function mutatedBy(
  called: Called,
  compiled: CompiledMutatingPolicy,
  start: ReviewSubject & { readonly params: Params },
  run: Run,
  failures: Failure[],
): Promise<KubeObject | undefined> {
  let subject: ReviewSubject = start
  let result: KubeObject | undefined
  for (const mutation of compiled.mutations) {
    if (subject.object === undefined) return undefined
    try {
      const inputs = inputsOf(called, compiled, subject, start.params, run)
      const patched = await patchedBy(mutation, subject, subject.object, (evaluate) =>
        run.answers.run((ask) => evaluate(new AdmissionBindings(inputs, run.attributes, ask))),
      )
      result = deepFreeze(await inRequestForm(subject, patched, run.convert))
      subject = await subjectAs(called.definition, { ...run.attributes, object: result }, run.convert)
    } catch (error) {
      failures.push({ ...called, message: messageOf(error), reason: 'Invalid' })
    }
  }
  return result
}

/** Runs an evaluation with the names of the request. */
type WithNames = <T>(evaluate: (names: AdmissionBindings) => T) => Promise<T>

async function patchedBy(
  mutation: CompiledMutation,
  { definition }: ReviewSubject,
  object: KubeObject,
  withNames: WithNames,
): Promise<KubeObject> {
  const { compiled } = mutation
  if ('failure' in compiled) throw new Error(compiled.failure)
  const evaluation = await withNames((names) => evaluateAll([mutation], names, REQUEST_COST_MAX))
  if ('failure' in evaluation) throw new Error(evaluation.failure)
  const [result] = evaluation.results
  if (result === undefined || 'failure' in result) throw new Error(result?.failure ?? 'the expression has no result')
  return mutation.patchType === 'JSONPatch'
    ? withJsonPatch(object, result.value)
    : withConfiguration(object, result.value, definition.schema)
}

/** Throws the refusal that the failures are, but for those of policies that are to be ignored then. */
function throwFirst(attributes: AdmissionAttributes, failures: readonly Failure[]): void {
  const counted = failures.filter(({ policy }) => policy.spec.failurePolicy !== 'Ignore')
  const [first] = counted
  if (first === undefined) return
  const { status } = refused(attributes, 'admission request denied by policy')
  const causes = counted.map((failure) => ({ message: failureText(failure) }))
  throw new ApiError(403, first.reason ?? 'Forbidden', failureText(first), { ...status.details, causes })
}

function failureText({ policy, binding, message }: Failure): string {
  const name = policy.metadata.name ?? ''
  if (binding === undefined) return `policy ${JSON.stringify(name)} denied request: ${message}`
  return `policy '${name}' with binding '${binding.metadata.name}' denied request: ${message}`
}
