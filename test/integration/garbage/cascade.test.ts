/** Deleting owners: in the background, in the foreground, and without their dependents. */

import { expect, test } from 'vitest'
import { replicaSets } from '../../../src/apis/apps/replica-set.ts'
import { configMaps } from '../../../src/apis/core/config-map.ts'
import { events } from '../../../src/apis/core/event.ts'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { nodes } from '../../../src/apis/core/node.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { secrets } from '../../../src/apis/core/secret.ts'
import type { Client } from '../../../src/client/client.ts'
import { garbageCollector } from '../../../src/controllers/garbage/garbage-collector.ts'
import type { KubeObject, OwnerReference } from '../../../src/machinery/meta/object.ts'
import { namespace, node, pod, replicaSet } from '../../support/builders.ts'
import { startCluster } from './cluster.ts'

const at = (name: string) => ({ namespace: 'default', name })

const ownedBy = ({ apiVersion = '', kind = '', metadata: { name = '', uid = '' } }: KubeObject): OwnerReference => ({
  apiVersion,
  kind,
  name,
  uid,
  blockOwnerDeletion: true,
})

async function start() {
  const cluster = await startCluster([garbageCollector])
  await cluster.client.of(namespaces).create(namespace('default'))
  await cluster.client.of(namespaces).create(namespace('other'))
  return cluster
}

const addConfigMap = (
  client: Client,
  name: string,
  owners: readonly KubeObject[],
  finalizers: readonly string[] = [],
) => client.of(configMaps).create({ metadata: { ...at(name), ownerReferences: owners.map(ownedBy), finalizers } })

test('dependents of a deleted owner go, level by level', async () => {
  await using cluster = await start()
  const { client } = cluster
  const top = await addConfigMap(client, 'top', [])
  const middle = await addConfigMap(client, 'middle', [top])
  await client.of(secrets).create({ metadata: { ...at('bottom'), ownerReferences: [ownedBy(middle)] } })
  const bystander = await addConfigMap(client, 'bystander', [])
  await client.of(configMaps).delete(at('top'), { propagationPolicy: 'Background' })
  await cluster.untilGone(configMaps, at('middle'))
  await cluster.untilGone(secrets, at('bottom'))
  expect((await client.of(configMaps).list()).items.map(({ metadata }) => metadata.uid)).toEqual([
    bystander.metadata.uid,
  ])
})

test('hundreds of dependents go', async () => {
  await using cluster = await start()
  const { client } = cluster
  const owner = await addConfigMap(client, 'owner', [])
  await Promise.all(Array.from({ length: 300 }, (_, index) => addConfigMap(client, `part-${index}`, [owner])))
  await client.of(configMaps).delete(at('owner'))
  const informer = cluster.informers.of(configMaps)
  await informer.until(() => informer.list().length === 0)
})

test('an object that was made for an owner that is gone already goes, too', async () => {
  await using cluster = await start()
  const owner = await addConfigMap(cluster.client, 'owner', [])
  await cluster.client.of(configMaps).delete(at('owner'))
  await addConfigMap(cluster.client, 'late', [owner])
  await cluster.untilGone(configMaps, at('late'))
})

test('another object of the name of the owner does not count as the owner', async () => {
  await using cluster = await start()
  const owner = await addConfigMap(cluster.client, 'owner', [])
  await cluster.client.of(configMaps).delete(at('owner'))
  await addConfigMap(cluster.client, 'owner', [])
  await addConfigMap(cluster.client, 'late', [owner])
  await cluster.untilGone(configMaps, at('late'))
  expect((await cluster.client.of(configMaps).get(at('owner'))).metadata.uid).not.toBe(owner.metadata.uid)
})

test('an object with another owner stays and loses the reference to the one that is gone', async () => {
  await using cluster = await start()
  const { client } = cluster
  const [leaving, staying] = [await addConfigMap(client, 'leaving', []), await addConfigMap(client, 'staying', [])]
  await addConfigMap(client, 'shared', [leaving, staying])
  await client.of(configMaps).delete(at('leaving'))
  const { metadata } = await cluster.until(
    configMaps,
    at('shared'),
    (object) => object.metadata.ownerReferences?.length === 1,
  )
  expect(metadata.ownerReferences?.map(({ name }) => name)).toEqual(['staying'])
})

