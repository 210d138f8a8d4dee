/** The macros: calls that are rewritten while parsing, most of them to folds. */

import type { CelValue } from '../values.ts'
import { ACCUMULATOR, type Call, type Expression, type ListLiteral, type Literal } from './ast.ts'

/** Why a call that looks like a macro is none that can be rewritten. */
export class MacroError {
  readonly offset: number
  readonly message: string
  constructor(offset: number, message: string) {
    this.offset = offset
    this.message = message
  }
}

/** undefined: the call is an ordinary one after all. */
export type Macro = (
  offset: number,
  target: Expression | undefined,
  values: readonly Expression[],
) => Expression | MacroError | undefined

/** The macro for a call of this name, shape and number of arguments. */
export function findMacro(name: string, isMember: boolean, count: number): Macro | undefined {
  return (isMember ? MEMBER_MACROS : GLOBAL_MACROS).get(`${name}/${count}`)
}

/** One level above the deepest of the parts. */
export function depthOf(parts: Iterable<Expression | undefined>): number {
  let deepest = 0
  for (const part of parts) if (part !== undefined && part.depth > deepest) deepest = part.depth
  return deepest + 1
}

export function literalOf(offset: number, value: CelValue): Literal {
  return { kind: 'literal', offset, depth: 1, value }
}

export function callOf(offset: number, name: string, ...values: readonly Expression[]): Call {
  return { kind: 'call', offset, depth: depthOf(values), name, values }
}

function listOf(offset: number, ...elements: readonly Expression[]): ListLiteral {
  return { kind: 'list', offset, depth: depthOf(elements), elements, optional: new Set() }
}

function accumulatorAt(offset: number): Expression {
  return { kind: 'identifier', offset, depth: 1, name: ACCUMULATOR }
}

function expandHas(
  offset: number,
  _target: Expression | undefined,
  [value]: readonly Expression[],
): Expression | MacroError {
  if (value?.kind === 'select' && !value.test) return { ...value, offset, test: true }
  return new MacroError(value?.offset ?? offset, 'invalid argument to has() macro')
}

interface Fold {
  readonly initial: Expression
  readonly condition: Expression
  readonly step: Expression
  readonly result: Expression
}

interface FoldNames {
  readonly variable: string
  readonly variable2?: string | undefined
}

function foldOf(offset: number, range: Expression, names: FoldNames, fold: Fold): Expression {
  const depth = depthOf([range, fold.initial, fold.condition, fold.step, fold.result])
  return { kind: 'comprehension', offset, depth, range, ...names, accumulator: ACCUMULATOR, ...fold }
}

type Quantifier = (offset: number, predicate: Expression) => Fold

function quantifier(make: Quantifier): Macro {
  return (offset, target, values) => {
    const predicate = values.at(-1)
    if (target === undefined || predicate === undefined) return undefined
    const names = variablesOf(values.slice(0, -1), 'argument must be a simple name')
    return names instanceof MacroError ? names : foldOf(offset, target, names, make(offset, predicate))
  }
}

function all(offset: number, predicate: Expression): Fold {
  const accumulator = accumulatorAt(offset)
  return {
    initial: literalOf(offset, true),
    condition: callOf(offset, '@not_strictly_false', accumulator),
    step: callOf(offset, '_&&_', accumulator, predicate),
    result: accumulatorAt(offset),
  }
}

function exists(offset: number, predicate: Expression): Fold {
  const accumulator = accumulatorAt(offset)
  return {
    initial: literalOf(offset, false),
    condition: callOf(offset, '@not_strictly_false', callOf(offset, '!_', accumulator)),
    step: callOf(offset, '_||_', accumulator, predicate),
    result: accumulatorAt(offset),
  }
}

function existsOne(offset: number, predicate: Expression): Fold {
  const accumulator = accumulatorAt(offset)
  const counted = callOf(offset, '_+_', accumulator, literalOf(offset, 1n))
  return {
    initial: literalOf(offset, 0n),
    condition: literalOf(offset, true),
    step: callOf(offset, '_?_:_', predicate, counted, accumulator),
    result: callOf(offset, '_==_', accumulatorAt(offset), literalOf(offset, 1n)),
  }
}

/** How one more element gets into the accumulator. */
interface Growth {
  readonly empty: (offset: number) => Expression
  readonly grown: (offset: number, value: Expression, names: FoldNames) => Expression
}

const appended: Growth = {
  empty: (offset) => listOf(offset),
  grown: (offset, value) => callOf(offset, '_+_', accumulatorAt(offset), listOf(offset, value)),
}

const insertedValue: Growth = {
  empty: emptyMap,
  grown: (offset, value, { variable }) => {
    const key: Expression = { kind: 'identifier', offset, depth: 1, name: variable }
    return callOf(offset, 'cel.@mapInsert', accumulatorAt(offset), key, value)
  },
}

const insertedEntries: Growth = {
  empty: emptyMap,
  grown: (offset, value) => callOf(offset, 'cel.@mapInsert', accumulatorAt(offset), value),
}

function emptyMap(offset: number): Expression {
  return { kind: 'map', offset, depth: 1, entries: [] }
}

/** `range.map(x, filter?, transform)` and its relatives with two variables. */
function transform(variables: number, growth: Growth, complaint?: string): Macro {
  return (offset, target, values) => {
    const value = values.at(-1)
    if (target === undefined || value === undefined) return undefined
    const names = variablesOf(values.slice(0, variables), complaint ?? 'argument must be a simple name')
    if (names instanceof MacroError) return names
    const filter = values.length === variables + 2 ? values[variables] : undefined
    const step = growth.grown(offset, value, names)
    return foldOf(offset, target, names, {
      initial: growth.empty(offset),
      condition: literalOf(offset, true),
      step: filter === undefined ? step : callOf(offset, '_?_:_', filter, step, accumulatorAt(offset)),
      result: accumulatorAt(offset),
    })
  }
}

