import { expect, test } from 'vitest'
import { SharedTimer, type Timer } from './clock.ts'
import { createFakeClock } from './fake-clock.ts'
import { seededRandom } from './random.ts'

test('of a shared timer, each runs once, when its own delay is over; one timer stands for all', async () => {
  const clock = createFakeClock()
  const shared = new SharedTimer(clock, 100)
  const run: string[] = []
  shared.start(() => run.push('a'))
  await clock.advance(40)
  shared.start(() => run.push('b'))
  expect(clock.pending).toBe(1)
  await clock.advance(59)
  expect(run).toEqual([])
  await clock.advance(1)
  expect(run).toEqual(['a'])
  await clock.advance(39)
  expect(run).toEqual(['a'])
  await clock.advance(1)
  expect(run).toEqual(['a', 'b'])
  await clock.advance(1_000)
  expect(run).toEqual(['a', 'b'])
  expect(clock.pending).toBe(0)
})

test('what was cancelled of a shared timer never runs, also not by one that is due at the same moment', async () => {
  const clock = createFakeClock()
  const shared = new SharedTimer(clock, 100)
  const run: string[] = []
  const timers: Timer[] = []
  timers.push(shared.start(() => run.push('a')))
  timers.push(
    shared.start(() => {
      run.push('b')
      timers[2]?.cancel()
    }),
  )
  timers.push(shared.start(() => run.push('c')))
  timers[0]?.cancel()
  timers[0]?.cancel()
  await clock.advance(100)
  expect(run).toEqual(['b'])
})

test('one that begins with a shared timer while others run waits its whole time', async () => {
  const clock = createFakeClock()
  const shared = new SharedTimer(clock, 100)
  const run: string[] = []
  shared.start(() => {
    run.push('a')
    shared.start(() => run.push('b'))
  })
  await clock.advance(199)
  expect(run).toEqual(['a'])
  await clock.advance(1)
  expect(run).toEqual(['a', 'b'])
})

test('however those of a shared timer begin and are cancelled, they run as timers of their own would', async () => {
  const clock = createFakeClock()
  const random = seededRandom(7)
  const shared = new SharedTimer(clock, 50)
  const own: string[] = []
  const together: string[] = []
  const pairs: (readonly [Timer, Timer])[] = []
  for (let step = 0; step < 500; step++) {
    const told = (list: string[]) => () => void list.push(`${step} at ${clock.monotonic()}`)
    pairs.push([clock.after(50, told(own)), shared.start(told(together))])
    const chosen = random.next() < 0.5 ? pairs[Math.floor(random.next() * pairs.length)] : undefined
    for (const timer of chosen ?? []) timer.cancel()
    if (random.next() < 0.7) await clock.advance(Math.floor(random.next() * 20))
  }
  await clock.advance(1_000)
  expect(together).toEqual(own)
  expect(own.length).toBeGreaterThan(100)
})
