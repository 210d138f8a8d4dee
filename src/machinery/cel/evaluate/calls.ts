/** Calls: the operators that do not evaluate everything, and functions with the overload that fits their values. */

import type { FunctionDeclaration, Overload } from '../declarations.ts'
import { patternOf } from '../library/patterns.ts'
import { type Matcher, matcherOf, typeOfValue } from '../library/type-of-value.ts'
import { equality, NO_SUCH_OVERLOAD } from '../operators/equality.ts'
import type { Call, Expression } from '../syntax/ast.ts'
import { typeName } from '../types.ts'
import { ArrayList, CelError, type CelValue, type MapKey, mapKey, OptionalValue, type Result } from '../values.ts'
import { index, optionalIndex, optionalSelect } from './access.ts'
import { callCostOf } from './actual-cost.ts'
import { planAppend } from './folds.ts'
import { charge, type Planned, type Step } from './frame.ts'
import { constantOf, type Planning } from './planning.ts'

/** Functions whose value for a constant is a constant. */
const CONVERSIONS = new Set([
  'bool',
  'bytes',
  'double',
  'duration',
  'dyn',
  'int',
  'string',
  'timestamp',
  'type',
  'uint',
])

/** Functions whose second value is a pattern; a constant one must be right for the program to be. */
const PATTERN_FUNCTIONS = new Set(['find', 'findAll', 'matches'])

export function planCall(planner: Planning, node: Call): Planned {
  const appended = planAppend(planner, node)
  if (appended !== undefined) return appended
  const [first, second, third] = node.values
  if (node.target === undefined && first !== undefined) {
    const special = planOperator(planner, node.name, first, second, third)
    if (special !== undefined) return special
  }
  const reference = planner.reference(node)
  if (reference?.kind !== 'function') return { step: () => NO_SUCH_OVERLOAD }
  const { declaration, overloads } = reference
  const isMember = overloads.some(({ member }) => member)
  const nodes = node.target !== undefined && isMember ? [node.target, ...node.values] : node.values
  const parts = nodes.map((value) => planner.plan(value))
  const [only] = overloads
  if (overloads.length === 1 && only?.id === 'in_list') {
    const membership = planMembership(parts)
    if (membership !== undefined) return membership
  }
  if (isMember && (declaration.name === 'or' || declaration.name === 'orValue')) return planOr(parts, declaration.name)
  const call = planFunction(declaration, overloads, parts, isMember)
  const pattern = PATTERN_FUNCTIONS.has(declaration.name) ? parts[1]?.constant : undefined
  const compiled = typeof pattern === 'string' ? patternOf(pattern) : undefined
  if (compiled instanceof CelError) planner.fail(compiled.message)
  if (!CONVERSIONS.has(declaration.name) || parts.length !== 1 || parts[0]?.constant === undefined) return call
  const folded = call.step({ bindings: new Map(), slots: [], cost: 0, budget: Number.POSITIVE_INFINITY })
  if (!(folded instanceof CelError)) return constantOf(folded)
  planner.fail(folded.message)
  return call
}

function planOperator(
  planner: Planning,
  name: string,
  first: Expression,
  second: Expression | undefined,
  third: Expression | undefined,
): Planned | undefined {
  if (name === '@not_strictly_false') return planNotFalse(planner.plan(first).step)
  if (second === undefined) return undefined
  switch (name) {
    case '_&&_':
      return planLogical(planner.plan(first).step, planner.plan(second).step, false)
    case '_||_':
      return planLogical(planner.plan(first).step, planner.plan(second).step, true)
    case '_[_]':
      return planIndex(planner, first, second, index)
    case '_[?_]':
      return planIndex(planner, first, second, optionalIndex)
    case '_?._':
      return planOptionalSelect(planner, first, second)
    case '_?_:_':
      return third && planConditional(planner.plan(first).step, planner.plan(second).step, planner.plan(third).step)
    default:
      return undefined
  }
}

/** Errors count as true: the fold goes on and may yet find what makes them irrelevant. */
function planNotFalse(read: Step): Planned {
  return {
    step: (frame) => {
      const value = read(frame)
      charge(frame, 1)
      return value !== false
    },
  }
}

/** `&&` and `||`: the deciding value wins over an error on the other side. */
function planLogical(left: Step, right: Step, deciding: boolean): Planned {
  return {
    step: (frame) => {
      const first = left(frame)
      if (first === deciding) return deciding
      const second = right(frame)
      if (second === deciding) return deciding
      if (first instanceof CelError) return first
      if (typeof first !== 'boolean') return NO_SUCH_OVERLOAD
      if (second instanceof CelError) return second
      return typeof second === 'boolean' ? second : NO_SUCH_OVERLOAD
    },
  }
}

function planConditional(condition: Step, yes: Step, no: Step): Planned {
  return {
    isPath: true,
    step: (frame) => {
      const verdict = condition(frame)
      if (verdict === true) return yes(frame)
      if (verdict === false) return no(frame)
      return verdict instanceof CelError ? verdict : NO_SUCH_OVERLOAD
    },
  }
}

function planIndex(
  planner: Planning,
  container: Expression,
  key: Expression,
  access: (value: CelValue, key: CelValue) => Result,
): Planned {
  const { step: readContainer, isPath } = planner.plan(container)
  const readKey = planner.plan(key).step
  const cost = isPath ? 1 : 2
  const step: Step = (frame) => {
    const value = readContainer(frame)
    if (value instanceof CelError) return value
    const at = readKey(frame)
    charge(frame, cost)
    return at instanceof CelError ? at : access(value, at)
  }
  return { step, isPath: true }
}

