/** Levels on a clock that stands still: who runs, who waits, and what part of the seats each flow gets. */

import { beforeEach, describe, expect, test } from 'vitest'
import { createFakeClock, type FakeClock } from '../../base/fake-clock.ts'
import { dealHand } from './dealer.ts'
import { Integrator } from './integrator.ts'
import { LevelMeter } from './level-meter.ts'
import { AT_ONCE, type Pace } from './pace.ts'
import { QueueSet } from './queue-set.ts'
import { type Flow, ONE_SEAT, Ticket, type Work } from './ticket.ts'

let clock: FakeClock
beforeEach(() => {
  clock = createFakeClock()
})

interface LevelOptions {
  readonly limit: number
  readonly queues?: number
  readonly handSize?: number
  readonly queueLengthMax?: number
  readonly exempt?: boolean
  readonly pace?: Pace
}

function level({
  limit,
  queues = 8,
  handSize = 1,
  queueLengthMax = 100,
  exempt = false,
  pace = AT_ONCE,
}: LevelOptions) {
  const set = new QueueSet({ clock, exempt, pace, meter: new LevelMeter(exempt, clock.monotonic()) })
  set.configure({ queues, queueLengthMax }, limit)
  const flowOf = (distinguisher: string, hand = dealHand('schema', distinguisher, queues, handSize)): Flow => ({
    ...{ schema: 'schema', level: 'level', distinguisher, hand, queues: set, headers: {}, widthMax: undefined },
    counts: set.meter.countsOf('schema'),
  })
  const start = (flow: Flow, work: Work = ONE_SEAT, unqueued = false): Ticket => {
    const target = { type: 'path', path: '/', verb: 'get' } as const
    const ticket = new Ticket(flow, work, { target, user: flow.distinguisher, arrivedMs: clock.monotonic() })
    set.start(ticket, unqueued)
    return ticket
  }
  const finish = (ticket: Ticket): void => {
    ticket.endedMs = clock.monotonic()
    set.finish(ticket)
  }
  return { set, flowOf, start, finish }
}

const seats = (count: number): Work => ({ seats: count, finalSeats: 0, finalMs: 0 })

interface Caller {
  readonly flow: Flow
  /** Requests that it keeps in flight. */
  readonly threads: number
  readonly work?: Work
  readonly takesMs?: number
  readonly pausesMs?: number
}

/** How many seats each caller had on average, while all of them kept asking. */
async function shares(
  { start, finish }: ReturnType<typeof level>,
  callers: readonly Caller[],
): Promise<readonly number[]> {
  const used = callers.map(({ threads, flow, work = ONE_SEAT, takesMs = 100, pausesMs = 0 }) => {
    const integrator = new Integrator(clock.monotonic())
    let seatsInUse = 0
    const change = (by: number) => {
      seatsInUse += by
      integrator.set(seatsInUse, clock.monotonic())
    }
    const thread = async () => {
      for (;;) {
        const ticket = start(flow, work)
        if (ticket.standing === 'waiting') await new Promise<void>((resolve) => (ticket.settle = resolve))
        if (ticket.standing === 'running') {
          change(ticket.width)
          await clock.sleep(takesMs)
          change(-ticket.width)
          finish(ticket)
        }
        await clock.sleep(pausesMs)
      }
    }
    for (let index = 0; index < threads; index++) void thread()
    return integrator
  })
  await clock.advance(5_000)
  for (const integrator of used) integrator.take(clock.monotonic())
  await clock.advance(20_000)
  return used.map((integrator) => integrator.take(clock.monotonic()).average)
}

describe('seats are divided', () => {
  test('evenly between a flow that asks for much and one that asks for more', async () => {
    const all = level({ limit: 4 })
    const callers = [
      { flow: all.flowOf('greedy', [0]), threads: 40 },
      { flow: all.flowOf('modest', [1]), threads: 5 },
    ]
    const [greedy, modest] = await shares(all, callers)
    expect(greedy).toBeCloseTo(2, 0)
    expect(modest).toBeCloseTo(2, 0)
  })

  test('so that a flow that asks for little gets all of it', async () => {
    const all = level({ limit: 4 })
    const callers = [
      { flow: all.flowOf('greedy', [0]), threads: 40 },
      { flow: all.flowOf('modest', [1]), threads: 1, pausesMs: 100 },
    ]
    const [greedy, modest] = await shares(all, callers)
    expect(modest).toBeGreaterThan(0.3)
    expect((greedy ?? 0) + (modest ?? 0)).toBeGreaterThan(3.9)
  })

  test('by seats, not by requests, where some are wide', async () => {
    const all = level({ limit: 6 })
    const callers = [
      { flow: all.flowOf('wide', [0]), threads: 20, work: seats(3) },
      { flow: all.flowOf('narrow', [1]), threads: 20 },
    ]
    const [wide, narrow] = await shares(all, callers)
    expect(wide).toBeCloseTo(3, 0)
    expect(narrow).toBeCloseTo(3, 0)
  })

  test('by time, not by requests, where some last longer', async () => {
    const all = level({ limit: 4 })
    const callers = [
      { flow: all.flowOf('long', [0]), threads: 20, takesMs: 500 },
      { flow: all.flowOf('short', [1]), threads: 20, takesMs: 100 },
    ]
    const [long, short] = await shares(all, callers)
    expect(long).toBeCloseTo(2, 0)
    expect(short).toBeCloseTo(2, 0)
  })

  test('among three flows of many queues', async () => {
    const all = level({ limit: 9, queues: 64, handSize: 6 })
    const callers = ['a', 'b', 'c'].map((name, index) => ({
      flow: all.flowOf(name, [index]),
      threads: 10 + 20 * index,
    }))
    for (const share of await shares(all, callers)) expect(share).toBeCloseTo(3, 0)
  })
})

