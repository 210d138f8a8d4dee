/**
 * From the objects of the API to levels and schemas in use. Everything is digested together, whenever an object has
 * changed: levels that are new begin, those that are gone serve whom they hold and take nobody else, and the two that
 * must be there are, whether an object says so or not.
 */

import { MANDATORY_FLOWS, MANDATORY_LEVELS } from '../../apis/flowcontrol/built-in-flows.ts'
import type { FlowSchema, PriorityLevelConfiguration } from '../../apis/flowcontrol/types.gen.ts'
import { assert } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import { Classifier } from './classifier.ts'
import { dealHand } from './dealer.ts'
import { Level } from './level.ts'
import { initialLimit, limitsOf, planBorrowing, SEATS_TOTAL, sharesOf } from './limits.ts'
import type { Pace } from './pace.ts'
import type { Flow } from './ticket.ts'

/** The objects, from memory. */
export interface FlowObjects {
  schemas(): readonly FlowSchema[]
  levels(): readonly PriorityLevelConfiguration[]
  /** Another number after every change of one of them. */
  readonly changedAt: number
}

/** Flows that a schema remembers, about 400 bytes each; with one more all are forgotten, and their hands dealt anew. */
const FLOWS_MAX = 1_000

export interface Means {
  readonly clock: Clock
  readonly pace: Pace
  /** Of all levels together. Absent: as many as upstream has. */
  readonly seats?: number | undefined
}

export interface SchemaInUse {
  readonly spec: FlowSchema['spec']
  /** Whose requests are one flow: '' where all are. */
  flowOf(distinguisher: string): Flow
  /** Whether it matters which flow of the schema a request is of. */
  readonly distinguishes: boolean
}

export class Configuration {
  readonly #objects: FlowObjects
  readonly #clock: Clock
  readonly #pace: Pace
  readonly #seats: number
  #levels = new Map<string, Level>()
  #classifier: Classifier<SchemaInUse> | undefined
  #digestedAt: number | undefined
  fairFraction = 0

  constructor(objects: FlowObjects, { clock, pace, seats = SEATS_TOTAL }: Means) {
    this.#objects = objects
    this.#clock = clock
    this.#pace = pace
    this.#seats = seats
  }