test('an owner deleted in the foreground stays until its blocking dependents are gone', async () => {
  await using cluster = await start()
  const { client } = cluster
  const owner = await addConfigMap(client, 'owner', [])
  await addConfigMap(client, 'held', [owner], ['example.com/hold'])
  await addConfigMap(client, 'free', [owner])
  await client.of(configMaps).delete(at('owner'), { propagationPolicy: 'Foreground' })
  await cluster.untilGone(configMaps, at('free'))
  await cluster.until(configMaps, at('held'), ({ metadata }) => metadata.deletionTimestamp != null)
  const waiting = await client.of(configMaps).get(at('owner'))
  expect(waiting.metadata.finalizers).toEqual(['foregroundDeletion'])
  await client.of(configMaps).patch(at('held'), { type: 'merge', body: { metadata: { finalizers: null } } })
  await cluster.untilGone(configMaps, at('owner'))
})

test('a foreground deletion reaches down: the lowest goes first', async () => {
  await using cluster = await start()
  const { client } = cluster
  const top = await addConfigMap(client, 'top', [])
  const middle = await addConfigMap(client, 'middle', [top])
  await addConfigMap(client, 'bottom', [middle])
  const order: string[] = []
  cluster.informers.of(configMaps).subscribe({ deleted: ({ metadata }) => void order.push(metadata.name ?? '') })
  await client.of(configMaps).delete(at('top'), { propagationPolicy: 'Foreground' })
  await cluster.untilGone(configMaps, at('top'))
  expect(order).toEqual(['bottom', 'middle', 'top'])
})

test('a foreground deletion does not wait for dependents that do not block', async () => {
  await using cluster = await start()
  const { client } = cluster
  const owner = await addConfigMap(client, 'owner', [])
  const reference = { ...ownedBy(owner), blockOwnerDeletion: false }
  await client.of(configMaps).create({
    metadata: { ...at('held'), ownerReferences: [reference], finalizers: ['example.com/hold'] },
  })
  await client.of(configMaps).delete(at('owner'), { propagationPolicy: 'Foreground' })
  await cluster.untilGone(configMaps, at('owner'))
  await cluster.until(configMaps, at('held'), ({ metadata }) => metadata.deletionTimestamp != null)
})

test('owners in a circle do not wait for each other for ever', async () => {
  await using cluster = await start()
  const { client } = cluster
  const first = await addConfigMap(client, 'first', [])
  const second = await addConfigMap(client, 'second', [first])
  await client.of(configMaps).patch(at('first'), {
    type: 'merge',
    body: { metadata: { ownerReferences: [ownedBy(second)] } },
  })
  await client.of(configMaps).delete(at('first'), { propagationPolicy: 'Foreground' })
  await cluster.untilGone(configMaps, at('first'))
  await cluster.untilGone(configMaps, at('second'))
})

test('orphaned dependents stay and forget their owner', async () => {
  await using cluster = await start()
  const { client } = cluster
  const owner = await client.of(replicaSets).create(replicaSet())
  for (const name of ['a', 'b'])
    await client
      .of(pods)
      .create(pod({ metadata: { name, ownerReferences: [{ ...ownedBy(owner), controller: true }] } }))
  await client.of(replicaSets).delete(at('web'), { propagationPolicy: 'Orphan' })
  await cluster.untilGone(replicaSets, at('web'))
  const { items } = await client.of(pods).list()
  expect(items.map(({ metadata }) => [metadata.name, metadata.ownerReferences, metadata.deletionTimestamp])).toEqual([
    ['a', undefined, undefined],
    ['b', undefined, undefined],
  ])
})

test('an owner in another namespace is no owner, and the object is told before it goes', async () => {
  await using cluster = await start()
  const { client } = cluster
  const owner = await addConfigMap(client, 'owner', [])
  const key = { namespace: 'other', name: 'stray' }
  await client.of(configMaps).create({ metadata: { ...key, ownerReferences: [ownedBy(owner)] } })
  await cluster.untilGone(configMaps, key)
  const { items } = await client.of(events).list({ namespace: 'other' })
  const { uid } = owner.metadata
  expect(items.map(({ reason, message }) => [reason, message])).toEqual([
    [
      'OwnerRefInvalidNamespace',
      `ownerRef [v1/ConfigMap, namespace: other, name: owner, uid: ${uid}] does not exist in namespace "other"`,
    ],
  ])
})

test('an object without namespace is never deleted for an owner with one', async () => {
  await using cluster = await start()
  const { client } = cluster
  const owner = await addConfigMap(client, 'owner', [])
  await client.of(nodes).create(node({ metadata: { name: 'n', ownerReferences: [ownedBy(owner)] } }))
  const told = cluster.informers.of(events)
  await told.until(() => told.list().some(({ reason }) => reason === 'OwnerRefInvalidNamespace'))
  await client.of(configMaps).delete(at('owner'))
  const sign = await addConfigMap(client, 'sign', [owner])
  await cluster.untilGone(configMaps, at(sign.metadata.name ?? ''))
  expect((await client.of(nodes).get({ name: 'n' })).metadata.deletionTimestamp).toBeUndefined()
})
