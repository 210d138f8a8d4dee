/** Comprehensions: what macros over lists and maps become, and `cel.bind`, which is a fold over nothing. */

import { typeOfValue } from '../library/type-of-value.ts'
import { ACCUMULATOR, type Call, type Comprehension, type Expression } from '../syntax/ast.ts'
import { typeName } from '../types.ts'
import {
  ArrayList,
  CelError,
  type CelValue,
  EntryMap,
  ListValue,
  type MapKey,
  MapValue,
  mapKey,
  type Result,
} from '../values.ts'
import { LIST_COST } from './actual-cost.ts'
import { charge, type Frame, type Planned, type Step } from './frame.ts'
import type { Local, Planning } from './planning.ts'

export function planFold(planner: Planning, node: Comprehension): Planned {
  return isBinding(node) ? planBinding(planner, node) : planLoop(planner, node)
}

function isBinding({ range, condition, accumulator }: Comprehension): boolean {
  if (accumulator === ACCUMULATOR || range.kind !== 'list' || range.elements.length > 0) return false
  return condition.kind === 'literal' && condition.value === false
}

/** The value is made when the result first asks for it, and once. */
function planBinding(planner: Planning, node: Comprehension): Planned {
  const local: Local = { slot: planner.newSlot(), make: planner.plan(node.initial).step }
  const result = planner.withLocals([[node.accumulator, local]], () => planner.plan(node.result))
  const { slot } = local
  return {
    step: (frame) => {
      frame.slots[slot] = undefined
      return result.step(frame)
    },
  }
}

interface Loop {
  readonly accumulator: number
  readonly variable: number
  readonly variable2: number | undefined
  readonly start: Step
  readonly condition: Step
  readonly step: Step
  readonly result: Step
}

function planLoop(planner: Planning, node: Comprehension): Planned {
  const range = planner.plan(node.range).step
  const accumulator: Local = { slot: planner.newSlot() }
  const variable: Local = { slot: planner.newSlot() }
  const variable2: Local | undefined = node.variable2 === undefined ? undefined : { slot: planner.newSlot() }
  const own: (readonly [string, Local])[] = [[node.accumulator, accumulator]]
  const initial = planner.plan(node.initial).step
  const inner: (readonly [string, Local])[] = [...own, [node.variable, variable]]
  if (variable2 !== undefined && node.variable2 !== undefined) inner.push([node.variable2, variable2])
  const [condition, step] = planner.withLocals(inner, () => [
    planner.plan(node.condition).step,
    planner.plan(node.step).step,
  ])
  const loop: Loop = {
    accumulator: accumulator.slot,
    variable: variable.slot,
    variable2: variable2?.slot,
    start: grows(node.initial) ? growing(node.initial) : initial,
    condition: condition ?? initial,
    step: step ?? initial,
    result: planner.withLocals(own, () => planner.plan(node.result).step),
  }
  return { step: (frame) => runLoop(frame, range(frame), loop) }
}

function grows(initial: Expression): boolean {
  return (initial.kind === 'list' && initial.elements.length === 0) || (initial.kind === 'map' && !initial.entries[0])
}

/** A list or map that the fold alone sees while it grows, so that growing it takes no copies. */
function growing(initial: Expression): Step {
  return initial.kind === 'list' ? () => new GrowingList([]) : () => new GrowingMap(new Map())
}

class GrowingList extends ArrayList {
  readonly items: CelValue[]
  constructor(items: CelValue[]) {
    super(items)
    this.items = items
  }
}

class GrowingMap extends EntryMap {
  readonly items: Map<MapKey, readonly [CelValue, CelValue]>
  constructor(items: Map<MapKey, readonly [CelValue, CelValue]>) {
    super(items)
    this.items = items
  }
}

/** What upstream calls the value in this one message. */
function goTypeName(value: CelValue): string {
  const name = typeName(typeOfValue(value)).replace(/^.*[._]/, '')
  return `types.${name[0]?.toUpperCase() ?? ''}${name.slice(1)}`
}

