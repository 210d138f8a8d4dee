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

import { type Checked, check } from './check/checker.ts'
import { literalIssues } from './check/literals.ts'
import { Environment, type EnvironmentOptions } from './environment.ts'
import { estimate } from './estimate/estimator.ts'
import type { Range } from './estimate/range.ts'
import { hintsOfVariables, type SizeHints } from './estimate/size-hints.ts'
import { type Bindings, type Frame, OverBudget, type Step } from './evaluate/frame.ts'
import { Planner } from './evaluate/planner.ts'
import { KUBERNETES_LIBRARIES } from './kubernetes/libraries.ts'
import { STANDARD } from './library/standard.ts'
import { parse } from './syntax/parser.ts'
import { type Issue, renderIssues } from './syntax/source.ts'
import { type CelType, DYN } from './types.ts'
import { CelError, type Result } from './values.ts'

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
  /** Why every evaluation fails: a constant cannot be converted. Upstream refuses such expressions. */
  readonly failure: string | undefined
  /** The checked tree, for estimates. */
  readonly checked: Checked
  evaluate(bindings: Bindings, options?: EvaluateOptions): Evaluation
}

export type Compiled =
  | { readonly program: Program }
  | {
      readonly issues: readonly Issue[]
      /** All issues as cel-go prints them: `ERROR: <input>:1:5: …` with the line and a mark under it. */
      readonly text: string
    }

const standardEnvironment = new Environment({ libraries: [STANDARD] })

/** The language with its own functions and what the options add. */
export function createEnvironment(options: EnvironmentOptions): Environment {
  return standardEnvironment.extend(options)
}

export function compile(source: string, environment: Environment): Compiled {
  const parsed = parse(source, environment)
  if ('issues' in parsed) return refused(source, parsed.issues)
  const checked = check(parsed.expression, environment, source)
  if ('issues' in checked) return refused(source, checked.issues)
  const issues = environment.homogeneousLiterals ? literalIssues(checked, source) : []
  if (issues.length > 0) return refused(source, issues)
  return { program: programOf(source, checked) }
}

function refused(source: string, issues: readonly Issue[]): Compiled {
  return { issues, text: renderIssues(source, issues) }
}

function programOf(source: string, checked: Checked): Program {
  const planner = new Planner(checked)
  const { step } = planner.plan(checked.expression)
  const { slotCount } = planner
  return {
    source,
    checked,
    type: checked.types.get(checked.expression) ?? DYN,
    variables: planner.variables,
    failure: planner.failure,
    evaluate: (bindings, { costBudget = Number.POSITIVE_INFINITY } = {}) =>
      run(step, { bindings, slots: new Array<undefined>(slotCount), cost: 0, budget: costBudget }),
  }
}

function run(step: Step, frame: Frame): Evaluation {
  try {
    return { value: step(frame), cost: frame.cost, overBudget: false }
  } catch (error) {
    if (!(error instanceof OverBudget)) throw error
    const value = new CelError('operation cancelled: actual cost limit exceeded')
    return { value, cost: frame.cost, overBudget: true }
  }
}

const baseEnvironment = standardEnvironment.extend({
  libraries: KUBERNETES_LIBRARIES,
  homogeneousLiterals: true,
  quotedNames: false,
  bindings: false,
})

/** The environment of Kubernetes 1.36: its libraries in its versions, plus the options given. */
export function kubernetesEnvironment(options: EnvironmentOptions): Environment {
  return baseEnvironment.extend(options)
}

/** The least and most an evaluation can cost. By default the types of the variables tell how large values can be. */
export function estimateCost({ checked }: Program, sizes: SizeHints = hintsOfVariables(checked.environment)): Range {
  return estimate(checked, sizes)
}
