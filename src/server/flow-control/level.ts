/** A priority level as it is now: what its object says, its limits, its requests, and what it was asked for of late. */

import type { PriorityLevelConfiguration } from '../../apis/flowcontrol/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import { LevelMeter } from './level-meter.ts'
import { type Demand, demandAfter, type Limits, NO_DEMAND, widthMaxOf } from './limits.ts'
import type { Pace } from './pace.ts'
import { QueueSet } from './queue-set.ts'

export class Level {
  readonly name: string
  readonly exempt: boolean
  readonly meter: LevelMeter
  readonly queues: QueueSet
  object: PriorityLevelConfiguration
  limits: Limits = { nominal: 0, lower: 0, upper: 0 }
  demand: Demand = NO_DEMAND
  /** Its part of what all levels could be given. */
  target = 0
  /** Undefined until it is known how many seats there are for it. */
  current: number | undefined
  readonly #clock: Clock

  constructor(object: PriorityLevelConfiguration, clock: Clock, pace: Pace) {
    this.object = object
    this.name = object.metadata.name ?? ''
    this.exempt = object.spec.type === 'Exempt'
    this.#clock = clock
    this.meter = new LevelMeter(this.exempt, clock.monotonic())
    this.queues = new QueueSet({ clock, pace, meter: this.meter, exempt: this.exempt })
  }

  /** 0: what finds no seats does not wait. */
  get queueCount(): number {
    return this.#queuing?.queues ?? 0
  }

  get handSize(): number {
    return this.#queuing?.handSize ?? 0
  }

  get widthMax(): number | undefined {
    return widthMaxOf(this.object.spec, this.limits)
  }

  /** Takes in what was asked for since the last call. */
  observe(): void {
    this.demand = demandAfter(this.demand, this.meter.demandSeats.take(this.#clock.monotonic()))
  }

  /** From now on there are so many seats. `denominator`: what use is compared with. */
  limitTo(seats: number, denominator: number): void {
    this.current = seats
    const nowMs = this.#clock.monotonic()
    const { queues, queueLengthLimit = 0 } = this.#queuing ?? {}
    this.meter.seatUse.setDenominator(denominator, nowMs)
    this.meter.requestsRunning.setDenominator(denominator, nowMs)
    this.meter.demandRatio.setDenominator(denominator, nowMs)
    this.meter.requestsWaiting.setDenominator(Math.max(1, queueLengthLimit) * Math.max(1, queues ?? 0), nowMs)
    this.queues.configure({ queues: queues ?? 0, queueLengthMax: queueLengthLimit }, seats)
  }

  get #queuing() {
    return this.object.spec.limited?.limitResponse?.queuing
  }
}