function runLoop(frame: Frame, range: Result, loop: Loop): Result {
  if (range instanceof CelError) return range
  const { slots } = frame
  slots[loop.accumulator] = loop.start(frame)
  if (range instanceof ListValue) {
    for (let at = 0; at < range.length; at++) {
      const more =
        loop.variable2 === undefined
          ? turn(frame, loop, range.at(at), undefined)
          : turn(frame, loop, BigInt(at), range.at(at))
      if (!more) break
    }
  } else if (range instanceof MapValue) {
    for (const key of range.keys()) {
      if (!turn(frame, loop, key, loop.variable2 === undefined ? undefined : (range.get(key) ?? null))) break
    }
  } else {
    return new CelError(`got '${goTypeName(range)}', expected iterable type`)
  }
  return loop.result(frame)
}

/** One turn of the loop; false when it has ended. */
function turn(frame: Frame, loop: Loop, first: CelValue, second: CelValue | undefined): boolean {
  const { slots } = frame
  slots[loop.variable] = first
  if (loop.variable2 !== undefined) slots[loop.variable2] = second
  if (loop.condition(frame) === false) return false
  slots[loop.accumulator] = loop.step(frame)
  return true
}

/** `accumulator + [value]` and `cel.@mapInsert(accumulator, …)` grow what the accumulator holds. */
export function planAppend(planner: Planning, node: Call): Planned | undefined {
  const [accumulator, value, inserted] = node.values
  if (accumulator?.kind !== 'identifier' || accumulator.name !== ACCUMULATOR || value === undefined) return undefined
  const local = planner.local(ACCUMULATOR)
  if (local === undefined) return undefined
  if (node.name === '_+_' && value.kind === 'list' && value.elements[0] !== undefined) {
    return { step: appendStep(local.slot, planner.plan(value.elements[0]).step) }
  }
  if (node.name !== 'cel.@mapInsert') return undefined
  const key = planner.plan(value).step
  if (inserted === undefined) return { step: insertAllStep(local.slot, key) }
  return { step: insertStep(local.slot, key, planner.plan(inserted).step) }
}

/** Reading the accumulator, making a list of one, adding. */
const APPEND_COST = 1 + LIST_COST + 1
const INSERT_COST = 1 + 1

function appendStep(slot: number, read: Step): Step {
  return (frame) => {
    const held = frame.slots[slot] ?? null
    const value = read(frame)
    charge(frame, APPEND_COST)
    if (held instanceof CelError) return held
    if (value instanceof CelError) return value
    if (held instanceof GrowingList) held.items.push(value)
    return held
  }
}

function insertStep(slot: number, readKey: Step, readValue: Step): Step {
  return (frame) => {
    const held = frame.slots[slot] ?? null
    const key = readKey(frame)
    const value = readValue(frame)
    charge(frame, INSERT_COST)
    if (held instanceof CelError) return held
    if (key instanceof CelError) return key
    if (value instanceof CelError) return value
    return held instanceof GrowingMap ? insert(held, key, value) : held
  }
}

function insertAllStep(slot: number, read: Step): Step {
  return (frame) => {
    const held = frame.slots[slot] ?? null
    const entries = read(frame)
    charge(frame, INSERT_COST)
    if (held instanceof CelError) return held
    if (entries instanceof CelError) return entries
    if (!(held instanceof GrowingMap) || !(entries instanceof MapValue)) return new CelError('no such overload')
    for (const key of entries.keys()) {
      const failure = insert(held, key, entries.get(key) ?? null)
      if (failure instanceof CelError) return failure
    }
    return held
  }
}

function insert(map: GrowingMap, key: CelValue, value: CelValue): Result {
  const plain = mapKey(key)
  if (plain === undefined) return new CelError('unsupported key type')
  if (map.items.has(plain)) return new CelError(`insert failed: key ${String(plain)} already exists`)
  map.items.set(plain, [key, value])
  return map
}
