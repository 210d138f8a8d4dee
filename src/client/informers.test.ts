import { describe, expect, test } from 'vitest'
import { ADMIN, createTestServer } from '../../test/support/test-server.ts'
import { configMaps } from '../apis/core/config-map.ts'
import { secrets } from '../apis/core/secret.ts'
import { createFakeClock } from '../base/fake-clock.ts'
import { silentLogger } from '../base/log.ts'
import { seededRandom } from '../base/random.ts'
import type { Handler } from '../machinery/wire/message.ts'
import { createInformers } from './informers.ts'
import { createLoopbackTransport } from './loopback-transport.ts'
import { createClient } from './resource-client.ts'

function world(namespace?: string) {
  const server = createTestServer([configMaps, secrets])
  const lists: string[] = []
  let watches = 0
  const handle: Handler = async (request) => {
    if (request.query.get('watch') !== 'true') lists.push(request.path)
    else {
      watches++
      request.signal.addEventListener('abort', () => watches--)
    }
    return server.server.handle(request)
  }
  const informers = createInformers({
    client: createClient(createLoopbackTransport(handle, ADMIN)),
    clock: createFakeClock(),
    random: seededRandom(1),
    log: silentLogger,
    ...(namespace === undefined ? {} : { selection: () => ({ namespace }) }),
  })
  const client = createClient(createLoopbackTransport(server.server.handle, ADMIN))
  return { client, informers, lists, watches: () => watches, close: () => server[Symbol.asyncDispose]() }
}

const map = (name: string, namespace = 'default') => ({ metadata: { name, namespace } })

describe('informers', () => {
  test('of one resource are one, started when first asked for', async () => {
    const { client, informers, lists, close } = world()
    await client.of(configMaps).create(map('a'))
    expect(lists).toEqual([])
    const informer = informers.of(configMaps)
    expect(informers.of(configMaps)).toBe(informer)
    await informers.whenSynced()
    expect(lists).toEqual(['/api/v1/configmaps'])
    expect(informer.list().map(({ metadata }) => metadata.name)).toEqual(['a'])
    const written = await client.of(configMaps).create(map('b'))
    await informer.caughtUpTo(Number(written.metadata.resourceVersion))
    expect(informer.get({ namespace: 'default', name: 'b' })).toEqual(written)
    await informers[Symbol.asyncDispose]()
    await close()
  })

  test('see what the selection lets them see', async () => {
    const { client, informers, lists, close } = world('mine')
    await client.of(configMaps).create(map('a', 'other'))
    await client.of(configMaps).create(map('b', 'mine'))
    const informer = informers.of(configMaps)
    await informer.whenSynced()
    expect(lists).toEqual(['/api/v1/namespaces/mine/configmaps'])
    expect(informer.list().map(({ metadata }) => metadata.name)).toEqual(['b'])
    await informers[Symbol.asyncDispose]()
    await close()
  })

  test('disposing ends every watch', async () => {
    const { informers, watches, close } = world()
    informers.of(configMaps)
    informers.of(secrets)
    await informers.whenSynced()
    while (watches() < 2) await new Promise(setImmediate)
    await informers[Symbol.asyncDispose]()
    expect(watches()).toBe(0)
    await close()
  })
})
