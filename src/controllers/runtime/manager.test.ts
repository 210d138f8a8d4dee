import { expect, test } from 'vitest'
import { ADMIN, createTestServer } from '../../../test/support/test-server.ts'
import { configMaps } from '../../apis/core/config-map.ts'
import { AssertionError } from '../../base/assert.ts'
import { createFakeClock } from '../../base/fake-clock.ts'
import { type Logger, silentLogger } from '../../base/log.ts'
import { seededRandom } from '../../base/random.ts'
import { createInformers } from '../../client/informers.ts'
import { createLoopbackTransport } from '../../client/loopback-transport.ts'
import { createClient } from '../../client/resource-client.ts'
import type { LoopController } from './controller.ts'
import { startControllers } from './manager.ts'

async function running(controller: LoopController) {
  const server = createTestServer([configMaps])
  const client = createClient(createLoopbackTransport(server.server.handle, ADMIN))
  const clock = createFakeClock()
  const errors: string[] = []
  const log: Logger = { ...silentLogger, error: (message) => void errors.push(message), child: () => log }
  const parts = { client, clock, random: seededRandom(1), log }
  const informers = createInformers(parts)
  const controllers = startControllers([controller], { ...parts, clientOf: () => parts.client, informers })
  const close = async () => {
    await controllers[Symbol.asyncDispose]()
    await informers[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  }
  return { clock, errors, close }
}

test('a controller that fails is started again, later and later', async () => {
  const startedMs: number[] = []
  const { clock, errors, close } = await running({
    name: 'broken-controller',
    run: async (parts) => {
      startedMs.push(parts.clock.monotonic())
      throw new Error('broken')
    },
  })
  await clock.advance(4_000)
  expect(startedMs).toEqual([0, 500, 1_500, 3_500])
  expect(errors).toHaveLength(4)
  await close()
})

test('one that ran well for long is started again soon', async () => {
  const startedMs: number[] = []
  const { clock, close } = await running({
    name: 'lasting-controller',
    run: async ({ clock: time }, signal) => {
      startedMs.push(time.monotonic())
      await time.sleep(100_000, signal)
      throw new Error('broken')
    },
  })
  await clock.advance(201_000)
  expect(startedMs).toEqual([0, 100_500, 201_000])
  await close()
})

test('one whose assertion failed is not', async () => {
  let starts = 0
  const { clock, close } = await running({
    name: 'wrong-controller',
    run: async () => {
      starts++
      throw new AssertionError('broken')
    },
  })
  await clock.advance(1_000_000)
  expect(starts).toBe(1)
  await close()
})

test('stopping waits for the controllers', async () => {
  let ended = false
  const { close } = await running({
    name: 'slow-controller',
    run: (_parts, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          setImmediate(() => {
            ended = true
            resolve()
          })
        })
      }),
  })
  await close()
  expect(ended).toBe(true)
})
