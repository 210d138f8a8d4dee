/**
 * The least and most an expression can cost, before any evaluation: a walk over the checked tree that keeps for
 * every node how large its value can be, and where in the variables it comes from.
 */

import type { Checked } from '../check/checker.ts'
import { LIST_COST, MAP_COST, OBJECT_COST } from '../evaluate/actual-cost.ts'
import { charactersOf } from '../operators/text.ts'
import { ACCUMULATOR, type Call, type Comprehension, type Expression } from '../syntax/ast.ts'
import { type CelType, DYN, isOptional } from '../types.ts'
import type { CelValue } from '../values.ts'
import { choiceSize, type Estimated, estimateCall } from './calls.ts'
import { exactly, LARGEST, plus, type Range, times, UNKNOWN_SIZE, union } from './range.ts'
import type { SizeHints } from './size-hints.ts'

/** Sizes of the keys (or indexes) and values of a container. */
interface EntrySize {
  readonly key: Range
  readonly value: Range
}

interface Local {
  readonly path: readonly string[]
  readonly size: Range | undefined
  readonly entries: EntrySize | undefined
}

const NOTHING = exactly(0)
const ACCESS = exactly(1)

export function estimate(checked: Checked, hints: SizeHints): Range {
  return new Estimator(checked, hints).cost(checked.expression)
}

class Estimator {
  private readonly checked: Checked
  private readonly hints: SizeHints
  private readonly sizes = new Map<Expression, Range>()
  private readonly entries = new Map<Expression, EntrySize>()
  private readonly paths = new Map<Expression, readonly string[]>()
  private readonly locals: { readonly name: string; readonly local: Local }[] = []

  constructor(checked: Checked, hints: SizeHints) {
    this.checked = checked
    this.hints = hints
  }

  cost(node: Expression): Range {
    switch (node.kind) {
      case 'literal':
        return NOTHING
      case 'identifier':
        this.paths.set(node, this.local(node.name)?.path ?? [this.nameOf(node)])
        return ACCESS
      case 'select':
        return this.selectCost(node)
      case 'call':
        return this.callCost(node)
      case 'list':
        return this.listCost(node)
      case 'map':
        return this.mapCost(node)
      case 'object':
        return node.fields.reduce((sum, { value }) => plus(sum, this.cost(value)), exactly(OBJECT_COST))
      case 'comprehension':
        return this.isBinding(node) ? this.bindingCost(node) : this.foldCost(node)
    }
  }

  /** The full name of a variable, as its declaration has it. */
  private nameOf(node: Expression & { readonly kind: 'identifier' }): string {
    const reference = this.checked.references.get(node)
    return reference?.kind === 'variable' ? reference.name : node.name
  }

  private local(name: string): Local | undefined {
    return this.locals.findLast((entry) => entry.name === name)?.local
  }

  private typeOf(node: Expression): CelType {
    return this.checked.types.get(node) ?? DYN
  }

  private pathOf(node: Expression): readonly string[] {
    const local = node.kind === 'identifier' ? this.local(node.name) : undefined
    return local?.path ?? this.paths.get(node) ?? []
  }

  private selectCost(node: Expression & { readonly kind: 'select' }): Range {
    const reference = this.checked.references.get(node)
    if (reference?.kind === 'variable') {
      this.paths.set(node, [reference.name])
      return ACCESS
    }
    const operand = this.cost(node.operand)
    if (node.test) return operand
    this.paths.set(node, extended(this.pathOf(node.operand), node.field))
    const { kind } = this.typeOf(node.operand)
    return kind === 'map' || kind === 'object' ? plus(operand, ACCESS) : operand
  }

