import { expect, test } from 'vitest'
import type { Node } from '../../apis/core/types.gen.ts'
import { createFakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import { InformerStore } from '../../client/informer.ts'
import { followNodes, routesOf } from './follow-nodes.ts'
import type { NamespaceCommands } from './namespace-command.ts'
import { createNodeNetwork } from './node-network.ts'

function node(name: string, ip: string, podCIDR?: string): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: name, resourceVersion: '1' },
    spec: { podCIDR },
    status: { addresses: [{ type: 'InternalIP', address: ip }] },
  }
}

const networkCidr = '172.30.0.0/24'
const ranges = { clusterName: 'one', clusterPodCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16' }

test('routes lead to nodes with a range that are on the network', () => {
  const nodes = [
    node('a', '172.30.0.2', '10.244.0.0/24'),
    node('no-range', '172.30.0.3'),
    node('elsewhere', '10.9.9.9', '10.244.2.0/24'),
  ]
  expect(routesOf(nodes, networkCidr)).toEqual([{ ip: '172.30.0.2', podCidr: '10.244.0.0/24' }])
})

test('nodes that come change the routes of node and host; a failure is tried again', async () => {
  const clock = createFakeClock()
  const lines: string[] = []
  let failing = true
  const commands: NamespaceCommands = {
    ip: async (namespace, batch) => {
      if (failing) throw new Error('not yet')
      lines.push(...batch.map((line) => `${namespace}: ${line}`))
    },
    query: async () => [],
    nft: async () => {},
  }
  const nodes = new InformerStore<Node>()
  const place = { nodeName: 'a', pid: 100, ip: '172.30.0.2', networkCidr }
  const network = createNodeNetwork({ commands, node: place, ...ranges })
  const options = { nodes, networks: () => [network], networkCidr, ranges, commands, clock, log: silentLogger }
  await using _ = followNodes(options)
  nodes.replace([node('a', '172.30.0.2', '10.244.0.0/24'), node('b', '172.30.0.3', '10.244.1.0/24')], 1)
  while (clock.pending === 0) await clock.advance(0)
  expect(network.podCidr).toBeUndefined()
  failing = false
  while (lines.length < 9) await clock.advance(1_000)
  expect(network.podCidr).toBe('10.244.0.0/24')
  expect(lines).toContain('100: route add 10.244.1.0/24 via 172.30.0.3 proto 116')
  expect(lines.filter((line) => line.startsWith('host: route add 10.244.'))).toHaveLength(2)
})