function planOptionalSelect(planner: Planning, operand: Expression, field: Expression): Planned {
  const name = field.kind === 'literal' && typeof field.value === 'string' ? field.value : ''
  const { step: read, isPath } = planner.plan(operand)
  const cost = isPath ? 1 : 2
  const step: Step = (frame) => {
    const value = read(frame)
    charge(frame, cost)
    return value instanceof CelError ? value : optionalSelect(value, name)
  }
  return { step, isPath: true }
}

/** `x in [constants]`: a set is asked, whatever its size. */
function planMembership([needle, list]: readonly Planned[]): Planned | undefined {
  if (needle === undefined || !(list?.constant instanceof ArrayList)) return undefined
  const keys = new Set<MapKey>()
  for (const value of list.constant.values) {
    const key = mapKey(value)
    if (key === undefined) return undefined
    keys.add(key)
  }
  const { step: read } = needle
  return {
    step: (frame) => {
      const value = read(frame)
      if (value instanceof CelError) return value
      const key = mapKey(value)
      return key !== undefined && keys.has(key)
    },
  }
}

/** `optional.or(other)` and `optional.orValue(value)`: the other side counts only when there is no value. */
function planOr([optional, other]: readonly Planned[], name: 'or' | 'orValue'): Planned {
  return {
    step: (frame) => {
      const first = optional?.step(frame) ?? null
      if (first instanceof CelError) return first
      if (!(first instanceof OptionalValue)) return noSuchOverload(name, [first])
      charge(frame, 1)
      if (first.value !== undefined) return name === 'or' ? first : first.value
      return other === undefined ? null : other.step(frame)
    },
  }
}

/** Overloads whose implementation looks at its values itself; upstream's refusal then names no types. */
const PLAINLY_REFUSING = new Set([
  'contains_string',
  'ends_with_string',
  'matches',
  'matches_string',
  'starts_with_string',
  'string_find_string',
])

type Invoke = (values: readonly CelValue[]) => Result

function planFunction(
  declaration: FunctionDeclaration,
  overloads: readonly Overload[],
  parts: readonly Planned[],
  isMember: boolean,
): Planned {
  const steps = parts.map(({ step }) => step)
  const [only] = overloads
  const costOf = overloads.length === 1 && only !== undefined ? callCostOf(only) : undefined
  const invoke = invocation(declaration, overloads, isMember)
  const isChargedFirst = overloads.length === 1 && only?.isChargedFirst === true
  const isEquality = declaration.name === '_==_'
  const [left, right] = steps
  if (isEquality && costOf !== undefined && left !== undefined && right !== undefined) {
    return { step: equalityStep(left, right, (values) => costOf(values, true)) }
  }
  const step: Step = (frame) => {
    const values: CelValue[] = []
    let failure: CelError | undefined
    for (const part of steps) {
      const value = part(frame)
      if (value instanceof CelError) failure ??= value
      else values.push(value)
    }
    if (failure !== undefined) {
      charge(frame, 1)
      return failure
    }
    if (isChargedFirst) charge(frame, costOf?.(values, null) ?? 1)
    const result = invoke(values)
    if (!isChargedFirst) charge(frame, costOf?.(values, result) ?? 1)
    return result
  }
  return { step }
}

function equalityStep(left: Step, right: Step, costOf: (values: readonly CelValue[]) => number): Step {
  return (frame) => {
    const first = left(frame)
    const second = right(frame)
    if (first instanceof CelError) return first
    if (second instanceof CelError) return second
    const isCheap = typeof first !== 'object' && typeof first !== 'string'
    charge(frame, isCheap ? 1 : costOf([first, second]))
    return equality(first, second)
  }
}

/** The function for values of the declared types; other values fail. */
function invocation(declaration: FunctionDeclaration, overloads: readonly Overload[], isMember: boolean): Invoke {
  const { evaluate } = declaration
  const [only] = overloads
  if (overloads.length === 1 && only !== undefined) {
    const own = only.evaluate ?? evaluate
    if (own === undefined) return (values) => noSuchOverload(declaration.name, values)
    if (own === evaluate) return (values) => own(...values)
    const matchers = only.parameters.map(matcherOf)
    if (PLAINLY_REFUSING.has(only.id)) return (values) => (fits(matchers, values) ? own(...values) : NO_SUCH_OVERLOAD)
    return (values) => (fits(matchers, values) ? own(...values) : noSuchOverload(declaration.name, values))
  }
  if (evaluate !== undefined) return (values) => evaluate(...values)
  const choices = declaration.overloads
    .filter(({ member }) => (member === true) === isMember)
    .map((overload) => ({ matchers: overload.parameters.map(matcherOf), evaluate: overload.evaluate }))
  return (values) => {
    for (const choice of choices) {
      if (choice.matchers.length !== values.length || !fits(choice.matchers, values)) continue
      if (choice.evaluate !== undefined) return choice.evaluate(...values)
    }
    return noSuchOverload(declaration.name, values)
  }
}

function fits(matchers: readonly Matcher[], values: readonly CelValue[]): boolean {
  for (let at = 0; at < matchers.length; at++) {
    const value = values[at]
    if (value === undefined || matchers[at]?.(value) !== true) return false
  }
  return true
}

function noSuchOverload(name: string, values: readonly CelValue[]): CelError {
  return new CelError(`no such overload: ${name}(${values.map((value) => typeName(typeOfValue(value))).join(', ')})`)
}
