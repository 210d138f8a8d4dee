import { describe, expect, test } from 'vitest'
import { MANDATORY_LEVELS, SUGGESTED_LEVELS } from '../../apis/flowcontrol/built-in-flows.ts'
import { seededRandom } from '../../base/random.ts'
import { allocate } from './allocation.ts'
import { dealHand } from './dealer.ts'
import {
  type Borrower,
  demandAfter,
  initialLimit,
  limitsOf,
  NO_DEMAND,
  planBorrowing,
  SEATS_TOTAL,
  widthMaxOf,
} from './limits.ts'

const LEVELS = { ...MANDATORY_LEVELS, ...SUGGESTED_LEVELS }
const SHARES = 245

describe('the levels that a server makes', () => {
  test.each([
    ['exempt', 0, 0, 600, undefined],
    ['catch-all', 13, 13, 613, undefined],
    ['system', 74, 50, 674, 12],
    ['node-high', 98, 73, 698, 15],
    ['leader-election', 25, 25, 625, 4],
    ['workload-high', 98, 49, 698, 15],
    ['workload-low', 245, 24, 845, 37],
    ['global-default', 49, 24, 649, 8],
  ])("%s has upstream's limits", (name, nominal, lower, upper, width) => {
    const spec = LEVELS[name]
    if (spec === undefined) throw new Error(name)
    const limits = limitsOf(spec, SHARES, SEATS_TOTAL)
    expect(limits).toEqual({ nominal, lower, upper })
    expect(widthMaxOf(spec, limits)).toBe(width)
  })

  test('begin with half of what they may lend', () => {
    expect(initialLimit({ nominal: 245, lower: 24, upper: 845 })).toBe(135)
  })

  test('borrow no more than they may', () => {
    const spec = { type: 'Limited', limited: { nominalConcurrencyShares: 1, borrowingLimitPercent: 50 } }
    expect(limitsOf(spec, 3, 60)).toEqual({ nominal: 20, lower: 20, upper: 30 })
  })
})

describe('borrowing', () => {
  const level = (nominal: number, lendable: number, asked: number, exempt = false): Borrower => ({
    ...{ exempt, current: nominal },
    limits: { nominal, lower: nominal - lendable, upper: nominal + 600 },
    demand: demandAfter(NO_DEMAND, { durationMs: 10_000, average: asked, deviation: 0, highest: asked }),
  })

  test('a level that is flooded gets what the others do not use', () => {
    const { current } = planBorrowing([level(100, 50, 500), level(100, 50, 0), level(100, 50, 10)])
    expect(current).toEqual([200, 50, 50])
  })

  test('nobody gives up what is used', () => {
    const { current } = planBorrowing([level(100, 50, 500), level(100, 50, 80), level(100, 50, 100)])
    expect(current).toEqual([120, 80, 100])
  })

  test('whoever may not lend keeps all', () => {
    expect(planBorrowing([level(100, 0, 0), level(100, 100, 0), level(100, 0, 500)]).current).toEqual([100, 0, 200])
  })

  test('what is exempt takes what it needs, and the others keep their least', () => {
    const { current, fairFraction } = planBorrowing([level(0, 0, 500, true), level(100, 40, 500), level(100, 60, 500)])
    expect(current).toEqual([500, 60, 40])
    expect(fairFraction).toBe(0)
  })

  test('what is left when that does not suffice is divided in equal parts of what was lent', () => {
    const { current } = planBorrowing([level(0, 0, 50, true), level(100, 40, 500), level(100, 60, 500)])
    expect(current).toEqual([50, 80, 70])
  })

  test('demand of the past fades away slowly', () => {
    const busy = demandAfter(NO_DEMAND, { durationMs: 10_000, average: 80, deviation: 20, highest: 120 })
    expect(busy).toEqual({ highest: 120, average: 80, deviation: 20, smoothed: 100 })
    let demand = busy
    for (let period = 0; period < 30; period++)
      demand = demandAfter(demand, { durationMs: 10_000, average: 0, deviation: 0, highest: 0 })
    expect(demand.smoothed).toBeCloseTo(50, 0)
    expect(demandAfter(busy, { durationMs: 0, average: 0, deviation: 0, highest: 3 })).toEqual({ ...busy, highest: 3 })
  })
})

describe('a sum is divided', () => {
  test.each<readonly [string, number, readonly (readonly [number, number, number])[], readonly number[] | undefined]>([
    [
      'in proportion to targets',
      30,
      [
        [10, 0, 100],
        [20, 0, 100],
      ],
      [10, 20],
    ],
    [
      'not above what is most',
      30,
      [
        [10, 0, 5],
        [10, 0, 100],
      ],
      [5, 25],
    ],
    [
      'not below what is least',
      30,
      [
        [20, 20, 100],
        [100, 0, 100],
      ],
      [20, 10],
    ],
    [
      'to those who want nothing as well, when it must be',
      30,
      [
        [0, 0, 100],
        [0, 0, 100],
      ],
      [15, 15],
    ],
    [
      'not at all, when there is too much',
      30,
      [
        [1, 0, 5],
        [1, 0, 5],
      ],
      undefined,
    ],
    [
      'not at all, when there is too little',
      30,
      [
        [20, 20, 50],
        [20, 20, 50],
      ],
      undefined,
    ],
    [
      'exactly, when nobody has a choice',
      40,
      [
        [20, 20, 50],
        [20, 20, 50],
      ],
      [20, 20],
    ],
  ])('%s', (_, sum, claims, expected) => {
    const allocation = allocate(
      sum,
      claims.map(([target, least, most]) => ({ target, least, most })),
    )
    expect(allocation?.shares.map((share) => Math.round(share * 1_000) / 1_000)).toEqual(expected)
  })

  test('by one fraction for everybody whom no bound holds', () => {
    const random = seededRandom(1)
    for (let round = 0; round < 300; round++) {
      const claims = Array.from({ length: 1 + Math.floor(random.next() * 8) }, () => {
        const least = Math.max(0, random.next() * 5 - 1)
        return { least, target: least + 2 * random.next(), most: least + 3 * random.next() }
      })
      const [low, high] = [
        claims.reduce((sum, { least }) => sum + least, 0),
        claims.reduce((sum, { most }) => sum + most, 0),
      ]
      const sum = low + (high - low) * random.next()
      const allocation = allocate(sum, claims)
      expect(allocation?.shares.reduce((total, share) => total + share, 0)).toBeCloseTo(sum, 5)
      for (const [index, { least, target, most }] of claims.entries()) {
        const wished = Math.max(target, 0.001) * (allocation?.fairFraction ?? 0)
        expect(allocation?.shares[index]).toBeCloseTo(Math.min(most, Math.max(least, wished)), 5)
      }
    }
  })
})

describe('hands', () => {
  test.each([
    ['global-default', 'jane', 128, 6, [24, 0, 86, 104, 74, 31]],
    ['system-nodes', 'system:node:n1', 64, 6, [36, 37, 40, 20, 55, 27]],
    ['a', '', 7, 7, [1, 5, 3, 6, 0, 4, 2]],
  ])('%s/%s of %d queues are those that upstream deals', (schema, distinguisher, queues, handSize, expected) => {
    expect(dealHand(schema, distinguisher, queues, handSize)).toEqual(expected)
  })

  test('have no queue twice', () => {
    for (let user = 0; user < 200; user++) {
      const hand = dealHand('schema', `user ${user}`, 16, 5)
      expect(new Set(hand).size).toBe(5)
      expect(hand.every((queue) => queue >= 0 && queue < 16)).toBe(true)
    }
  })
})
