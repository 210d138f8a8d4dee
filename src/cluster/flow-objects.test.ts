import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ADMIN, createTestServer, type TestServer } from '../../test/support/test-server.ts'
import { builtinResources } from '../apis/builtin.ts'
import { AUTO_UPDATE_ANNOTATION } from '../apis/flowcontrol/built-in-flows.ts'
import { flowSchemas } from '../apis/flowcontrol/flow-schema.ts'
import { priorityLevelConfigurations } from '../apis/flowcontrol/priority-level-configuration.ts'
import { silentLogger } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import { createLoopbackTransport } from '../client/loopback-transport.ts'
import { createClient } from '../client/resource-client.ts'
import { ensureFlowObjects, keepFlowObjects } from './flow-objects.ts'

let server: TestServer
let client: Client
beforeEach(async () => {
  server = createTestServer(builtinResources)
  client = createClient(createLoopbackTransport(server.server.handle, ADMIN))
  await ensureFlowObjects(client)
})
afterEach(() => server[Symbol.asyncDispose]())

const schemas = () => client.of(flowSchemas)
const levels = () => client.of(priorityLevelConfigurations)
const names = async () => [
  ...(await schemas().list()).items.map(({ metadata }) => metadata.name),
  ...(await levels().list()).items.map(({ metadata }) => metadata.name),
]

/** A spec of somebody's own, with an annotation or without. */
async function change(name: string, annotation: string | undefined, matchingPrecedence = 777): Promise<void> {
  const { metadata, spec, ...rest } = await schemas().get({ name })
  const annotations = annotation === undefined ? {} : { [AUTO_UPDATE_ANNOTATION]: annotation }
  await schemas().update({ ...rest, metadata: { ...metadata, annotations }, spec: { ...spec, matchingPrecedence } })
}

async function precedenceOf(name: string) {
  const { spec, metadata } = await schemas().get({ name })
  return [spec.matchingPrecedence, metadata.annotations?.[AUTO_UPDATE_ANNOTATION]]
}

describe('flow schemas and priority levels of the server', () => {
  test('are there, and are not written twice', async () => {
    expect((await names()).length).toBe(11 + 8)
    const revision = server.storage.head
    await ensureFlowObjects(client)
    expect(server.storage.head).toBe(revision)
    const { metadata } = await schemas().get({ name: 'exempt' })
    expect(metadata.managedFields?.[0]?.manager).toBe('api-priority-and-fairness-config-producer-v1')
  })

  test('come again when they are deleted', async () => {
    for (const name of ['catch-all', 'probes', 'service-accounts']) await schemas().delete({ name })
    for (const name of ['exempt', 'workload-low']) await levels().delete({ name })
    await ensureFlowObjects(client)
    expect((await names()).length).toBe(11 + 8)
  })

  test.each([
    ['is put right where the annotation says so', 'true', [9000, 'true']],
    ['stays where the annotation says so', 'false', [777, 'false']],
    ['stays, and is marked, where somebody changed it and said nothing', undefined, [777, 'false']],
  ] as const)('a changed spec %s', async (_, annotation, expected) => {
    await change('service-accounts', annotation)
    await ensureFlowObjects(client)
    expect(await precedenceOf('service-accounts')).toEqual(expected)
  })

  test('an annotation that was lost comes again where nobody changed the spec', async () => {
    await change('service-accounts', undefined, 9000)
    await ensureFlowObjects(client)
    expect(await precedenceOf('service-accounts')).toEqual([9000, 'true'])
  })

  test('what must be there is marked so, whatever the annotation says', async () => {
    await change('catch-all', 'false', 10_000)
    await ensureFlowObjects(client)
    expect(await precedenceOf('catch-all')).toEqual([10_000, 'true'])
  })

  test("the shares of the exempt level are its owner's", async () => {
    const level = await levels().get({ name: 'exempt' })
    const exempt = { nominalConcurrencyShares: 10, lendablePercent: 50 }
    await levels().update({ ...level, spec: { ...level.spec, exempt } })
    await ensureFlowObjects(client)
    expect((await levels().get({ name: 'exempt' })).spec.exempt).toEqual(exempt)
  })

  test('objects of an earlier version go, those of others stay', async () => {
    const { spec } = await schemas().get({ name: 'probes' })
    const create = (name: string, annotations: Readonly<Record<string, string>>) =>
      schemas().create({ metadata: { name, annotations }, spec })
    await create('earlier', { [AUTO_UPDATE_ANNOTATION]: 'true' })
    await create('kept', { [AUTO_UPDATE_ANNOTATION]: 'false' })
    await create('mine', {})
    await ensureFlowObjects(client)
    expect(await names()).toEqual(expect.arrayContaining(['kept', 'mine']))
    expect(await names()).not.toContain('earlier')
  })

  test('are looked after once a minute', async () => {
    const stopping = new AbortController()
    keepFlowObjects(client, { clock: server.clock, log: silentLogger }, stopping.signal)
    await schemas().delete({ name: 'probes' })
    await server.clock.advance(59_000)
    expect(await names()).not.toContain('probes')
    await server.clock.advance(2_000)
    expect(await names()).toContain('probes')
    stopping.abort()
  })
})