describe('a request', () => {
  test('runs at once while there are seats, and the next one when they are given back', () => {
    const { start, finish, flowOf } = level({ limit: 1 })
    const first = start(flowOf('a'))
    const second = start(flowOf('a'))
    expect([first.standing, second.standing]).toEqual(['running', 'waiting'])
    finish(first)
    expect([first.standing, second.standing]).toEqual(['over', 'running'])
  })

  test('of another flow is not behind all of those that came before it', () => {
    const { start, finish, flowOf } = level({ limit: 1 })
    const [greedy, other] = [flowOf('greedy', [0]), flowOf('other', [1])]
    const running = start(greedy)
    const waiting = Array.from({ length: 10 }, () => start(greedy))
    const last = start(other)
    finish(running)
    expect(last.standing).toBe('running')
    finish(last)
    expect(waiting.map(({ standing }) => standing)).toEqual(['running', ...Array(9).fill('waiting')])
  })

  test('is turned away when its queue is full', () => {
    const { start, set, flowOf } = level({ limit: 1, queueLengthMax: 2 })
    const standings = Array.from({ length: 4 }, () => start(flowOf('a', [0])).standing)
    expect(standings).toEqual(['running', 'waiting', 'waiting', 'queue-full'])
    expect(start(flowOf('b', [1])).standing).toBe('waiting')
    expect(set.meter.countsOf('schema').rejected).toEqual(new Map([['queue-full', 1]]))
  })

  test('that waits for the event loop only is turned away when too many do', () => {
    const hurried: Pace = { ...AT_ONCE, hasTime: () => false, wake: () => {} }
    const { start, flowOf } = level({ limit: 10_000, queueLengthMax: 2, pace: hurried })
    const flow = flowOf('a', [0])
    const standings = Array.from({ length: 1_001 }, () => start(flow).standing)
    expect(standings.filter((standing) => standing === 'waiting').length).toBe(1_000)
    expect(standings.at(-1)).toBe('queue-full')
  })

  test('takes the emptiest queue of its hand', () => {
    const { start, set, flowOf } = level({ limit: 1 })
    start(flowOf('a', [5]))
    for (let index = 0; index < 6; index++) start(flowOf('a', [1, 2, 3]))
    expect([1, 2, 3].map((index) => set.queueAt(index)?.waiting.size)).toEqual([2, 2, 2])
  })

  test('is turned away where there are no queues and no seats', () => {
    const { start, flowOf } = level({ limit: 2, queues: 0 })
    const standings = Array.from({ length: 3 }, () => start(flowOf('a', [0])).standing)
    expect(standings).toEqual(['running', 'running', 'concurrency-limit'])
  })

  test('that is exempt never waits', () => {
    const { start, flowOf, set } = level({ limit: 0, exempt: true })
    expect(Array.from({ length: 5 }, () => start(flowOf('a')).standing)).toEqual(Array(5).fill('running'))
    expect(set.seatsInUse).toBe(5)
  })

  test('of a component of this process takes seats beyond the limit, and those who wait go on waiting', () => {
    const { start, finish, flowOf } = level({ limit: 1 })
    const components = [start(flowOf('a'), ONE_SEAT, true), start(flowOf('a'), ONE_SEAT, true)]
    const caller = start(flowOf('a'))
    expect([...components, caller].map(({ standing }) => standing)).toEqual(['running', 'running', 'waiting'])
    for (const component of components) finish(component)
    expect(caller.standing).toBe('running')
  })

  test('that is wider than its level runs alone', () => {
    const { start, finish, flowOf } = level({ limit: 4 })
    const first = start(flowOf('a', [0]))
    const wide = start(flowOf('b', [1]), seats(10))
    const behind = start(flowOf('c', [2]))
    // The wide one is not overtaken for ever: whoever would end later waits with it.
    expect([wide.standing, behind.standing]).toEqual(['waiting', 'running'])
    finish(first)
    expect(wide.standing).toBe('waiting')
    finish(behind)
    expect(wide.standing).toBe('running')
    expect(start(flowOf('a', [0])).standing).toBe('waiting')
  })

  test('that leaves its queue makes room, and is told so', () => {
    const { start, finish, flowOf, set } = level({ limit: 1 })
    const first = start(flowOf('a'))
    const gone = start(flowOf('a'))
    const next = start(flowOf('a'))
    let told = 0
    gone.settle = () => void told++
    set.leave(gone)
    set.leave(gone)
    expect([gone.standing, told, set.waitingCount]).toEqual(['time-out', 1, 1])
    finish(first)
    expect(next.standing).toBe('running')
  })

  test('that left work behind keeps its seats until that is done', async () => {
    const { start, finish, flowOf } = level({ limit: 2 })
    const write = start(flowOf('a', [0]), { seats: 1, finalSeats: 2, finalMs: 5 })
    const next = start(flowOf('b', [1]))
    finish(write)
    expect(next.standing).toBe('waiting')
    await clock.advance(5)
    expect(next.standing).toBe('running')
  })

  test('does what it leaves behind with the seats there are, for longer', () => {
    const { start, flowOf } = level({ limit: 2 })
    const write = start(flowOf('a'), { seats: 1, finalSeats: 10, finalMs: 5 })
    expect([write.finalSeats, write.finalMs]).toEqual([2, 25])
  })
})

