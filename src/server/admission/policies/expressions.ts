/**
 * Evaluates expressions of admission over one request: within budgets, with lazy `variables`, and with an
 * `authorizer` whose answers may have to be waited for.
 */

import { valueFromJson } from '../../../machinery/cel/json-values.ts'
import {
  CALL_COST_MAX,
  type CompiledExpression,
  NAMESPACE_TYPE,
  REQUEST_TYPE,
  variablesType,
} from '../../../machinery/cel/kubernetes/admission.ts'
import {
  type AskAuthorizer,
  type AuthorizationAnswer,
  type AuthorizationQuestion,
  authorizerValue,
  resourceCheckValue,
} from '../../../machinery/cel/kubernetes/authorizer.ts'
import { DYN } from '../../../machinery/cel/types.ts'
import { CelError, type CelValue, ObjectValue, type Result } from '../../../machinery/cel/values.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import { type Attributes, type Authorizer, fieldLimits, labelLimits } from '../../auth/authorizer.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'

/** What expressions look at. */
export interface ExpressionInputs {
  /** The AdmissionRequest as JSON. */
  readonly request: unknown
  readonly object: KubeObject | undefined
  readonly previous: KubeObject | undefined
  /** `null` where the policy has parameters and the binding none. */
  readonly params?: KubeObject | null | undefined
  readonly namespace?: KubeObject | undefined
  readonly variables?: readonly NamedExpression[] | undefined
}

export interface NamedExpression {
  readonly name: string
  readonly source: string
  readonly compiled: CompiledExpression
}

export type Evaluated = { readonly value: CelValue } | { readonly failure: string }

export interface Evaluation {
  /** One per expression, in order; holes where there was no expression. */
  readonly results: readonly (Evaluated | undefined)[]
  readonly budgetLeft: number
}

/** The text when a policy's budget is used up. */
const OUT_OF_BUDGET = 'validation failed due to running out of cost budget, no further validation rules will be run'

export interface SourcedExpression {
  readonly source: string
  readonly compiled: CompiledExpression
}

/** All expressions in order within one budget; a text instead when it does not suffice. */
export function evaluateAll(
  expressions: readonly (SourcedExpression | undefined)[],
  names: AdmissionBindings,
  budget: number,
): Evaluation | { readonly failure: string } {
  let budgetLeft = budget
  const results: (Evaluated | undefined)[] = []
  for (const expression of expressions) {
    if (expression === undefined) {
      results.push(undefined)
      continue
    }
    const { compiled, source } = expression
    if ('failure' in compiled) {
      results.push({ failure: `compilation error: ${compiled.failure}` })
      continue
    }
    const { value, cost } = compiled.program.evaluate(names, { costBudget: CALL_COST_MAX })
    budgetLeft -= cost + names.takeVariablesCost()
    if (budgetLeft < 0) return { failure: OUT_OF_BUDGET }
    const isError = value instanceof CelError
    results.push(isError ? { failure: `expression '${source}' resulted in error: ${value.message}` } : { value })
  }
  return { results, budgetLeft }
}

/** The names of expressions, made when they are asked for and kept for the request. */
export class AdmissionBindings {
  private readonly known = new Map<string, Result>()
  private readonly inputs: ExpressionInputs
  private readonly subject: AdmissionAttributes
  private readonly ask: AskAuthorizer | undefined
  private variablesCost = 0

  constructor(inputs: ExpressionInputs, subject: AdmissionAttributes, ask?: AskAuthorizer) {
    this.inputs = inputs
    this.subject = subject
    this.ask = ask
  }

  get(name: string): Result | undefined {
    const known = this.known.get(name)
    if (known !== undefined) return known
    const made = this.make(name)
    if (made !== undefined) this.known.set(name, made)
    return made
  }

  /** What variables have cost since the last call. */
  takeVariablesCost(): number {
    const cost = this.variablesCost
    this.variablesCost = 0
    return cost
  }

  private make(name: string): Result | undefined {
    const { object, previous, request, params, namespace } = this.inputs
    switch (name) {
      case 'object':
        return valueFromJson(object ?? null, DYN)
      case 'oldObject':
        return valueFromJson(previous ?? null, DYN)
      case 'request':
        return valueFromJson(request, REQUEST_TYPE)
      case 'params':
        return valueFromJson(params ?? null, DYN)
      case 'namespaceObject':
        return valueFromJson(namespace ?? null, NAMESPACE_TYPE)
      case 'authorizer':
        return this.ask && authorizerValue(this.ask)
      case 'authorizer.requestResource':
        return this.ask && resourceCheckValue(this.ask, requestResource(this.subject))
      case 'variables':
        return this.variables()
      default:
        return undefined
    }
  }

