import { expect, test } from 'vitest'
import { createTestServer, type TestServer } from '../../../test/support/test-server.ts'
import { builtinResources } from '../../apis/builtin.ts'
import { limitRanges } from '../../apis/core/limit-range.ts'
import { namespaces } from '../../apis/core/namespace.ts'
import { serviceAccounts } from '../../apis/core/service-account.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import { priorityClasses } from '../../apis/scheduling/priority-class.ts'
import { randomInteger, seededRandom } from '../../base/random.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { ALL_NOW } from '../registry/list.ts'
import type { AdmissionView } from './plugin.ts'

function startServer(definitions = builtinResources): { server: TestServer; view: AdmissionView } {
  const views: AdmissionView[] = []
  const server = createTestServer(definitions, {
    plugins: ({ view }) => {
      views.push(view)
      return []
    },
  })
  const [view] = views
  if (view === undefined) throw new Error('the server has asked for no plugins')
  return { server, view }
}

const RANGES = (namespace: string) => `/api/v1/namespaces/${namespace}/limitranges`

test('a list is the same array until something of its resource changes, in whatever namespace', async () => {
  const { server, view } = startServer()
  await using _ = server
  const lists = () => Promise.all(['a', 'b', ''].map((namespace) => view.list(limitRanges, namespace)))
  const none = await lists()
  expect(none).toEqual([[], [], []])
  await server.send('POST', RANGES('a'), { body: { metadata: { name: 'one' } } })
  const [a, b, all] = await lists()
  expect([a?.length, b?.length, all?.length]).toEqual([1, 0, 1])
  await server.send('POST', '/api/v1/namespaces/a/configmaps', { body: { metadata: { name: 'other' } } })
  const again = await lists()
  expect(again.map((list, index) => list === [a, b, all][index])).toEqual([true, true, true])
  await server.send('POST', RANGES('b'), { body: { metadata: { name: 'two' } } })
  expect((await lists()).map((list) => list.length)).toEqual([1, 1, 2])
})

test('what is in memory is answered at once', async () => {
  const { server, view } = startServer()
  await using _ = server
  await server.send('POST', '/api/v1/namespaces', { body: { metadata: { name: 'a' } } })
  await view.get(namespaces, { name: 'a' })
  await view.list(limitRanges, 'a')
  expect(view.get(namespaces, { name: 'a' })).toMatchObject({ metadata: { name: 'a' } })
  expect(view.get(namespaces, { name: 'b' })).toBeUndefined()
  expect(view.list(limitRanges, 'a')).toEqual([])
})

test('what was acknowledged is seen', async () => {
  const { server, view } = startServer()
  await using _ = server
  for (let place = 0; place < 20; place++) {
    await server.send('POST', RANGES('a'), { body: { metadata: { name: `range-${place}` } } })
    const [found, list] = [view.get(limitRanges, { namespace: 'a', name: `range-${place}` }), view.list(limitRanges)]
    expect((await found)?.metadata.name).toBe(`range-${place}`)
    expect(await list).toHaveLength(place + 1)
  }
})

test('what is not served is not there, until it is, and when it is no more', async () => {
  const { server, view } = startServer([namespaces as ResourceDefinition])
  await using _ = server
  expect(view.get(limitRanges, { namespace: 'a', name: 'one' })).toBeUndefined()
  expect(view.list(limitRanges)).toEqual([])
  server.catalog.add(limitRanges)
  await server.send('POST', RANGES('a'), { body: { metadata: { name: 'one' } } })
  expect(await view.list(limitRanges)).toHaveLength(1)
  server.catalog.remove(limitRanges)
  expect(view.get(limitRanges, { namespace: 'a', name: 'one' })).toBeUndefined()
  expect(view.list(limitRanges)).toEqual([])
})

test('long lists, and lists of many namespaces, are right as well', async () => {
  const { server, view } = startServer()
  await using _ = server
  const registry = server.server.registries.of(limitRanges)
  const spec = { limits: [] }
  const names = Array.from({ length: 501 }, (_, place) => `range-${place}`)
  const named = (namespace: string) => names.map((name) => ({ metadata: { namespace, name }, spec }))
  await registry.seed([...named('a'), ...named('b').slice(1)])
  await registry.seed(names.map((namespace) => ({ metadata: { namespace, name: 'one' }, spec })))
  const lengths = async (...of: readonly string[]) =>
    (await Promise.all(of.map((namespace) => view.list(limitRanges, namespace)))).map((list) => list.length)
  expect(await lengths('a', 'b', 'a', 'b', '', 'none')).toEqual([501, 500, 501, 500, 1_502, 0])
  expect(new Set(await lengths(...names, ...names))).toEqual(new Set([1]))
  const nowhere = Array.from({ length: 1_001 }, (_, place) => `nowhere-${place}`)
  expect(new Set(await lengths(...nowhere, ...nowhere))).toEqual(new Set([0]))
  expect(await lengths('b', 'range-7')).toEqual([500, 1])
})

const ROUNDS = 400

test('whatever is written in between, look-ups answer what a list of the API has', async () => {
  const { server, view } = startServer()
  await using _ = server
  const random = seededRandom(11)
  const oneOf = <T>(...values: readonly T[]): T => values[randomInteger(random, values.length)] as T
  const paths = {
    ranges: { definition: limitRanges as ResourceDefinition, path: RANGES('a'), namespace: 'a' },
    others: { definition: limitRanges as ResourceDefinition, path: RANGES('b'), namespace: 'b' },
    accounts: {
      definition: serviceAccounts as ResourceDefinition,
      path: '/api/v1/namespaces/a/serviceaccounts',
      namespace: 'a',
    },
    classes: {
      definition: priorityClasses as ResourceDefinition,
      path: '/apis/scheduling.k8s.io/v1/priorityclasses',
      namespace: '',
    },
  }
  const headers = { 'content-type': 'application/merge-patch+json' }
  const plain = async (definition: ResourceDefinition, namespace: string): Promise<readonly KubeObject[]> => {
    const { items } = await server.server.registries.of(definition).list({ ...ALL_NOW, namespace })
    return items.map((item) => item.object())
  }
  for (let round = 0; round < ROUNDS; round++) {
    const { definition, path, namespace } = oneOf(...Object.values(paths))
    const name = oneOf('one', 'two', 'three')
    const annotations = { round: String(round) }
    const written = oneOf('POST', 'POST', 'PATCH', 'DELETE', 'DELETE of all', 'nothing')
    if (written === 'POST') {
      const value = definition.resource === 'priorityclasses' ? { value: 1 } : {}
      await server.send('POST', path, { body: { metadata: { name, annotations }, ...value } })
    } else if (written === 'PATCH')
      await server.send('PATCH', `${path}/${name}`, { headers, body: { metadata: { annotations } } })
    else if (written === 'DELETE') await server.send('DELETE', `${path}/${name}`)
    else if (written === 'DELETE of all' && oneOf(true, false)) await server.send('DELETE', path)
    for (const within of definition.scope === 'Cluster' ? [''] : [namespace, 'a', 'b', '']) {
      const [listed, expected] = [await view.list(definition, within), await plain(definition, within)]
      expect(listed).toEqual(expected)
      const found = await view.get(definition, { ...(namespace === '' ? {} : { namespace }), name })
      const own = (one: KubeObject) => one.metadata.name === name && (one.metadata.namespace ?? '') === namespace
      expect(found).toEqual((await plain(definition, namespace)).find(own))
    }
  }
})
