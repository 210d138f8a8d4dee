import { describe, expect, test } from 'vitest'
import { ADMIN, createTestServer } from '../../../test/support/test-server.ts'
import { configMaps } from '../../apis/core/config-map.ts'
import { secrets } from '../../apis/core/secret.ts'
import type { ConfigMap } from '../../apis/core/types.gen.ts'
import { AssertionError } from '../../base/assert.ts'
import { createFakeClock, type FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import { seededRandom } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import { createInformers, type Informers } from '../../client/informers.ts'
import { createLoopbackTransport } from '../../client/loopback-transport.ts'
import { createClient } from '../../client/resource-client.ts'
import { keyText } from '../../machinery/meta/object.ts'
import { createAction, updateAction } from './action.ts'
import { type ControllerParts, defineController, type ReconcilingController } from './controller.ts'
import { createCache } from './manager.ts'
import { runController } from './run.ts'

interface World extends AsyncDisposable {
  readonly client: Client
  readonly informers: Informers
  readonly parts: ControllerParts
  readonly clock: FakeClock
  start(controller: ReconcilingController): Promise<void>
}

function world(): World {
  const server = createTestServer([configMaps, secrets])
  const client = createClient(createLoopbackTransport(server.server.handle, ADMIN))
  const clock = createFakeClock()
  const base = { client, clock, random: seededRandom(1), log: silentLogger }
  const informers = createInformers(base)
  const parts = { ...base, informers, cache: createCache(informers), events: { event: () => {} } }
  const stop = new AbortController()
  const running: Promise<void>[] = []
  return {
    client,
    informers,
    parts,
    clock,
    start(controller) {
      const done = runController(controller, parts, stop.signal)
      running.push(done)
      return done
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.allSettled(running)
      await informers[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

const map = (name: string, data: Record<string, string> = {}) => ({ metadata: { name, namespace: 'default' }, data })

/** A controller of config maps that is told what to plan for each. */
function mapController(plan: ReconcilingController<ConfigMap, ConfigMap>['plan'], workers = 5): ReconcilingController {
  return defineController<ConfigMap, ConfigMap>({
    name: 'test-controller',
    reconciles: configMaps,
    workers,
    observe: (cache, key) => cache.get(configMaps, key),
    plan,
  })
}

describe('the read-your-writes barrier', () => {
  test('a controller that counts up never acts on what it has overwritten', async () => {
    await using w = world()
    const seen: string[] = []
    w.start(
      mapController((object) => {
        const count = Number(object.data?.count ?? 0)
        seen.push(`${count}`)
        if (count >= 20) return { actions: [] }
        return { actions: [updateAction(configMaps, { ...object, data: { count: `${count + 1}` } })] }
      }),
    )
    await w.client.of(configMaps).create(map('a'))
    const current = () => w.informers.of(configMaps).get({ namespace: 'default', name: 'a' })
    await w.informers.of(configMaps).until(() => current()?.data?.count === '20')
    expect(seen.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, index) => `${index}`))
  })

  test('creates what is missing once, however often it is woken', async () => {
    await using w = world()
    w.start(
      defineController<readonly [ConfigMap, number], ConfigMap>({
        name: 'test-controller',
        reconciles: configMaps,
        observe: (cache, key) => {
          const object = cache.get(configMaps, key)
          return object && ([object, cache.list(secrets).length] as const)
        },
        plan: ([object, existing]) => ({
          actions: Array.from({ length: Math.max(0, 3 - existing) }, () =>
            createAction(secrets, { metadata: { generateName: `${object.metadata.name}-`, namespace: 'default' } }),
          ),
        }),
      }),
    )
    await w.client.of(configMaps).create(map('a'))
    for (let round = 0; round < 10; round++) {
      const body = { data: { round: `${round}` } }
      await w.client.of(configMaps).patch({ namespace: 'default', name: 'a' }, { type: 'merge', body })
    }
    await w.informers.of(secrets).until(() => w.informers.of(secrets).list().length >= 3)
    expect((await w.client.of(secrets).list()).items).toHaveLength(3)
  })
})

test('an object is looked at while there may be something to do for it, and once when that ends', async () => {
  await using w = world()
  const looks: string[] = []
  w.start({
    ...mapController(() => ({ actions: [] })),
    concerns: (object: ConfigMap) => object.data?.due === 'yes',
    observe: (cache, key) => {
      looks.push(`${key.name} ${cache.get(configMaps, key)?.data?.due ?? 'gone'}`)
      return undefined
    },
  })
  const set = async (name: string, due: string) => {
    await w.client.of(configMaps).patch({ namespace: 'default', name }, { type: 'merge', body: { data: { due } } })
    await new Promise(setImmediate)
  }
  for (const name of ['never', 'once']) await w.client.of(configMaps).create(map(name, { due: 'no' }))
  for (const due of ['later', 'no']) await set('never', due)
  for (const due of ['yes', 'no', 'later']) await set('once', due)
  await w.client.of(configMaps).delete({ namespace: 'default', name: 'never' })
  await w.informers.of(configMaps).until(() => w.informers.of(configMaps).list().length === 1)
  await new Promise(setImmediate)
  expect(looks).toEqual(['once yes', 'once no'])
})

test('a cache that is first read in a look is filled before the look counts', async () => {
  await using w = world()
  await w.client.of(secrets).create({ metadata: { name: 's', namespace: 'default' } })
  await w.client.of(configMaps).create(map('a'))
  const { promise, resolve } = Promise.withResolvers<number>()
  w.start(
    defineController<number, ConfigMap>({
      name: 'test-controller',
      reconciles: configMaps,
      observe: (cache) => cache.list(secrets).length,
      plan: (count) => {
        resolve(count)
        return { actions: [] }
      },
    }),
  )
  expect(await promise).toBe(1)
})

test('what fails comes back, and the plan is told why', async () => {
  await using w = world()
  const { promise, resolve } = Promise.withResolvers<readonly (string | undefined)[]>()
  const failures: (string | undefined)[] = []
  w.start(
    mapController((_object, _now, failure) => {
      failures.push(failure?.message)
      if (failures.length === 3) resolve(failures)
      return { actions: failures.length === 1 ? [createAction(configMaps, map('BAD_NAME'))] : [], requeueAfterMs: 10 }
    }),
  )
  await w.client.of(configMaps).create(map('a'))
  await w.informers.of(configMaps).whenSynced()
  for (let turn = 0; turn < 100 && failures.length < 3; turn++) {
    await w.clock.advance(10)
    await new Promise(setImmediate)
  }
  expect(await promise).toEqual([undefined, expect.stringContaining('BAD_NAME'), undefined])
})

test('a mistake in one look is tried again and harms no other key', async () => {
  await using w = world()
  const done = new Set<string>()
  w.start(
    mapController((object) => {
      if (object.metadata.name === 'bad') throw new TypeError('a mistake')
      done.add(object.metadata.name ?? '')
      return { actions: [] }
    }, 1),
  )
  for (const name of ['bad', 'good']) await w.client.of(configMaps).create(map(name))
  await w.informers.of(configMaps).until(() => w.informers.of(configMaps).list().length === 2)
  while (!done.has('good')) await new Promise(setImmediate)
})

test('a failed assertion ends the controller', async () => {
  await using w = world()
  const ended = w.start(
    mapController(() => {
      throw new AssertionError('broken')
    }),
  )
  await w.client.of(configMaps).create(map('a'))
  await expect(ended).rejects.toThrow('broken')
})

test('wakes the owner of what it owns, and the keys that a watch names', async () => {
  await using w = world()
  const woken: string[] = []
  w.start(
    defineController<string, ConfigMap>({
      name: 'test-controller',
      reconciles: configMaps,
      owns: [secrets],
      watches: [
        { definition: secrets, keysOf: ({ metadata }) => [{ namespace: 'default', name: `of-${metadata.name}` }] },
      ],
      observe: (_cache, key) => keyText(key),
      plan: (key) => {
        woken.push(key)
        return { actions: [] }
      },
    }),
  )
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: '1', controller: true }
  const others = [
    { ...owner, kind: 'Secret', name: 'x' },
    { ...owner, controller: false, name: 'y' },
  ]
  for (const [name, reference] of [
    ['a', owner],
    ['b', others[0]],
    ['c', others[1]],
  ] as const)
    await w.client
      .of(secrets)
      .create({ metadata: { name, namespace: 'default', ownerReferences: [reference ?? owner] } })
  while (woken.length < 4) await new Promise(setImmediate)
  expect(woken.toSorted()).toEqual(['default/of-a', 'default/of-b', 'default/of-c', 'default/owner'])
})
