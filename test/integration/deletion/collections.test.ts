import { expect, test } from 'vitest'
import { configMaps } from '../../../src/apis/core/config-map.ts'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { forbiddenRequest } from '../../../src/machinery/meta/api-error.ts'
import type { KubeObject } from '../../../src/machinery/meta/object.ts'
import type { AdmissionPlugin } from '../../../src/server/admission/plugin.ts'
import { container } from '../../support/builders.ts'
import { createTestServer, type TestServer } from '../../support/test-server.ts'

// Goal: the objects of a collection are deleted many at a time, and each as if it were deleted alone.

const MAPS = '/api/v1/namespaces/default/configmaps'
const PODS = '/api/v1/namespaces/default/pods'
/** More than are taken up in three turns. */
const COUNT = 400

const nameOf = (index: number) => `map-${String(index).padStart(3, '0')}`
const NAMES = Array.from({ length: COUNT }, (_, index) => nameOf(index))

async function fill(server: TestServer): Promise<void> {
  for (const name of NAMES) await server.send('POST', MAPS, { body: { metadata: { name }, data: { key: name } } })
}

const namesIn = async (server: TestServer, path: string): Promise<readonly string[]> =>
  (await server.send('GET', path)).json.items.map(({ metadata }: KubeObject) => metadata.name)

/** The plugin refuses what `refuses` names. */
function serverWith(plugin: Pick<AdmissionPlugin, 'validate'>): TestServer {
  const plugins = () => [{ name: 'Test', operations: ['DELETE'] as const, ...plugin }]
  return createTestServer([configMaps, namespaces, pods], { plugins })
}

function refusing(refuses: string): Pick<AdmissionPlugin, 'validate'> {
  return {
    validate({ definition, name }) {
      if (name === refuses) throw forbiddenRequest(definition, name, 'it stays')
    },
  }
}

test('every object goes at a revision of its own, and is answered as it was found', async () => {
  await using server = createTestServer([configMaps, namespaces])
  await fill(server)
  const before = await server.send('GET', MAPS)
  const { registries } = server.server
  const stop = new AbortController()
  const { resourceVersion } = before.json.metadata
  const watching = { resourceVersionMatch: '', sendInitialEvents: undefined, allowBookmarks: false }
  const watcher = await registries
    .of(configMaps)
    .watch({ ...watching, namespace: 'default', resourceVersion, signal: stop.signal })
  const answer = await server.send('DELETE', MAPS)
  expect([answer.status, answer.json.items]).toEqual([200, before.json.items])
  expect(await namesIn(server, MAPS)).toEqual([])
  const seen: { readonly type: string; readonly name: string; readonly revision: number }[] = []
  for await (const batch of watcher) {
    for (const delivery of batch)
      if (delivery.type !== 'BOOKMARK')
        seen.push({ type: delivery.type, name: delivery.object.name, revision: delivery.object.revision })
    if (seen.length >= COUNT) break
  }
  stop.abort()
  const first = Number(resourceVersion) + 1
  expect(seen).toEqual(NAMES.map((name, index) => ({ type: 'DELETED', name, revision: first + index })))
})

test('what refuses to go is told, the first one by name, and later turns do not begin', async () => {
  await using server = serverWith(refusing(nameOf(7)))
  await fill(server)
  const answer = await server.send('DELETE', MAPS)
  expect([answer.status, answer.json.message]).toEqual([403, `configmaps "${nameOf(7)}" is forbidden: it stays`])
  const left = await namesIn(server, MAPS)
  expect(left[0]).toBe(nameOf(7))
  expect(left).toContain(NAMES.at(-1))
  expect(left).not.toContain(nameOf(0))
})

test('objects that are changed, or go, between the list and their turn are deleted as they are then', async () => {
  let turn = 0
  const server = serverWith({
    validate({ name, previous }) {
      if (name !== nameOf(0)) return undefined
      // A plugin that takes its time: the others of its turn are decided about meanwhile.
      return (async () => {
        turn++
        expect(previous?.metadata.name).toBe(name)
        await server.send('DELETE', `${MAPS}/${nameOf(COUNT - 1)}`)
        await server.send('PATCH', `${MAPS}/${nameOf(COUNT - 2)}`, {
          body: { metadata: { finalizers: ['example.com/hold'] } },
          headers: { 'content-type': 'application/merge-patch+json' },
        })
        await server.send('PATCH', `${MAPS}/${name}`, {
          body: { data: { key: 'changed' } },
          headers: { 'content-type': 'application/merge-patch+json' },
        })
      })()
    },
  })
  await using _ = server
  await fill(server)
  expect((await server.send('DELETE', MAPS)).status).toBe(200)
  // Once more, as it was changed while it was decided about.
  expect(turn).toBe(2)
  const left = (await server.send('GET', MAPS)).json.items
  expect(left.map(({ metadata }: KubeObject) => [metadata.name, metadata.deletionGracePeriodSeconds])).toEqual([
    [nameOf(COUNT - 2), 0],
  ])
})

test('graceful pods are marked, others go', async () => {
  await using server = createTestServer([pods, namespaces])
  const spec = { containers: [container()] }
  await server.send('POST', PODS, { body: { metadata: { name: 'bound' }, spec: { ...spec, nodeName: 'node-1' } } })
  await server.send('POST', PODS, { body: { metadata: { name: 'free' }, spec } })
  const answer = await server.send('DELETE', PODS)
  expect(answer.json.items.map(({ metadata }: KubeObject) => metadata.deletionTimestamp)).toEqual([
    undefined,
    undefined,
  ])
  const { items } = (await server.send('GET', PODS)).json
  expect(items).toMatchObject([{ metadata: { name: 'bound', deletionGracePeriodSeconds: 30 } }])
})

test('a dry run, and a selection, leave the others alone', async () => {
  await using server = createTestServer([configMaps, namespaces])
  await fill(server)
  expect((await server.send('DELETE', `${MAPS}?dryRun=All`)).json.items).toHaveLength(COUNT)
  expect(await namesIn(server, MAPS)).toEqual(NAMES)
  const some = await server.send('DELETE', `${MAPS}?fieldSelector=metadata.name%3D${nameOf(3)}`)
  expect(some.json.items).toHaveLength(1)
  expect(await namesIn(server, MAPS)).toEqual(NAMES.filter((name) => name !== nameOf(3)))
})