function expandFilter(
  offset: number,
  target: Expression | undefined,
  [variable, predicate]: readonly Expression[],
): Expression | MacroError | undefined {
  if (target === undefined || variable === undefined || predicate === undefined) return undefined
  const names = variablesOf([variable], 'argument is not an identifier')
  if (names instanceof MacroError) return names
  const step = appended.grown(offset, variable, names)
  return foldOf(offset, target, names, {
    initial: appended.empty(offset),
    condition: literalOf(offset, true),
    step: callOf(offset, '_?_:_', predicate, step, accumulatorAt(offset)),
    result: accumulatorAt(offset),
  })
}

function variablesOf(values: readonly Expression[], complaint: string): FoldNames | MacroError {
  const names: string[] = []
  for (const value of values) {
    if (value.kind !== 'identifier') return new MacroError(value.offset, complaint)
    if (names.includes(value.name)) return new MacroError(value.offset, `duplicate variable name: ${value.name}`)
    if (value.name === '__result__') {
      return new MacroError(value.offset, 'iteration variable overwrites accumulator variable')
    }
    names.push(value.name)
  }
  const [variable = '', variable2] = names
  return { variable, variable2 }
}

/** A fold over nothing, whose accumulator is the variable. */
function binding(offset: number, variable: string, value: Expression, result: Expression): Expression {
  return {
    kind: 'comprehension',
    offset,
    depth: depthOf([value, result]),
    range: listOf(offset),
    variable: '#unused',
    accumulator: variable,
    initial: value,
    condition: literalOf(offset, false),
    step: { kind: 'identifier', offset, depth: 1, name: variable },
    result,
  }
}

function expandBind(
  offset: number,
  target: Expression | undefined,
  [variable, value, result]: readonly Expression[],
): Expression | MacroError | undefined {
  if (target?.kind !== 'identifier' || target.name !== 'cel') return undefined
  if (variable === undefined || value === undefined || result === undefined) return undefined
  if (variable.kind !== 'identifier') {
    return new MacroError(variable.offset, 'cel.bind() variable names must be simple identifiers')
  }
  return binding(offset, variable.name, value, result)
}

/** `target.optMap(x, f)`: the target is bound once, and `f` sees its value. */
const OPTIONAL_TARGET = '#optional_target'

function optionalMapMacro(name: string): Macro {
  return (offset, target, [variable, value]) => {
    if (target === undefined || variable === undefined || value === undefined) return undefined
    if (variable.kind !== 'identifier') {
      return new MacroError(variable.offset, `${name}() variable name must be a simple identifier`)
    }
    const held: Expression = { kind: 'identifier', offset, depth: 1, name: OPTIONAL_TARGET }
    const inner = target.kind === 'identifier' ? target : held
    const content = memberCall(offset, 'value', inner)
    const mapped = binding(offset, variable.name, content, value)
    const present = name === 'optMap' ? callOf(offset, 'optional.of', mapped) : mapped
    const whole = callOf(
      offset,
      '_?_:_',
      memberCall(offset, 'hasValue', inner),
      present,
      callOf(offset, 'optional.none'),
    )
    return target.kind === 'identifier' ? whole : binding(offset, OPTIONAL_TARGET, target, whole)
  }
}

const SORT_INPUT = '@__sortBy_input__'

/** `list.sortBy(x, key)`: the list is bound once, and sorted by the list of its keys. */
function expandSortBy(
  offset: number,
  target: Expression | undefined,
  values: readonly Expression[],
): Expression | MacroError | undefined {
  if (target === undefined) return undefined
  const input: Expression = { kind: 'identifier', offset, depth: 1, name: SORT_INPUT }
  const keys = mapMacro(offset, input, values)
  if (keys === undefined || keys instanceof MacroError) return keys
  const depth = depthOf([input, keys])
  const name = '@sortByAssociatedKeys'
  return binding(offset, SORT_INPUT, target, { kind: 'call', offset, depth, name, target: input, values: [keys] })
}

const mapMacro = transform(1, appended, 'argument is not an identifier')

function memberCall(offset: number, name: string, target: Expression): Expression {
  return { kind: 'call', offset, depth: depthOf([target]), name, target, values: [] }
}

const GLOBAL_MACROS: ReadonlyMap<string, Macro> = new Map<string, Macro>([['has/1', expandHas]])

const MEMBER_MACROS: ReadonlyMap<string, Macro> = new Map<string, Macro>([
  ['all/2', quantifier(all)],
  ['all/3', quantifier(all)],
  ['exists/2', quantifier(exists)],
  ['exists/3', quantifier(exists)],
  ['exists_one/2', quantifier(existsOne)],
  ['exists_one/3', quantifier(existsOne)],
  ['existsOne/2', quantifier(existsOne)],
  ['existsOne/3', quantifier(existsOne)],
  ['map/2', mapMacro],
  ['map/3', mapMacro],
  ['sortBy/2', expandSortBy],
  ['filter/2', expandFilter],
  ['transformList/3', transform(2, appended)],
  ['transformList/4', transform(2, appended)],
  ['transformMap/3', transform(2, insertedValue)],
  ['transformMap/4', transform(2, insertedValue)],
  ['transformMapEntry/3', transform(2, insertedEntries)],
  ['transformMapEntry/4', transform(2, insertedEntries)],
  ['bind/3', expandBind],
  ['optMap/2', optionalMapMacro('optMap')],
  ['optFlatMap/2', optionalMapMacro('optFlatMap')],
])
