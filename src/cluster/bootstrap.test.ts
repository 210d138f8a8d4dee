import { expect, test } from 'vitest'
import { ADMIN, createTestServer } from '../../test/support/test-server.ts'
import { builtinResources } from '../apis/builtin.ts'
import { namespaces } from '../apis/core/namespace.ts'
import { services } from '../apis/core/service/definition.ts'
import { serviceCidrs } from '../apis/networking/service-cidr.ts'
import { priorityClasses } from '../apis/scheduling/priority-class.ts'
import { createLoopbackTransport } from '../client/loopback-transport.ts'
import { createClient } from '../client/resource-client.ts'
import type { KubeObject } from '../machinery/meta/object.ts'
import { bootstrap, seedBootstrap } from './bootstrap.ts'
import { resolveConfig } from './config.ts'

const config = resolveConfig({ name: 'test', home: '/nowhere', storage: 'memory', port: 6443 })

/** What is there in the end, but for what chance and the order of writes decide. */
async function objectsAfter(isSeeded: boolean): Promise<readonly string[]> {
  await using test = createTestServer(builtinResources)
  const { registries, handle } = test.server
  const client = createClient(createLoopbackTransport(handle, ADMIN, 'kube-apiserver/v1'))
  if (isSeeded) await seedBootstrap(registries, config)
  await bootstrap(client, config, isSeeded)
  const before = test.storage.head
  await bootstrap(client, config)
  expect(test.storage.head).toBe(before)
  const lists = await Promise.all([
    client.of(namespaces).list(),
    client.of(priorityClasses).list(),
    client.of(serviceCidrs).list(),
    client.of(services).list(),
  ])
  return lists
    .flatMap(({ items }): readonly KubeObject[] => items)
    .map(({ metadata, ...rest }) =>
      JSON.stringify({ ...rest, metadata: { ...metadata, uid: '', resourceVersion: '' } }),
    )
}

test('a seeded beginning is what a client would have created, to the last byte, and is complete', async () => {
  const seeded = await objectsAfter(true)
  expect(seeded).toEqual(await objectsAfter(false))
  expect(seeded).toHaveLength(4 + 2 + 1 + 2)
})
