/**
 * Rules of a schema (`x-kubernetes-validations`) compiled: expressions over the value that a schema describes, `self`,
 * and over what it was before an update, `oldSelf`.
 */

import { type Compiled, compile, estimateCost, kubernetesEnvironment, type Program } from '../cel/cel.ts'
import type { Environment } from '../cel/environment.ts'
import { hintsOfVariables } from '../cel/estimate/size-hints.ts'
import { type CelType, optionalType } from '../cel/types.ts'
import { declaredType, REQUEST_BYTES_MAX } from './cel-type.ts'
import { parseFieldPath } from './field-path.ts'
import type { Schema, ValidationRule } from './schema.ts'

export interface CompiledRule {
  readonly rule: ValidationRule
  /** Absent when the expression is wrong, or empty. */
  readonly program?: Program | undefined
  /** What is wrong with the expression. */
  readonly error?: string | undefined
  readonly message?: Program | undefined
  readonly messageError?: string | undefined
  readonly usesOldSelf: boolean
  /** Where findings are, below the value; empty: at the value. */
  readonly place: string
  /** The most that one evaluation costs. */
  readonly cost: number
  readonly messageCost: number
}

export interface CompiledRules {
  readonly rules: readonly CompiledRule[]
  readonly type: CelType
  /** How many values of the schema fit into a request. */
  readonly cardinalityMax: number
}

/** Where a schema stands: names its type, and whether it is of a whole object. */
export interface RulePlace {
  readonly name: string
  readonly isResource: boolean
}

const compiledRules = new WeakMap<Schema, CompiledRules | undefined>()

/** Undefined for a schema without rules, or without a type that expressions could be about. */
export function compileRules(schema: Schema, { name, isResource }: RulePlace): CompiledRules | undefined {
  if (compiledRules.has(schema)) return compiledRules.get(schema)
  const rules = schema['x-kubernetes-validations'] ?? []
  const declared = rules.length === 0 ? undefined : declaredType(schema, name, isResource)
  const compiled = declared && {
    rules: rules.map(ruleCompiler(schema, declared.type)),
    type: declared.type,
    cardinalityMax: Math.floor(REQUEST_BYTES_MAX / (declared.bytesMin + 1)),
  }
  compiledRules.set(schema, compiled)
  return compiled
}

function ruleCompiler(schema: Schema, self: CelType): (rule: ValidationRule) => CompiledRule {
  const plain = kubernetesEnvironment({ variables: { self, oldSelf: self } })
  const optional = kubernetesEnvironment({ variables: { self, oldSelf: optionalType(self) } })
  return (rule) => {
    const environment = rule.optionalOldSelf ? optional : plain
    const place = rule.fieldPath ? parseFieldPath(rule.fieldPath, schema) : ''
    const at = typeof place === 'string' ? '' : place.path
    if (rule.rule.trim() === '') return { rule, place: at, usesOldSelf: false, cost: 0, messageCost: 0 }
    const { program, error } = wanted(compile(rule.rule, environment), 'bool', {
      failed: 'compilation failed: ',
      mismatch: 'cel expression must evaluate to a bool',
    })
    if (program === undefined) return { rule, error, place: at, usesOldSelf: false, cost: 0, messageCost: 0 }
    return {
      rule,
      program,
      usesOldSelf: program.variables.has('oldSelf'),
      place: at,
      cost: costOf(program, environment),
      ...compiledMessage(rule, environment),
    }
  }
}

function compiledMessage({ messageExpression = '' }: ValidationRule, environment: Environment) {
  if (messageExpression === '') return { messageCost: 0 }
  const { program, error } = wanted(compile(messageExpression, environment), 'string', {
    failed: 'messageExpression compilation failed: ',
    mismatch: 'messageExpression must evaluate to a string',
  })
  return {
    message: program,
    messageError: error,
    messageCost: program === undefined ? 0 : costOf(program, environment),
  }
}

/** Sizes are those of `self` whatever name stands before a path, as upstream has it: names of types cost nothing. */
function costOf(program: Program, environment: Environment): number {
  const hints = hintsOfVariables(environment)
  return estimateCost(program, ([, ...steps]) => hints(['self', ...steps])).max
}

function wanted(
  compiled: Compiled,
  kind: CelType['kind'],
  texts: { readonly failed: string; readonly mismatch: string },
): { readonly program?: Program; readonly error?: string } {
  if ('issues' in compiled) return { error: `${texts.failed}${compiled.text}` }
  return compiled.program.type.kind === kind ? { program: compiled.program } : { error: texts.mismatch }
}
