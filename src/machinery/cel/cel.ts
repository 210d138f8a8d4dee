/**
 * The Common Expression Language as Kubernetes speaks it. An environment says which variables and functions there
 * are; `compile` parses, checks and plans an expression once; a program is then evaluated any number of times,
 * within a budget. Nothing here throws for what an expression does.
 *
 * ```ts
 * const environment = kubernetesEnvironment({ variables: { self: STRING } })
 * const compiled = compile("self.startsWith('a')", environment)
 * if ('issues' in compiled) throw new Error(compiled.text)
 * const { value, cost } = compiled.program.evaluate(new Map([['self', 'abc']]))
 * ```
 */

import type { ConstantDeclaration, FunctionDeclaration } from './declarations.ts'
import type { CelType, ObjectType } from './types.ts'
import type { Result } from './values.ts'

/** Functions, types and constants under one name, as `createEnvironment` takes them. */
export interface Library {
  readonly name: string
  readonly functions?: readonly FunctionDeclaration[] | undefined
  readonly constants?: readonly ConstantDeclaration[] | undefined
  /** Object types that expressions may construct (`Name{field: value}`) and name. */
  readonly types?: readonly ObjectType[] | undefined
}

export interface EnvironmentOptions {
  /** Names and types of the variables; dotted names are allowed. */
  readonly variables?: Readonly<Record<string, CelType>> | undefined
  /** Besides the standard functions. */
  readonly libraries?: readonly Library[] | undefined
  /** Finds further object types by name, for construction. */
  readonly findType?: ((name: string) => ObjectType | undefined) | undefined
  /** The namespace in which names are looked up first. */
  readonly container?: string | undefined
}

/** Made by `createEnvironment`; immutable, cheap to keep and to extend. */
export interface Environment {
  /** The same environment with more variables. */
  extend(options: EnvironmentOptions): Environment
}

/** Where the values of variables come from: a Map, or anything that makes them when asked. */
export interface Bindings {
  get(name: string): Result | undefined
}

export interface EvaluateOptions {
  /** Evaluation stops with an error when it costs more. Default: no limit. */
  readonly costBudget?: number | undefined
}

export interface Evaluation {
  /** A value or a CelError. */
  readonly value: Result
  /** What it cost, in cel-go's units. */
  readonly cost: number
  /** Whether the budget ended it; `value` is then an error. */
  readonly overBudget: boolean
}

export interface Program {
  readonly source: string
  /** What the expression evaluates to. */
  readonly type: CelType
  /** Names of the variables it reads. */
  readonly variables: ReadonlySet<string>
  evaluate(bindings: Bindings, options?: EvaluateOptions): Evaluation
}

/** One thing that is wrong with an expression. Lines count from 1, columns from 0. */
export interface Issue {
  readonly line: number
  readonly column: number
  readonly message: string
}

export type Compiled =
  | { readonly program: Program }
  | {
      readonly issues: readonly Issue[]
      /** All issues as cel-go prints them: `ERROR: <input>:1:5: …` with the line and a mark under it. */
      readonly text: string
    }

/** A range of sizes or of costs; `Infinity` when there is no limit. */
export interface Range {
  readonly min: number
  readonly max: number
}

/**
 * How large the value at a path can be: `['self', 'names', '@items']`. Steps are field names, `@items`, `@keys`,
 * `@values`. undefined: not known. By default the `maxSize` of the variables' types answers.
 */
export type SizeHints = (path: readonly string[]) => Range | undefined

export function createEnvironment(_options: EnvironmentOptions): Environment {
  throw new Error('lands within the hour')
}

/** The environment of Kubernetes 1.36: its libraries in its versions, plus the options given. */
export function kubernetesEnvironment(options: EnvironmentOptions): Environment {
  return createEnvironment(options)
}

export function compile(_source: string, _environment: Environment): Compiled {
  throw new Error('lands within the hour')
}

/** The least and most an evaluation can cost. */
export function estimateCost(_program: Program, _sizes?: SizeHints): Range {
  throw new Error('lands within the hour')
}
