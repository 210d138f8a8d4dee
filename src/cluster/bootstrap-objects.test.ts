import { expect, test } from 'vitest'
import { ADMIN, createTestServer } from '../../test/support/test-server.ts'
import { apiServices } from '../apis/apiregistration/api-service.ts'
import { builtinResources } from '../apis/builtin.ts'
import { flowSchemas } from '../apis/flowcontrol/flow-schema.ts'
import { priorityLevelConfigurations } from '../apis/flowcontrol/priority-level-configuration.ts'
import { createLoopbackTransport } from '../client/loopback-transport.ts'
import { createClient } from '../client/resource-client.ts'
import type { KubeObject } from '../machinery/meta/object.ts'
import { ensureServerObjects, seedServerObjects } from './bootstrap-objects.ts'

/** What is there in the end, and how much of it was written by a client. */
async function objectsAfter(seeds: boolean) {
  await using test = createTestServer(builtinResources)
  const { registries, handle } = test.server
  if (seeds) await seedServerObjects(registries)
  const seeded = test.storage.head
  const client = createClient(createLoopbackTransport(handle, ADMIN, 'kube-apiserver/v1'))
  await ensureServerObjects(client)
  const lists = await Promise.all([
    client.of(apiServices).list(),
    client.of(flowSchemas).list(),
    client.of(priorityLevelConfigurations).list(),
  ])
  const objects = lists
    .flatMap(({ items }): readonly KubeObject[] => items)
    .map(({ metadata, ...rest }) => ({
      ...rest,
      metadata: { ...metadata, uid: '', resourceVersion: '' },
    }))
  return { texts: objects.map((object) => JSON.stringify(object)), written: test.storage.head - seeded }
}

test('what is seeded is what a client would have created, to the last byte', async () => {
  const [seeded, created] = [await objectsAfter(true), await objectsAfter(false)]
  expect(seeded.texts).toEqual(created.texts)
  expect(seeded.written).toBe(0)
  expect(created.written).toBe(seeded.texts.length)
})