  private variables(): CelValue {
    return new LazyVariables(this.inputs.variables ?? [], (compiled) => {
      const { value, cost } = compiled.program.evaluate(this, { costBudget: CALL_COST_MAX })
      this.variablesCost += cost
      return value
    })
  }
}

function requestResource({ definition, subresource, namespace, name }: AdmissionAttributes) {
  const { group, resource } = definition
  return { group, resource, subresource, namespace, name }
}

/** `variables`: each is evaluated when an expression first asks for it. */
class LazyVariables extends ObjectValue {
  readonly type = variablesType(new Map())
  private readonly expressions: ReadonlyMap<string, CompiledExpression>
  private readonly evaluate: (compiled: Extract<CompiledExpression, { readonly program: unknown }>) => Result
  private readonly known = new Map<string, Result>()

  constructor(variables: readonly NamedExpression[], evaluate: LazyVariables['evaluate']) {
    super()
    this.expressions = new Map(variables.map(({ name, compiled }) => [name, compiled]))
    this.evaluate = evaluate
  }

  get(name: string): Result | undefined {
    const known = this.known.get(name)
    if (known !== undefined) return known
    const compiled = this.expressions.get(name)
    if (compiled === undefined) return undefined
    const value = this.evaluated(name, compiled)
    this.known.set(name, value)
    return value
  }

  has(name: string): boolean {
    return this.expressions.has(name)
  }

  fields(): Iterable<string> {
    return this.expressions.keys()
  }

  private evaluated(name: string, compiled: CompiledExpression): Result {
    const variable = `composited variable ${JSON.stringify(name)}`
    if ('failure' in compiled) return new CelError(`${variable} fails to compile: ${compiled.failure}`)
    const value = this.evaluate(compiled)
    return value instanceof CelError ? new CelError(`${variable} fails to evaluate: ${value.message}`) : value
  }
}

/** Questions one request may ask the authorizer; each further one is answered by an error. */
const QUESTIONS_MAX = 100

const WAITING = new CelError('the authorizer has not answered yet')

/**
 * Runs something that may ask the authorizer. Evaluation cannot wait: where an answer takes time, it ends in an
 * error, and is run again once the answer is there. Answers are kept for the request.
 */
export class AuthorizerAnswers {
  private readonly authorizer: Authorizer
  private readonly subject: AdmissionAttributes
  private readonly known = new Map<string, AuthorizationAnswer>()
  private pending: Promise<void>[] = []

  constructor(authorizer: Authorizer, subject: AdmissionAttributes) {
    this.authorizer = authorizer
    this.subject = subject
  }

  async run<T>(evaluate: (ask: AskAuthorizer) => T): Promise<T> {
    for (;;) {
      const result = evaluate((question) => this.answer(question))
      if (this.pending.length === 0) return result
      const pending = this.pending
      this.pending = []
      await Promise.all(pending)
    }
  }

  private answer(question: AuthorizationQuestion): AuthorizationAnswer | CelError {
    const key = JSON.stringify(question)
    const known = this.known.get(key)
    if (known !== undefined) return known
    if (this.known.size >= QUESTIONS_MAX) return new CelError('too many authorization checks')
    const decision = this.authorizer.authorize(attributesOf(question, this.subject))
    if (!(decision instanceof Promise)) return this.keep(key, decision)
    this.pending.push(decision.then((late) => void this.keep(key, late)))
    return WAITING
  }

  private keep(key: string, { verdict, reason, error }: Decision): AuthorizationAnswer {
    const answer = { allowed: verdict === 'allow', reason, error }
    this.known.set(key, answer)
    return answer
  }
}

type Decision = Awaited<ReturnType<Authorizer['authorize']>>

function attributesOf(question: AuthorizationQuestion, { user }: AdmissionAttributes): Attributes {
  const { verb, serviceAccount, path = '', fieldSelector, labelSelector, ...resource } = question
  return {
    ...resource,
    verb,
    path,
    user: serviceAccount === undefined ? user : serviceAccountUser(serviceAccount),
    fields: fieldLimits(fieldSelector),
    labels: labelLimits(labelSelector),
  }
}

function serviceAccountUser({ namespace, name }: { readonly namespace: string; readonly name: string }) {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  }
}
