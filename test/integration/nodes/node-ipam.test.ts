/** Nodes get their parts of the pods' range, as long as there are any. */

import { afterEach, expect, test } from 'vitest'
import { events } from '../../../src/apis/core/event.ts'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { nodes } from '../../../src/apis/core/node.ts'
import { nodeIpamController } from '../../../src/controllers/nodes/node-ipam.ts'
import { namespace } from '../../support/builders.ts'
import { type ControllerCluster, startCluster } from '../garbage/cluster.ts'

const started: ControllerCluster[] = []
afterEach(async () => {
  for (const cluster of started.splice(0)) await cluster[Symbol.asyncDispose]()
})

test('a node goes without when there is no range left, until others leave theirs; heartbeats change nothing', async () => {
  const cluster = await startCluster([nodeIpamController('10.0.0.0/23', 24)])
  started.push(cluster)
  const { client, until } = cluster
  await client.of(namespaces).create(namespace('default'))
  const add = (name: string) => client.of(nodes).create({ metadata: { name }, spec: {} })
  const rangeOf = async (name: string) => (await until(nodes, { name }, ({ spec }) => !!spec?.podCIDR)).spec?.podCIDR
  await add('a')
  await add('b')
  expect([await rangeOf('a'), await rangeOf('b')].sort()).toEqual(['10.0.0.0/24', '10.0.1.0/24'])
  await add('c')
  await add('d')
  const told = (name: string) =>
    cluster.eventually(events, (all) => all.find(({ involvedObject }) => involvedObject.name === name))
  await told('c')
  await told('d')
  for (const lastHeartbeatTime of ['2026-01-01T00:00:10Z', '2026-01-01T00:00:20Z']) {
    const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime }]
    const patch = { type: 'merge', body: { status: { conditions } } } as const
    await client.of(nodes).patch({ name: 'c' }, patch, { subresource: 'status' })
  }
  await client.of(nodes).delete({ name: 'a' })
  await client.of(nodes).delete({ name: 'b' })
  expect([await rangeOf('c'), await rangeOf('d')].sort()).toEqual(['10.0.0.0/24', '10.0.1.0/24'])
  const refusals = (await client.of(events).list()).items.filter(({ reason }) => reason === 'CIDRNotAvailable')
  expect(refusals.map(({ involvedObject }) => involvedObject.name)).toEqual(['c', 'd'])
  // The other may have been looked at once more when the first got its range.
  expect(refusals[0]?.count).toBe(1)
})