describe('a level', () => {
  test('lets more run as soon as it has more seats', () => {
    const { start, flowOf, set } = level({ limit: 1 })
    const tickets = Array.from({ length: 4 }, () => start(flowOf('a')))
    set.configure({ queues: 8, queueLengthMax: 100 }, 3)
    expect(tickets.map(({ standing }) => standing)).toEqual(['running', 'running', 'running', 'waiting'])
  })

  test('that gets fewer seats takes none away', () => {
    const { start, finish, flowOf, set } = level({ limit: 3 })
    const tickets = Array.from({ length: 4 }, () => start(flowOf('a')))
    set.configure({ queues: 8, queueLengthMax: 100 }, 1)
    for (const ticket of tickets.slice(0, 2)) finish(ticket)
    expect(tickets[3]?.standing).toBe('waiting')
    for (const ticket of tickets.slice(2, 3)) finish(ticket)
    expect(tickets[3]?.standing).toBe('running')
  })

  test('that is to have no queues any more serves those in them', () => {
    const { start, finish, flowOf, set } = level({ limit: 1 })
    const [first, second] = [start(flowOf('a')), start(flowOf('a'))]
    set.configure({ queues: 0, queueLengthMax: 0 }, 1)
    expect(start(flowOf('b', [0])).standing).toBe('concurrency-limit')
    finish(first)
    expect(second.standing).toBe('running')
    finish(second)
    expect(set.isIdle).toBe(true)
    expect(set.busyQueues()).toEqual([])
  })

  test('gives no credit for time in which a flow asked for nothing', async () => {
    const all = level({ limit: 2 })
    const [early, late] = [all.flowOf('early', [0]), all.flowOf('late', [1])]
    const before = [all.start(early), all.start(early)]
    await clock.advance(10_000)
    const waiting = [all.start(early), all.start(early), all.start(late), all.start(late)]
    for (const ticket of before) all.finish(ticket)
    expect(waiting.filter(({ standing }) => standing === 'running').length).toBe(2)
    expect(waiting[2]?.standing).toBe('running')
  })

  test('counts nothing twice: when all is over, nothing is in use', async () => {
    const all = level({ limit: 5, queueLengthMax: 3 })
    const tickets = Array.from({ length: 60 }, (_, index) =>
      all.start(all.flowOf(`user ${index % 7}`), seats(1 + (index % 3))),
    )
    for (const ticket of tickets.slice(30, 40)) all.set.leave(ticket)
    for (
      let running = tickets;
      running.length > 0;
      running = tickets.filter(({ standing }) => standing === 'running')
    ) {
      for (const ticket of running) if (ticket.standing === 'running') all.finish(ticket)
      await clock.advance(3)
    }
    const { set } = all
    expect([set.seatsInUse, set.seatsWaiting, set.waitingCount, set.runningCount]).toEqual([0, 0, 0, 0])
    const { waiting, running, seats: seatsInUse, waitingSeats } = set.meter.countsOf('schema')
    expect([waiting, running, seatsInUse, waitingSeats]).toEqual([0, 0, 0, 0])
  })
})
