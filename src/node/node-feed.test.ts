import { expect, test } from 'vitest'
import { pod } from '../../test/support/builders.ts'
import { configMaps } from '../apis/core/config-map.ts'
import { pods } from '../apis/core/pod/definition.ts'
import { secrets } from '../apis/core/secret.ts'
import type { ConfigMap, Pod, Secret } from '../apis/core/types.gen.ts'
import { InformerStore } from '../client/informer.ts'
import type { Informers } from '../client/informers.ts'
import { createNodeFeed } from './node-feed.ts'

function setUp() {
  const stores = {
    pods: new InformerStore<Pod>(),
    maps: new InformerStore<ConfigMap>(),
    secrets: new InformerStore<Secret>(),
  }
  const byResource: Readonly<Record<string, unknown>> = {
    [pods.resource]: stores.pods,
    [configMaps.resource]: stores.maps,
    [secrets.resource]: stores.secrets,
  }
  const informers: Pick<Informers, 'of'> = { of: ({ resource }) => byResource[resource] as never }
  const feed = createNodeFeed(informers)
  const heard: string[] = []
  const listen = (node: string) =>
    feed.subscribe(node, {
      added: ({ metadata }) => heard.push(`${node}: ${metadata.name} added`),
      updated: ({ metadata }) => heard.push(`${node}: ${metadata.name} updated`),
      deleted: ({ metadata }) => heard.push(`${node}: ${metadata.name} deleted`),
      sourceChanged: ({ metadata }) => heard.push(`${node}: source of ${metadata.name}`),
    })
  let revision = 1
  const put = (name: string, nodeName: string | undefined, configMap?: string) => {
    const volumes = configMap ? [{ name: 'files', configMap: { name: configMap } }] : []
    const metadata = { name, uid: name, resourceVersion: String(revision++) }
    stores.pods.apply({
      type: 'MODIFIED',
      object: pod({ metadata, spec: { ...(nodeName ? { nodeName } : {}), volumes } }),
    })
  }
  const putMap = (name: string) => {
    const metadata = { name, namespace: 'default', resourceVersion: String(revision++) }
    stores.maps.apply({ type: 'MODIFIED', object: { apiVersion: 'v1', kind: 'ConfigMap', metadata } })
  }
  return { heard, listen, put, putMap }
}

test('a node hears of its own pods only, of those that there are first', () => {
  const { heard, listen, put } = setUp()
  put('old', 'one')
  listen('one')
  listen('two')
  put('mine', 'one')
  put('yours', 'two')
  put('nobody', undefined)
  expect(heard).toEqual(['one: old added', 'one: mine added', 'two: yours added'])
})

test('a pod that gets its node is a pod that changed', () => {
  const { heard, listen, put } = setUp()
  listen('one')
  put('web', undefined)
  put('web', 'one')
  expect(heard).toEqual(['one: web updated'])
})

test('a source concerns the pods that use it', () => {
  const { heard, listen, put, putMap } = setUp()
  listen('one')
  put('uses', 'one', 'settings')
  put('other', 'one', 'others')
  heard.length = 0
  putMap('settings')
  putMap('unused')
  expect(heard).toEqual(['one: source of uses'])
})

test('who has ended hears nothing, and may begin again', () => {
  const { heard, listen, put } = setUp()
  listen('one')()
  put('web', 'one')
  expect(heard).toEqual([])
  listen('one')
  expect(heard).toEqual(['one: web added'])
})