  private callCost(node: Call): Range {
    const [first, second, third] = node.values
    if (node.name === 'dyn' && first !== undefined) {
      const cost = plus(this.cost(first), exactly(1))
      this.copySizes(node, first)
      return cost
    }
    const costs = node.values.map((value) => this.cost(value))
    const reference = this.checked.references.get(node)
    if (reference?.kind !== 'function') return NOTHING
    const [left = NOTHING, right = NOTHING, other = NOTHING] = costs
    if (node.name === '_&&_' || node.name === '_||_') return { min: left.min, max: plus(left, right).max }
    if (node.name === '_?_:_' && second !== undefined && third !== undefined) {
      this.sizes.set(node, choiceSize(this.estimated(second), this.estimated(third)))
      this.uniteEntries(node, second, third)
      return plus(left, union(right, other))
    }
    const isMember = node.target !== undefined && reference.overloads.some(({ member }) => member)
    const target = isMember ? node.target : undefined
    const base = target === undefined ? NOTHING : this.cost(target)
    return plus(plus(base, costs.reduce(plus, NOTHING)), this.overloadCost(node, target))
  }

  /** The range over all overloads a call may turn out to be. */
  private overloadCost(node: Call, target: Expression | undefined): Range {
    const reference = this.checked.references.get(node)
    const overloads = reference?.kind === 'function' ? reference.overloads : []
    const name = reference?.kind === 'function' ? reference.declaration.name : node.name
    const values = node.values.map((value) => this.estimated(value))
    const receiver = target && this.estimated(target)
    let cost: Range = { min: LARGEST, max: 0 }
    let size: Range | undefined
    for (const { id } of overloads) {
      const call = estimateCall(name, { overload: id, target: receiver, values })
      cost = union(cost, call.cost)
      if (call.size !== undefined) size = size === undefined ? call.size : union(size, call.size)
      size = this.indexed(node, id) ?? size
    }
    const [left, right] = node.values
    if (name === '_+_' && left !== undefined && right !== undefined) this.uniteEntries(node, left, right)
    const known = size ?? this.sizeOf(node)
    if (known !== undefined) this.sizes.set(node, known)
    return cost
  }

  /** Follows an index into its container; answers the size of what is there. */
  private indexed(node: Call, overload: string): Range | undefined {
    const [container] = node.values
    if (container === undefined || (overload !== 'index_list' && overload !== 'index_map')) return undefined
    this.paths.set(node, extended(this.pathOf(container), overload === 'index_list' ? '@items' : '@values'))
    return this.entriesOf(container)?.value
  }

  private estimated(node: Expression): Estimated {
    const type = this.typeOf(node)
    const path = this.pathOf(node)
    const isReal = path.length > 0 && path[0] !== ACCUMULATOR
    const elementSize = type.kind === 'list' && isReal ? this.hints([...path, '@items']) : undefined
    return { node, type, size: this.sizeOf(node), elementSize }
  }

  private sizeOf(node: Expression): Range | undefined {
    const known = this.sizes.get(node) ?? literalSize(node)
    if (known !== undefined) return known
    const path = this.pathOf(node)
    const hinted = path.length === 0 ? undefined : this.hints(path)
    if (hinted !== undefined) {
      const size = { min: hinted.min, max: Math.min(hinted.max, LARGEST) }
      this.sizes.set(node, size)
      return size
    }
    if (isScalar(this.typeOf(node))) return exactly(1)
    return node.kind === 'identifier' ? this.local(node.name)?.size : undefined
  }

  private entriesOf(node: Expression): EntrySize | undefined {
    const known = this.entries.get(node)
    if (known !== undefined || node.kind !== 'identifier') return known
    return this.local(node.name)?.entries
  }

  private copySizes(to: Expression, from: Expression): void {
    const size = this.sizeOf(from)
    const entries = this.entriesOf(from)
    if (size !== undefined) this.sizes.set(to, size)
    if (entries !== undefined) this.entries.set(to, entries)
  }

  private uniteEntries(node: Expression, left: Expression, right: Expression): void {
    const first = this.entriesOf(left)
    const second = this.entriesOf(right)
    if (first === undefined || second === undefined) return
    this.entries.set(node, { key: union(first.key, second.key), value: union(first.value, second.value) })
  }

  private listCost(node: Expression & { readonly kind: 'list' }): Range {
    let sum = exactly(LIST_COST)
    for (const element of node.elements) sum = plus(sum, this.cost(element))
    this.entries.set(node, { key: exactly(1), value: this.joinedSize(node.elements) })
    return sum
  }

