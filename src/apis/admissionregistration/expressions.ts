/**
 * Expressions of policies and match conditions, compiled to see whether they can be: against what they may name, and
 * to what they must come. Whoever evaluates them compiles them anew.
 */

import type { Environment } from '../../machinery/cel/environment.ts'
import {
  type AdmissionNames,
  admissionEnvironment,
  compileExpression,
  variablesType,
} from '../../machinery/cel/kubernetes/admission.ts'
import { type CelType, DYN } from '../../machinery/cel/types.ts'
import type { FieldError, FieldPath } from '../../machinery/meta/field-error.ts'
import { expressionErrors } from '../expression-errors.ts'

/** What is wrong with an expression; `shown` is how the message repeats it. */
export type ExpressionRule = (
  path: FieldPath,
  source: string,
  returns: readonly CelType[],
  shown?: string,
) => readonly FieldError[]

const environments = new Map<string, Environment>()

/** Environments are made once for each combination of names: they are never changed. */
function environmentOf(names: AdmissionNames): Environment {
  const key = JSON.stringify([names.hasParams ?? false, names.hasAuthorizer ?? false, names.hasPatchTypes ?? false])
  const known = environments.get(key)
  if (known !== undefined) return known
  const environment = admissionEnvironment(names)
  environments.set(key, environment)
  return environment
}

export function expressionRule(names: AdmissionNames): ExpressionRule {
  return ruleIn(environmentOf(names))
}

function ruleIn(environment: Environment): ExpressionRule {
  return (path, source, returns, shown = source) => {
    const compiled = compileExpression(source, environment, returns)
    return 'failure' in compiled ? expressionErrors(path, shown, compiled) : []
  }
}

/** The expressions of one policy, of which later ones may name the variables before them. */
export interface PolicyExpressions {
  /** A variable's expression comes to anything; later ones know to what. */
  variable(path: FieldPath, name: string, source: string): readonly FieldError[]
  /** The rule for expressions that may also name these. */
  rule(names: AdmissionNames): ExpressionRule
}

/** `composes`: there are `variables` to be named, though there may be none of them. */
export function policyExpressions(hasParams: boolean, composes: boolean): PolicyExpressions {
  const types = new Map<string, CelType>()
  const environmentFor = (names: AdmissionNames): Environment => {
    const environment = environmentOf(names)
    return composes ? environment.extend({ variables: { variables: variablesType(types) } }) : environment
  }
  return {
    variable(path, name, source) {
      const compiled = compileExpression(source, environmentFor({ hasParams, hasAuthorizer: true }))
      // What is wrong with a variable is said once, and not of everything that names it.
      types.set(name, 'failure' in compiled ? DYN : compiled.program.type)
      return 'failure' in compiled ? expressionErrors(path, source, compiled) : []
    },
    rule: (names) => ruleIn(environmentFor(names)),
  }
}
