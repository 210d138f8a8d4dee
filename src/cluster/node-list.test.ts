import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type ClusterConfig, resolveConfig } from './config.ts'
import { entriesOf, openNodeList } from './node-list.ts'

async function configIn(input: object): Promise<ClusterConfig> {
  const directory = await mkdtemp(join(tmpdir(), 't8s-nodes-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return { ...resolveConfig({ home: directory, ...input }), directory }
}

test('a new cluster has the nodes of its configuration', () => {
  expect(entriesOf(resolveConfig({ nodes: 1, runtime: 'docker', simulatedNodes: 2 }))).toEqual([
    { name: 't8s-node-0', runtime: 'docker' },
    { name: 't8s-node-1', runtime: 'simulated' },
    { name: 't8s-node-2', runtime: 'simulated' },
  ])
})

test('what was added and removed is there after the next start', async () => {
  const config = await configIn({ nodes: 2, runtime: 'simulated' })
  const list = await openNodeList(config)
  await Promise.all([list.add({ name: 'extra', runtime: 'docker' }), list.remove('t8s-node-0')])
  const reopened = await openNodeList(config)
  expect(reopened.entries).toEqual(list.entries)
  expect(reopened.entries.map(({ name }) => name)).toEqual(['t8s-node-1', 'extra'])
})
