/**
 * A checked tree to one function: every node becomes a closure over those of its parts, names become slots or
 * lookups, and what never changes is computed here. Costs are charged as evaluation goes, by cel-go's rules.
 */

import type { Checked, Reference } from '../check/checker.ts'
import type { ObjectDeclaration } from '../declarations.ts'
import type { Expression, Identifier, ListLiteral, MapLiteral, ObjectLiteral, Select } from '../syntax/ast.ts'
import {
  ArrayList,
  CelError,
  type CelValue,
  EntryMap,
  type MapKey,
  mapKey,
  OptionalValue,
  type Result,
} from '../values.ts'
import { isSet, select } from './access.ts'
import { LIST_COST, MAP_COST, OBJECT_COST } from './actual-cost.ts'
import { planCall } from './calls.ts'
import { planFold } from './folds.ts'
import { charge, type Frame, type Planned, type Step } from './frame.ts'
import { constantOf, constantsOf, type Local, type Planning } from './planning.ts'

export class Planner implements Planning {
  /** Variables of the environment that the program reads. */
  readonly variables = new Set<string>()
  /** Why a constant conversion fails, the first that does. */
  failure: string | undefined
  private readonly checked: Checked
  private readonly locals: { readonly name: string; readonly local: Local }[] = []
  private slots = 0

  constructor(checked: Checked) {
    this.checked = checked
  }

  get slotCount(): number {
    return this.slots
  }

  newSlot(): number {
    return this.slots++
  }

  fail(message: string): void {
    this.failure ??= message
  }

  /** Plans with names added for macros' variables. */
  withLocals<T>(locals: readonly (readonly [string, Local])[], plan: () => T): T {
    for (const [name, local] of locals) this.locals.push({ name, local })
    const planned = plan()
    this.locals.length -= locals.length
    return planned
  }

  reference(node: Expression): Reference | undefined {
    return this.checked.references.get(node)
  }

  local(name: string): Local | undefined {
    return this.locals.findLast((entry) => entry.name === name)?.local
  }

  plan(node: Expression): Planned {
    const reference = this.reference(node)
    if (reference?.kind === 'constant' && node.kind !== 'object') return constantOf(reference.value)
    if (reference?.kind === 'variable') return this.planVariable(reference.name)
    switch (node.kind) {
      case 'literal':
        return constantOf(node.value)
      case 'identifier':
        return this.planLocal(node)
      case 'select':
        return this.planSelect(node)
      case 'call':
        return planCall(this, node)
      case 'list':
        return this.planList(node)
      case 'map':
        return this.planMap(node)
      case 'object':
        return this.planObject(node)
      case 'comprehension':
        return planFold(this, node)
    }
  }

  private planVariable(name: string): Planned {
    this.variables.add(name)
    const missing = new CelError(`no such attribute(s): ${name}`)
    const step: Step = (frame) => {
      charge(frame, 1)
      const value = frame.bindings.get(name)
      return value === undefined ? missing : value
    }
    return { step, isPath: true }
  }

  private planLocal({ name }: Identifier): Planned {
    const local = this.local(name)
    if (local === undefined) return { step: () => new CelError(`no such attribute(s): ${name}`) }
    const { slot, make } = local
    const step: Step = (frame) => {
      charge(frame, 1)
      const value = frame.slots[slot]
      if (value !== undefined) return value
      const made = make === undefined ? null : make(frame)
      frame.slots[slot] = made
      return made
    }
    return { step, isPath: true }
  }

  private planSelect({ operand, field, test }: Select): Planned {
    const { step: read, isPath } = this.plan(operand)
    const cost = (test ? 0 : 1) + (isPath ? 0 : 1)
    const access = test ? isSet : select
    const step: Step = (frame) => {
      const value = read(frame)
      charge(frame, cost)
      return value instanceof CelError ? value : access(value, field)
    }
    return { step, isPath: true }
  }

