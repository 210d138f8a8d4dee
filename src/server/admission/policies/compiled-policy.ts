/** Policies with their expressions compiled: once per generation of a policy, however many requests there are. */

import type {
  MatchCondition,
  MutatingAdmissionPolicy,
  ParamKind,
  ValidatingAdmissionPolicy,
  Validation,
  Variable,
} from '../../../apis/admissionregistration/types.gen.ts'
import { LruMap } from '../../../base/lru.ts'
import type { Environment } from '../../../machinery/cel/environment.ts'
import {
  APPLY_CONFIGURATION,
  admissionEnvironment,
  compileExpression,
  JSON_PATCH_OPERATION,
  variablesType,
} from '../../../machinery/cel/kubernetes/admission.ts'
import { BOOL, type CelType, DYN, listType, mapType, NULL, STRING } from '../../../machinery/cel/types.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { NamedExpression, SourcedExpression } from './expressions.ts'
import { compileMatchConditions, type MatchConditions } from './match-conditions.ts'

interface CompiledPolicy {
  readonly variables: readonly NamedExpression[]
  readonly matchConditions: MatchConditions
}

export interface CompiledValidation extends SourcedExpression {
  readonly validation: Validation
  readonly message: SourcedExpression | undefined
}

export interface CompiledValidatingPolicy extends CompiledPolicy {
  readonly validations: readonly CompiledValidation[]
  readonly annotations: readonly SourcedExpression[]
}

export interface CompiledMutatingPolicy extends CompiledPolicy {
  readonly mutations: readonly CompiledMutation[]
}

export interface CompiledMutation extends SourcedExpression {
  readonly patchType: 'ApplyConfiguration' | 'JSONPatch'
}

/** Policies that are kept compiled; those that are in use are far fewer. */
const POLICIES_MAX = 500

/** Compiles what it has not compiled yet. */
export function compiledOnce<Policy extends KubeObject, Compiled>(
  compile: (policy: Policy) => Compiled,
): (policy: Policy) => Compiled {
  const known = new LruMap<string, Compiled>(POLICIES_MAX)
  return (policy) => {
    const { uid = '', generation = 0 } = policy.metadata
    const key = `${uid}/${generation}`
    const compiled = known.get(key) ?? compile(policy)
    known.set(key, compiled)
    return compiled
  }
}

export function compileValidatingPolicy({ spec }: ValidatingAdmissionPolicy): CompiledValidatingPolicy {
  const { validations = [], auditAnnotations = [] } = spec
  const { environment, ...common } = compileCommon(spec, { hasAuthorizer: true, hasPatchTypes: false })
  const plain = withVariables(admissionEnvironment({ hasParams: hasParams(spec.paramKind) }), common.types)
  return {
    ...common,
    validations: validations.map((validation) => ({
      ...sourced(validation.expression, environment, [BOOL]),
      validation,
      message: validation.messageExpression ? sourced(validation.messageExpression, plain, [STRING]) : undefined,
    })),
    annotations: auditAnnotations.map(({ valueExpression }) => sourced(valueExpression, environment, [STRING, NULL])),
  }
}

export function compileMutatingPolicy({ spec }: MutatingAdmissionPolicy): CompiledMutatingPolicy {
  const { environment, ...common } = compileCommon(spec, { hasAuthorizer: true, hasPatchTypes: true })
  return {
    ...common,
    mutations: (spec.mutations ?? []).map(({ patchType, applyConfiguration, jsonPatch }) =>
      patchType === 'JSONPatch'
        ? { patchType, ...sourced(jsonPatch?.expression, environment, [listType(JSON_PATCH_OPERATION)]) }
        : {
            patchType: 'ApplyConfiguration',
            ...sourced(applyConfiguration?.expression, environment, [APPLY_CONFIGURATION]),
          },
    ),
  }
}

interface CommonSpec {
  readonly paramKind?: ParamKind | undefined
  readonly variables?: readonly Variable[] | undefined
  readonly matchConditions?: readonly MatchCondition[] | undefined
}

interface Common extends CompiledPolicy {
  readonly environment: Environment
  /** What `variables` has, for further environments. */
  readonly types: ReadonlyMap<string, CelType>
}

function compileCommon(
  spec: CommonSpec,
  names: { readonly hasAuthorizer: boolean; readonly hasPatchTypes: boolean },
): Common {
  const types = new Map<string, CelType>()
  const environment = withVariables(admissionEnvironment({ ...names, hasParams: hasParams(spec.paramKind) }), types)
  const variables = (spec.variables ?? []).map(({ name = '', expression = '' }) => {
    // A variable sees those before it: its own type comes to the others once it is known.
    const compiled = compileExpression(expression, environment)
    types.set(name, 'failure' in compiled ? DYN : declaredType(compiled.program.type))
    return { name, source: expression, compiled }
  })
  return { environment, types, variables, matchConditions: compileMatchConditions(spec.matchConditions, environment) }
}

function hasParams(kind: ParamKind | undefined): boolean {
  return kind !== undefined
}

function withVariables(environment: Environment, types: ReadonlyMap<string, CelType>): Environment {
  return environment.extend({ variables: { variables: variablesType(types) } })
}

const SIMPLE = ['any', 'bool', 'bytes', 'double', 'duration', 'int', 'null_type', 'string', 'timestamp', 'uint']

/** The type a variable has for those after it; objects of declared types are anything to them. */
function declaredType(type: CelType): CelType {
  if (type.kind === 'list') return listType(declaredType(type.element))
  if (type.kind === 'map') return mapType(declaredType(type.key), declaredType(type.value))
  return SIMPLE.includes(type.kind) ? type : DYN
}

function sourced(
  source: string | undefined = '',
  environment: Environment,
  returns: readonly CelType[],
): SourcedExpression {
  return { source, compiled: compileExpression(source, environment, returns) }
}
