/** Which policies a request calls for: each with the bindings that apply, and each binding with its parameters. */

import type { MatchResources, ParamKind, ParamRef } from '../../../apis/admissionregistration/types.gen.ts'
import type { ResourceDefinition } from '../../../apis/definition.ts'
import { type Awaitable, whenThere } from '../../../base/awaitable.ts'
import { messageOf } from '../../../base/error-text.ts'
import { byCodeUnit } from '../../../base/group-by.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import { type ParamParts, type Params, paramDefinition, paramsOf } from './params.ts'
import { type MatchParts, matchedAs } from './subject.ts'

export interface Policy extends KubeObject {
  readonly spec: {
    readonly paramKind?: ParamKind | undefined
    readonly matchConstraints?: MatchResources | undefined
    readonly failurePolicy?: string | undefined
  }
}

export interface Binding extends KubeObject {
  readonly spec: {
    readonly policyName?: string | undefined
    readonly paramRef?: ParamRef | undefined
    readonly matchResources?: MatchResources | undefined
  }
}

export interface Invocation<P extends Policy, B extends Binding> {
  readonly policy: P
  readonly binding: B
  readonly definition: ResourceDefinition
  /** Empty when there are none and that is no failure. */
  readonly params: readonly Params[]
}

/** A policy, or one of its bindings, that cannot be evaluated. */
export interface ConfigurationFailure<P extends Policy, B extends Binding> {
  readonly policy: P
  readonly binding: B | undefined
  readonly message: string
}

export type PolicyParts = MatchParts & ParamParts

export interface PolicyKinds<P extends Policy, B extends Binding> {
  readonly policies: ResourceDefinition<P>
  readonly bindings: ResourceDefinition<B>
}

export type Step<P extends Policy, B extends Binding> = Invocation<P, B> | ConfigurationFailure<P, B>

/** In order of the policies' names, and of the names of their bindings. At once where there are no policies. */
export function invocationsFor<P extends Policy, B extends Binding>(
  kinds: PolicyKinds<P, B>,
  attributes: AdmissionAttributes,
  parts: PolicyParts,
): Awaitable<readonly Step<P, B>[]> {
  return whenThere(parts.view.list(kinds.policies), (policies) =>
    policies.length === 0 ? [] : allSteps(policies, kinds.bindings, attributes, parts),
  )
}

async function allSteps<P extends Policy, B extends Binding>(
  policies: readonly P[],
  kind: ResourceDefinition<B>,
  attributes: AdmissionAttributes,
  parts: PolicyParts,
): Promise<readonly Step<P, B>[]> {
  const bindings = inOrder(await parts.view.list(kind))
  const steps: Step<P, B>[] = []
  for (const policy of inOrder(policies)) {
    const own = bindings.filter(({ spec }) => spec.policyName === policy.metadata.name)
    if (own.length > 0) steps.push(...(await stepsOf(policy, own, attributes, parts)))
  }
  return steps
}

function inOrder<T extends KubeObject>(objects: readonly T[]): readonly T[] {
  return objects.toSorted((left, right) => byCodeUnit(left.metadata.name ?? '', right.metadata.name ?? ''))
}

async function stepsOf<P extends Policy, B extends Binding>(
  policy: P,
  bindings: readonly B[],
  attributes: AdmissionAttributes,
  parts: PolicyParts,
): Promise<readonly Step<P, B>[]> {
  const { matchConstraints, paramKind } = policy.spec
  try {
    const definition = await matchedAs(matchConstraints, attributes, parts)
    if (definition === undefined) return []
    const paramsDefinition = paramKind && paramDefinition(paramKind, parts)
    const steps: Step<P, B>[] = []
    for (const binding of bindings) {
      const step = await stepOf({ policy, binding, definition }, paramsDefinition, attributes, parts)
      if (step !== undefined) steps.push(step)
    }
    return steps
  } catch (error) {
    return [{ policy, binding: undefined, message: `failed to configure policy: ${messageOf(error)}` }]
  }
}

async function stepOf<P extends Policy, B extends Binding>(
  invocation: Omit<Invocation<P, B>, 'params'>,
  paramsDefinition: ResourceDefinition | undefined,
  attributes: AdmissionAttributes,
  parts: PolicyParts,
): Promise<Step<P, B> | undefined> {
  const { policy, binding } = invocation
  const { matchResources, paramRef } = binding.spec
  try {
    if ((await matchedAs(matchResources, attributes, parts)) === undefined) return undefined
    const params = await paramsOf(paramsDefinition, paramRef, attributes.namespace, parts)
    return { ...invocation, params }
  } catch (error) {
    return { policy, binding, message: `failed to configure binding: ${messageOf(error)}` }
  }
}