  /** As the objects say now. */
  get classifier(): Classifier<SchemaInUse> {
    if (this.#classifier === undefined || this.#objects.changedAt !== this.#digestedAt)
      this.#classifier = this.#digest()
    return this.#classifier
  }

  /** In the order of their names. */
  get levels(): readonly Level[] {
    return [...this.#levels.values()].sort((left, right) => byCodeUnit(left.name, right.name))
  }

  /** Drops levels that nobody wants and nobody uses any more. */
  reap(): void {
    this.#classifier = this.#digest()
  }

  /** Divides the seats anew, by what was asked for since the last time. */
  adjust(): void {
    const levels = [...this.#levels.values()]
    for (const level of levels) level.observe()
    const { current, targets, fairFraction } = planBorrowing(
      levels.map(({ exempt, limits, demand, current }) => ({ exempt, limits, demand, current: current ?? 0 })),
    )
    this.fairFraction = fairFraction
    for (const [index, level] of levels.entries()) {
      const seats = current[index] ?? 0
      level.target = targets[index] ?? 0
      level.limitTo(seats, seats > 0 ? seats : Math.max(1, Math.round(this.#seats / 10)))
    }
  }

  #digest(): Classifier<SchemaInUse> {
    this.#digestedAt = this.#objects.changedAt
    const wanted = new Map(
      withMandatory(this.#objects.levels().filter(isUsable)).map((level) => [nameOf(level), level]),
    )
    const levels = new Map<string, Level>()
    for (const [name, object] of wanted) {
      const level = this.#levels.get(name) ?? new Level(object, this.#clock, this.#pace)
      level.object = object
      level.queues.quiescing = false
      levels.set(name, level)
    }
    for (const [name, level] of this.#levels) {
      if (wanted.has(name) || level.queues.isIdle) continue
      level.queues.quiescing = true
      levels.set(name, level)
    }
    this.#levels = levels
    this.#divide()
    const schemas = inOrder(this.#objects.schemas().filter(({ spec }) => wanted.has(levelNameOf(spec))))
    const inUse = new Map(schemas.map((schema) => [nameOf(schema), this.#schemaInUse(schema)]))
    const catchAll = inUse.get('catch-all')
    assert(catchAll, 'a mandatory schema is in use')
    return new Classifier([...inUse.values()], catchAll)
  }

  #divide(): void {
    const levels = [...this.#levels.values()]
    const shares = levels.reduce((sum, { object }) => sum + sharesOf(object.spec), 0)
    for (const level of levels) {
      level.limits = limitsOf(level.object.spec, shares, this.#seats)
      level.current ??= initialLimit(level.limits)
    }
    this.adjust()
  }

  #schemaInUse({ metadata, spec }: FlowSchema): SchemaInUse {
    const name = metadata.name ?? ''
    const level = this.#levels.get(levelNameOf(spec))
    assert(level, 'a schema in use has a level')
    const { queueCount, handSize, queues, widthMax } = level
    const shared = {
      ...{ schema: name, level: level.name, queues, widthMax, counts: level.meter.countsOf(name) },
      headers: {
        'x-kubernetes-pf-flowschema-uid': metadata.uid ?? '',
        'x-kubernetes-pf-prioritylevel-uid': level.object.metadata.uid ?? '',
      },
    }
    const flows = new Map<string, Flow>()
    return {
      spec,
      distinguishes: queueCount > 1 && spec.distinguisherMethod !== undefined,
      flowOf(distinguisher) {
        const known = flows.get(distinguisher)
        if (known) return known
        const hand = queueCount > 1 ? dealHand(name, distinguisher, queueCount, handSize) : [0]
        const flow = { ...shared, distinguisher, hand }
        if (flows.size >= FLOWS_MAX) flows.clear()
        flows.set(distinguisher, flow)
        return flow
      },
    }
  }
}

/** A level whose parts do not fit together is taken for none. */
function isUsable({ metadata, spec }: PriorityLevelConfiguration): boolean {
  const exempt = spec.type === 'Exempt'
  return exempt === (metadata.name === 'exempt') && exempt === (spec.limited === undefined)
}

function withMandatory(levels: readonly PriorityLevelConfiguration[]): readonly PriorityLevelConfiguration[] {
  const names = new Set(levels.map(nameOf))
  const missing = Object.keys(MANDATORY_LEVELS).filter((name) => !names.has(name))
  return [...levels, ...missing.map(mandatoryLevel)]
}

/** By precedence, then by name. What must be there stands at its place in any case. */
function inOrder(schemas: readonly FlowSchema[]): readonly FlowSchema[] {
  const names = new Set(schemas.map(nameOf))
  const ordered = schemas.toSorted(
    (left, right) =>
      (left.spec.matchingPrecedence ?? 0) - (right.spec.matchingPrecedence ?? 0) ||
      byCodeUnit(nameOf(left), nameOf(right)),
  )
  return [
    ...(names.has('exempt') ? [] : [mandatorySchema('exempt')]),
    ...ordered,
    ...(names.has('catch-all') ? [] : [mandatorySchema('catch-all')]),
  ]
}

function nameOf({ metadata }: FlowSchema | PriorityLevelConfiguration): string {
  return metadata.name ?? ''
}

function levelNameOf({ priorityLevelConfiguration }: FlowSchema['spec']): string {
  return priorityLevelConfiguration.name
}

function mandatoryLevel(name: string): PriorityLevelConfiguration {
  const spec = MANDATORY_LEVELS[name]
  assert(spec, 'a mandatory level is written down')
  return { metadata: { name }, spec }
}

function mandatorySchema(name: string): FlowSchema {
  const spec = MANDATORY_FLOWS[name]
  assert(spec, 'a mandatory schema is written down')
  return { metadata: { name }, spec }
}