  private planList({ elements, optional }: ListLiteral): Planned {
    const planned = elements.map((element) => this.plan(element))
    const constants = constantsOf(planned)
    if (constants !== undefined && optional.size === 0) return constantOf(new ArrayList(constants))
    const steps = planned.map(({ step }) => step)
    return { step: (frame) => makeList(frame, steps, optional) }
  }

  private planMap({ entries }: MapLiteral): Planned {
    const keys = entries.map(({ key }) => this.plan(key))
    const values = entries.map(({ value }) => this.plan(value))
    const parts = entries.map(({ optional }, index) => ({
      key: keys[index]?.step ?? noStep,
      value: values[index]?.step ?? noStep,
      optional,
    }))
    const step: Step = (frame) => makeMap(frame, parts)
    const isConstant = constantsOf(keys) !== undefined && constantsOf(values) !== undefined
    if (!isConstant || entries.some(({ optional }) => optional)) return { step }
    const made = step({ bindings: new Map(), slots: [], cost: 0, budget: Number.POSITIVE_INFINITY })
    return made instanceof CelError ? { step } : constantOf(made)
  }

  private planObject(node: ObjectLiteral): Planned {
    const reference = this.reference(node)
    if (reference?.kind !== 'object') return { step: () => new CelError(`unknown type: ${node.type}`) }
    const { declaration } = reference
    const fields = node.fields.map(({ key, value, optional }) => ({
      name: key,
      value: this.plan(value).step,
      optional,
    }))
    return { step: (frame) => makeObject(frame, declaration, fields) }
  }
}

const noStep: Step = () => null

function makeList(frame: Frame, steps: readonly Step[], optional: ReadonlySet<number>): Result {
  const values: CelValue[] = []
  for (let index = 0; index < steps.length; index++) {
    const value = steps[index]?.(frame) ?? null
    if (value instanceof CelError) return value
    if (!optional.has(index)) values.push(value)
    else if (!(value instanceof OptionalValue)) return notOptional('list element', value)
    else if (value.value !== undefined) values.push(value.value)
  }
  charge(frame, LIST_COST)
  return new ArrayList(values)
}

function notOptional(what: string, value: CelValue): CelError {
  return new CelError(`cannot initialize optional ${what} from non-optional value ${String(value)}`)
}

interface EntrySteps {
  readonly key: Step
  readonly value: Step
  readonly optional: boolean
}

function makeMap(frame: Frame, parts: readonly EntrySteps[]): Result {
  const entries = new Map<MapKey, readonly [CelValue, CelValue]>()
  for (const { key: keyStep, value: valueStep, optional } of parts) {
    const key = keyStep(frame)
    if (key instanceof CelError) return key
    const value = valueStep(frame)
    if (value instanceof CelError) return value
    const plain = typeof key === 'number' ? undefined : mapKey(key)
    if (plain === undefined) return new CelError('unsupported key type')
    let held: CelValue | undefined = value
    if (optional) {
      if (!(value instanceof OptionalValue)) return notOptional(`entry '${String(key)}'`, value)
      held = value.value
    }
    if (entries.has(plain)) return new CelError(`Failed with repeated key: ${String(plain)}`)
    if (held !== undefined) entries.set(plain, [key, held])
  }
  charge(frame, MAP_COST)
  return new EntryMap(entries)
}

interface FieldSteps {
  readonly name: string
  readonly value: Step
  readonly optional: boolean
}

function makeObject(frame: Frame, { type, construct }: ObjectDeclaration, parts: readonly FieldSteps[]): Result {
  const fields = new Map<string, CelValue>()
  for (const { name, value: valueStep, optional } of parts) {
    const value = valueStep(frame)
    if (value instanceof CelError) return value
    if (!optional) fields.set(name, value)
    else if (!(value instanceof OptionalValue)) return notOptional(`entry '${name}'`, value)
    else if (value.value !== undefined) fields.set(name, value.value)
  }
  charge(frame, OBJECT_COST)
  return construct?.(fields) ?? new CelError(`unknown type: ${type.name}`)
}
