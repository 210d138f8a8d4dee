/** Deleting namespaces: what is in them goes first, and what holds it is told. */

import { expect, test } from 'vitest'
import { configMaps } from '../../../src/apis/core/config-map.ts'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { secrets } from '../../../src/apis/core/secret.ts'
import type { Namespace } from '../../../src/apis/core/types.gen.ts'
import { namespaceController } from '../../../src/controllers/namespaces/namespace.ts'
import { namespace, pod } from '../../support/builders.ts'
import { startCluster } from './cluster.ts'

const NAME = { name: 'web' }
const conditionOf = ({ status }: Namespace, type: string) =>
  status?.conditions?.find((condition) => condition.type === type)

test('a namespace without content goes at once', async () => {
  await using cluster = await startCluster([namespaceController])
  await cluster.client.of(namespaces).create(namespace('web'))
  await cluster.client.of(namespaces).delete(NAME)
  await cluster.untilGone(namespaces, NAME)
})

test('everything in a namespace goes with it, and nothing of another namespace', async () => {
  await using cluster = await startCluster([namespaceController])
  const { client } = cluster
  for (const name of ['web', 'other']) {
    await client.of(namespaces).create(namespace(name))
    await client.of(configMaps).create({ metadata: { namespace: name, name: 'settings' } })
    await client.of(secrets).create({ metadata: { namespace: name, name: 'key' } })
  }
  await client.of(namespaces).delete(NAME)
  await cluster.untilGone(namespaces, NAME)
  const left = await Promise.all([client.of(configMaps).list(), client.of(secrets).list()])
  expect(left.flatMap(({ items }) => items.map(({ metadata }) => metadata.namespace))).toEqual(['other', 'other'])
})

test('graceful pods end before anything else is touched', async () => {
  await using cluster = await startCluster([namespaceController])
  const { client } = cluster
  await client.of(namespaces).create(namespace('web'))
  await client.of(configMaps).create({ metadata: { namespace: 'web', name: 'settings' } })
  await client.of(pods).create(pod({ metadata: { namespace: 'web', name: 'a' }, spec: { nodeName: 'node-1' } }))
  await client.of(namespaces).delete(NAME)
  const waiting = await cluster.until(
    namespaces,
    NAME,
    (object) => conditionOf(object, 'NamespaceContentRemaining')?.status === 'True',
  )
  expect(conditionOf(waiting, 'NamespaceContentRemaining')).toMatchObject({
    reason: 'SomeResourcesRemain',
    message: 'Some resources are remaining: pods. has 1 resource instances',
  })
  const terminating = await client.of(pods).get({ namespace: 'web', name: 'a' })
  expect(terminating.metadata.deletionGracePeriodSeconds).toBe(30)
  expect((await client.of(configMaps).list({ namespace: 'web' })).items).toHaveLength(1)
  await client.of(pods).delete({ namespace: 'web', name: 'a' }, { gracePeriodSeconds: 0 })
  await cluster.untilGone(namespaces, NAME)
  expect((await client.of(configMaps).list()).items).toEqual([])
})

test('content with finalizers holds the namespace, and the namespace names them', async () => {
  await using cluster = await startCluster([namespaceController])
  const { client, clock } = cluster
  const key = { namespace: 'web', name: 'held' }
  await client.of(namespaces).create(namespace('web'))
  await client.of(configMaps).create({ metadata: { ...key, finalizers: ['example.com/hold'] } })
  await client.of(namespaces).delete(NAME)
  const waiting = await cluster.until(
    namespaces,
    NAME,
    (object) => conditionOf(object, 'NamespaceFinalizersRemaining')?.status === 'True',
  )
  const told = (waiting.status?.conditions ?? []).map(({ type, status, reason, message }) => [
    type,
    status,
    reason,
    message,
  ])
  expect(told).toEqual([
    ['NamespaceDeletionDiscoveryFailure', 'False', 'ResourcesDiscovered', 'All resources successfully discovered'],
    [
      'NamespaceDeletionGroupVersionParsingFailure',
      'False',
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ],
    [
      'NamespaceDeletionContentFailure',
      'False',
      'ContentDeleted',
      'All content successfully deleted, may be waiting on finalization',
    ],
    [
      'NamespaceContentRemaining',
      'True',
      'SomeResourcesRemain',
      'Some resources are remaining: configmaps. has 1 resource instances',
    ],
    [
      'NamespaceFinalizersRemaining',
      'True',
      'SomeFinalizersRemain',
      'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    ],
  ])
  await client.of(configMaps).patch(key, { type: 'merge', body: { metadata: { finalizers: null } } })
  await clock.advance(60_000)
  await cluster.untilGone(namespaces, NAME)
})

test('a finalizer of somebody else in the spec keeps the empty namespace', async () => {
  await using cluster = await startCluster([namespaceController])
  const { client } = cluster
  await client.of(namespaces).create({ metadata: NAME, spec: { finalizers: ['example.com/mine'] } })
  await client.of(namespaces).delete(NAME)
  const kept = await cluster.until(namespaces, NAME, ({ spec }) => !spec?.finalizers?.includes('kubernetes'))
  expect(kept.spec?.finalizers).toEqual(['example.com/mine'])
  expect(kept.status?.phase).toBe('Terminating')
})
