import { describe, expect, test } from 'vitest'
import { DeadlineExceeded, deadline, QuietAbort } from './deadline.ts'
import { createFakeClock } from './fake-clock.ts'

describe('a deadline', () => {
  test('aborts when its time is over', async () => {
    const clock = createFakeClock()
    using limit = deadline(clock, 1_000)
    await clock.advance(999)
    expect(limit.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(limit.signal.reason).toBeInstanceOf(DeadlineExceeded)
  })

  test('aborts with its parent, for the same reason, and leaves no timer behind', () => {
    const clock = createFakeClock()
    const parent = new AbortController()
    const limit = deadline(clock, 1_000, parent.signal)
    expect(clock.pending).toBe(1)
    parent.abort('gone')
    expect(limit.signal.reason).toBe('gone')
    expect(clock.pending).toBe(0)
  })

  test('of a parent that has aborted already has', () => {
    const clock = createFakeClock()
    expect(deadline(clock, 1_000, AbortSignal.abort('gone')).signal.reason).toBe('gone')
    expect(clock.pending).toBe(0)
  })

  test('that was disposed of never aborts', async () => {
    const clock = createFakeClock()
    const parent = new AbortController()
    const limit = deadline(clock, 1_000, parent.signal)
    limit[Symbol.dispose]()
    parent.abort('gone')
    await clock.advance(2_000)
    expect(limit.signal.aborted).toBe(false)
  })
})

describe('a quiet abort', () => {
  test('aborts as any other, and tells the one who waits once', () => {
    const abort = new QuietAbort()
    const told: string[] = []
    abort.signal.addEventListener('abort', () => told.push('event'))
    abort.onAbort = () => told.push(`call, ${abort.signal.aborted}`)
    abort.abort('enough')
    abort.abort('again')
    expect(abort.signal.reason).toBe('enough')
    expect(told).toEqual(['event', 'call, true'])
  })

  test('who waits no longer is not told', () => {
    const abort = new QuietAbort()
    const told: string[] = []
    abort.onAbort = () => told.push('call')
    abort.onAbort = undefined
    abort.abort()
    expect([told, abort.signal.aborted]).toEqual([[], true])
  })
})