  private mapCost(node: Expression & { readonly kind: 'map' }): Range {
    let sum = exactly(MAP_COST)
    for (const { key, value } of node.entries) sum = plus(sum, plus(this.cost(key), this.cost(value)))
    const keys = node.entries.map(({ key }) => key)
    const values = node.entries.map(({ value }) => value)
    this.entries.set(node, { key: this.joinedSize(keys), value: this.joinedSize(values) })
    return sum
  }

  private joinedSize(nodes: readonly Expression[]): Range {
    if (nodes.length === 0) return NOTHING
    return nodes.map((node) => this.sizeOf(node) ?? UNKNOWN_SIZE).reduce(union)
  }

  private isBinding({ range, condition }: Comprehension): boolean {
    if (range.kind !== 'list' || range.elements.length > 0) return false
    return condition.kind === 'literal' && condition.value === false
  }

  private bindingCost(node: Comprehension): Range {
    const before = plus(this.cost(node.range), this.cost(node.initial))
    const result = this.withLocals([[node.accumulator, this.localOf(node.initial)]], () => this.cost(node.result))
    this.copySizes(node, node.result)
    return plus(before, result)
  }

  private localOf(node: Expression): Local {
    return { path: this.pathOf(node), size: this.sizeOf(node), entries: this.entriesOf(node) }
  }

  private withLocals<T>(locals: readonly (readonly [string, Local])[], walk: () => T): T {
    for (const [name, local] of locals) this.locals.push({ name, local })
    const result = walk()
    this.locals.length -= locals.length
    return result
  }

  private foldCost(node: Comprehension): Range {
    const before = plus(this.cost(node.range), this.cost(node.initial))
    const accumulator = [node.accumulator, this.localOf(node.initial)] as const
    const variables = this.variablesOf(node)
    const turn = this.withLocals([accumulator, ...variables], () =>
      plus(this.cost(node.condition), this.cost(node.step)),
    )
    const result = this.withLocals([accumulator], () => this.cost(node.result))
    const turns = this.sizeOf(node.range) ?? UNKNOWN_SIZE
    this.keepFoldSize(node, turns)
    return plus(plus(before, result), times(turns, turn))
  }

  private keepFoldSize(node: Comprehension, turns: Range): void {
    const { kind } = node.initial
    const initial = this.sizeOf(node.initial)
    if (kind === 'literal' && initial !== undefined) this.sizes.set(node, initial)
    if (kind !== 'list' && kind !== 'map') return
    this.sizes.set(node, turns)
    const entries = this.entriesOf(node.step)
    if (entries !== undefined) this.entries.set(node, entries)
  }

  private variablesOf({ range, variable, variable2 }: Comprehension): readonly (readonly [string, Local])[] {
    const isList = this.typeOf(range).kind === 'list'
    const sizes = this.entriesOf(range)
    const path = this.pathOf(range)
    const value: Local = { path: extended(path, isList ? '@items' : '@values'), size: sizes?.value, entries: undefined }
    const key: Local = { path: extended(path, isList ? '@indices' : '@keys'), size: sizes?.key, entries: undefined }
    if (variable2 === undefined) return [[variable, isList ? value : key]]
    return [
      [variable, key],
      [variable2, value],
    ]
  }
}

function extended(path: readonly string[], step: string): readonly string[] {
  return path.length === 0 ? [] : [...path, step]
}

function literalSize(node: Expression): Range | undefined {
  switch (node.kind) {
    case 'literal':
      return exactly(valueSize(node.value))
    case 'list':
      return exactly(node.elements.length)
    case 'map':
      return exactly(node.entries.length)
    default:
      return undefined
  }
}

function valueSize(value: CelValue): number {
  if (typeof value === 'string') return charactersOf(value)
  return value instanceof Uint8Array ? value.length : 1
}

function isScalar(type: CelType): boolean {
  if (isOptional(type)) return type.parameters[0] !== undefined && isScalar(type.parameters[0])
  return ['bool', 'double', 'duration', 'int', 'timestamp', 'uint'].includes(type.kind)
}
