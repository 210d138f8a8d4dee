import { describe, expect, test } from 'vitest'
import { ADMIN, createTestServer } from '../../test/support/test-server.ts'
import { leases } from '../apis/coordination/lease.ts'
import { silentLogger } from '../base/log.ts'
import type { Handler } from '../machinery/wire/message.ts'
import { leadWhenElected } from './leader-election.ts'
import { createLoopbackTransport } from './loopback-transport.ts'
import { createClient } from './resource-client.ts'

const LEASE = { namespace: 'kube-system', name: 'test' }

function world() {
  const server = createTestServer([leases])
  const client = createClient(createLoopbackTransport(server.server.handle, ADMIN))
  const candidates: Candidate[] = []
  /** Candidates wait for answers of a real server between the clock's timers: let them come. */
  const advance = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      await server.clock.advance(500)
      for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    }
  }
  return {
    client,
    advance,
    candidate(identity: string, lead?: (signal: AbortSignal) => Promise<void>): Candidate {
      const candidate = new Candidate(identity, server.server.handle, server.clock, lead)
      candidates.push(candidate)
      return candidate
    },
    spec: async () => (await client.of(leases).get(LEASE)).spec,
    async [Symbol.asyncDispose]() {
      for (const candidate of candidates) candidate.connection = 'up'
      await Promise.all(candidates.map((candidate) => candidate.stop()))
      await server[Symbol.asyncDispose]()
    },
  }
}

type Clock = ReturnType<typeof createTestServer>['clock']

class Candidate {
  connection: 'up' | 'refused' | 'silent' = 'up'
  leading = false
  terms = 0
  readonly #stop = new AbortController()
  readonly #done: Promise<void>

  constructor(
    identity: string,
    handle: Handler,
    clock: Clock,
    lead: ((signal: AbortSignal) => Promise<void>) | undefined,
  ) {
    const reached: Handler = (request) => {
      if (this.connection === 'silent') return new Promise(() => {})
      return this.connection === 'up' ? handle(request) : Promise.reject(new Error('connection refused'))
    }
    const election = {
      client: createClient(createLoopbackTransport(reached, ADMIN)),
      clock,
      log: silentLogger,
      lease: LEASE,
      identity,
      leaseDurationMs: 15_000,
      retryPeriodMs: 2_000,
    }
    this.#done = leadWhenElected(election, this.#stop.signal, async (signal) => {
      this.leading = true
      this.terms++
      await (lead ?? aborted)(signal).finally(() => {
        this.leading = false
      })
    })
  }

  stop(): Promise<void> {
    this.#stop.abort()
    return this.#done
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve())
  })
}

describe('election', () => {
  test('the first leads and renews; the second waits', async () => {
    await using w = world()
    const first = w.candidate('a')
    await w.advance(500)
    const second = w.candidate('b')
    await w.advance(60_000)
    expect([first.leading, first.terms, second.leading]).toEqual([true, 1, false])
    expect(await w.spec()).toMatchObject({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      acquireTime: '2026-01-01T00:00:00.000000Z',
    })
  })

  test('a leader that leaves gives the lease back: the next leads at its next try', async () => {
    await using w = world()
    const first = w.candidate('a')
    await w.advance(500)
    const second = w.candidate('b')
    await w.advance(4_000)
    await first.stop()
    await w.advance(2_500)
    expect([first.leading, second.leading]).toEqual([false, true])
    expect(await w.spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 })
  })

  for (const connection of ['refused', 'silent'] as const)
    test(`a leader whose connection is ${connection} steps down before another takes over`, async () => {
      await using w = world()
      const first = w.candidate('a')
      await w.advance(500)
      const second = w.candidate('b')
      await w.advance(4_000)
      first.connection = connection
      let both = false
      let stepped = 0
      for (let passed = 0; passed < 30_000; passed += 500) {
        await w.advance(500)
        if (first.leading && second.leading) both = true
        if (!first.leading && stepped === 0) stepped = passed
      }
      expect([both, first.leading, second.leading]).toEqual([false, false, true])
      expect(stepped).toBeLessThanOrEqual(12_000)
    })
})

test('a leader that fails leads again after a pause, not at once', async () => {
  await using w = world()
  const only = w.candidate('a', () => Promise.reject(new Error('broken')))
  await w.advance(10_000)
  expect(only.terms).toBeGreaterThan(1)
  expect(only.terms).toBeLessThanOrEqual(6)
})
