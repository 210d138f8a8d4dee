/**
 * Expressions over the claims of a token (`claims`) and over the user that they make (`user`): compiled, evaluated
 * within a budget, and looked into for the claims that they read.
 */

import { compile, kubernetesEnvironment, type Program } from '../../../machinery/cel/cel.ts'
import type { Environment } from '../../../machinery/cel/environment.ts'
import { CALL_COST_MAX } from '../../../machinery/cel/kubernetes/admission.ts'
import type { Expression } from '../../../machinery/cel/syntax/ast.ts'
import { ANY, type CelType, listType, mapType, objectType, STRING } from '../../../machinery/cel/types.ts'
import { CelError, type CelValue } from '../../../machinery/cel/values.ts'
import type { UserInfo } from '../../../machinery/wire/message.ts'
import { valueOfClaims } from './claim-values.ts'
import type { Claims } from './id-token.ts'

export type Compiled = { readonly program: Program } | { readonly failure: string }

const USER_FIELDS: Readonly<Record<string, CelType>> = {
  username: STRING,
  uid: STRING,
  groups: listType(STRING),
  extra: mapType(STRING, listType(STRING)),
}

const USER = objectType('kubernetes.UserInfo', (name) => {
  const type = Object.hasOwn(USER_FIELDS, name) ? USER_FIELDS[name] : undefined
  return type && { type }
})

const CLAIMS_ENVIRONMENT = kubernetesEnvironment({ variables: { claims: mapType(STRING, ANY) } })
const USER_ENVIRONMENT = kubernetesEnvironment({ variables: { user: USER } })

/** To anything: what a claim is is known with the token only. */
export function compileMapping(source: string): Compiled {
  return compiled(source, CLAIMS_ENVIRONMENT)
}

export function compileClaimRule(source: string): Compiled {
  return compiledRule(source, CLAIMS_ENVIRONMENT)
}

export function compileUserRule(source: string): Compiled {
  return compiledRule(source, USER_ENVIRONMENT)
}

function compiled(source: string, environment: Environment): Compiled {
  const result = compile(source, environment)
  if ('issues' in result) return { failure: `compilation failed: ${result.text}` }
  const { program } = result
  return program.failure === undefined ? { program } : { failure: `program instantiation failed: ${program.failure}` }
}

function compiledRule(source: string, environment: Environment): Compiled {
  const result = compiled(source, environment)
  return 'failure' in result || result.program.type.kind === 'bool' ? result : { failure: 'must evaluate to bool' }
}

/** Throws what the expression fails with. */
export function evaluateClaims(program: Program, claims: Claims): CelValue {
  return evaluated(program, new Map([['claims', valueOfClaims(claims)]]))
}

/** Throws what the expression fails with. */
export function evaluateUser(program: Program, { name, uid = '', groups, extra = {} }: UserInfo): CelValue {
  return evaluated(program, new Map([['user', valueOfClaims({ username: name, uid, groups, extra })]]))
}

function evaluated(program: Program, bindings: ReadonlyMap<string, CelValue>): CelValue {
  const { value } = program.evaluate(bindings, { costBudget: CALL_COST_MAX })
  if (!(value instanceof CelError)) return value
  throw new Error(`expression '${program.source}' resulted in error: ${value.message}`)
}

/** Whether `claims.<name>` or `claims.?<name>` is somewhere in the expression. */
export function readsClaim({ checked }: Program, name: string): boolean {
  return reads(checked.expression, name)
}

function isClaims(expression: Expression | undefined): boolean {
  return expression?.kind === 'identifier' && expression.name === 'claims'
}

function reads(expression: Expression, name: string): boolean {
  const within = (...parts: readonly (Expression | undefined)[]) =>
    parts.some((part) => part !== undefined && reads(part, name))
  switch (expression.kind) {
    case 'literal':
    case 'identifier':
      return false
    case 'select':
      return (isClaims(expression.operand) && expression.field === name) || within(expression.operand)
    case 'call': {
      const [first, second] = expression.values
      const isOptional = expression.name === '_?._' && isClaims(first)
      if (isOptional && second?.kind === 'literal' && second.value === name) return true
      return within(expression.target, ...expression.values)
    }
    case 'list':
      return within(...expression.elements)
    case 'map':
      return within(...expression.entries.flatMap(({ key, value }) => [key, value]))
    case 'object':
      return within(...expression.fields.map(({ value }) => value))
    case 'comprehension': {
      const { range, initial, condition, step, result } = expression
      return within(range, initial, condition, step, result)
    }
  }
}
