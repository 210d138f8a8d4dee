/** Volumes from the API as a pod's containers see them, while their sources come, change and go. */

import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { configMaps } from '../../../src/apis/core/config-map.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { podCondition } from '../../../src/apis/core/pod/pod-status.ts'
import type { Pod, Volume } from '../../../src/apis/core/types.gen.ts'
import { type NodeHarness, startNodeHarness } from './node-harness.ts'

const isReady = (pod: Pod) => podCondition(pod, 'Ready')?.status === 'True'
const containers = [{ name: 'main', image: 'app:1', volumeMounts: [{ name: 'files', mountPath: '/etc/files' }] }]

async function addPod(node: NodeHarness, name: string, volume: Omit<Volume, 'name'>, parts: { labels?: object } = {}) {
  const labels = { app: 'web', ...parts.labels }
  const { metadata } = await node.addPod(name, { containers, volumes: [{ name: 'files', ...volume }] }, { labels })
  const path = (file: string) => join(node.directory, metadata.uid ?? '', 'volumes', 'files', file)
  return {
    path,
    read: (file: string) => readFile(path(file), 'utf8').catch(() => undefined),
    /** Waits until the file has this text; undefined: until there is no such file. */
    reads: (file: string, text: string | undefined) =>
      node.untilRuntime(`${file} to be ${text}`, async () => {
        return (await readFile(path(file), 'utf8').catch(() => undefined)) === text
      }),
  }
}

const key = { namespace: 'default', name: 'settings' }
const change = (node: NodeHarness, data: Readonly<Record<string, string | null>>) =>
  node.client.of(configMaps).patch(key, { type: 'merge', body: { data } })

test('a running pod sees every change of a ConfigMap, all files at once', async () => {
  await using node = await startNodeHarness()
  await node.client.of(configMaps).create({ metadata: key, data: { one: '1', two: '2' } })
  const files = await addPod(node, 'web', { configMap: { name: 'settings' } })
  await node.untilPod('web', isReady)
  expect([await files.read('one'), await files.read('two')]).toEqual(['1', '2'])
  await change(node, { one: '10', two: null, three: '3' })
  await files.reads('three', '3')
  expect([await files.read('one'), await files.read('two')]).toEqual(['10', undefined])
})

test('a pod waits for a ConfigMap that does not exist yet, and starts soon after it does', async () => {
  await using node = await startNodeHarness()
  await addPod(node, 'web', { configMap: { name: 'settings' } })
  await node.until('a long time', () => node.clock.now() > Date.UTC(2026, 0, 1, 0, 5))
  const waiting = node.podOf('web')
  expect(waiting?.status).toMatchObject({
    phase: 'Pending',
    containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }],
  })
  expect((await node.eventsOf('web'))[0]).toMatchObject({
    reason: 'FailedMount',
    message: 'MountVolume.SetUp failed for volume "files" : configmap "settings" not found',
  })
  await node.client.of(configMaps).create({ metadata: key, data: { one: '1' } })
  const startedMs = node.clock.now()
  await node.untilPod('web', isReady)
  expect(node.clock.now() - startedMs).toBeLessThan(20_000)
})

test('files of an optional source appear and vanish with it', async () => {
  await using node = await startNodeHarness()
  const files = await addPod(node, 'web', { configMap: { name: 'settings', optional: true } })
  await node.untilPod('web', isReady)
  await node.client.of(configMaps).create({ metadata: key, data: { one: '1' } })
  await files.reads('one', '1')
  await node.client.of(configMaps).delete(key)
  await files.reads('one', undefined)
})

test('files of the downward API follow the labels of the pod', async () => {
  await using node = await startNodeHarness()
  const items = [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }]
  const files = await addPod(node, 'web', { downwardAPI: { items } })
  await node.untilPod('web', isReady)
  expect(await files.read('labels')).toBe('app="web"')
  await node.client
    .of(pods)
    .patch({ namespace: 'default', name: 'web' }, { type: 'merge', body: { metadata: { labels: { app: 'api' } } } })
  await files.reads('labels', 'app="api"')
})

test('a projected token is replaced as time passes', async () => {
  await using node = await startNodeHarness()
  const files = await addPod(node, 'web', { projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } })
  await node.untilPod('web', isReady)
  const first = await files.read('token')
  await node.untilRuntime('another token', async () => (await files.read('token')) !== first)
})

test('modes and sub-paths are as the pod asks, and nothing of the volumes outlives the pod', async () => {
  await using node = await startNodeHarness()
  await node.client.of(configMaps).create({ metadata: key, data: { one: '1' } })
  const items = [{ key: 'one', path: 'deep/er/one', mode: 0o400 }]
  const files = await addPod(node, 'web', { configMap: { name: 'settings', items, defaultMode: 0o640 } })
  await node.untilPod('web', isReady)
  expect((await stat(files.path('deep/er/one'))).mode & 0o777).toBe(0o400)
  await node.client.of(pods).delete({ namespace: 'default', name: 'web' }, { gracePeriodSeconds: 1 })
  await node.untilGone('web')
  expect(await node.files.pods()).toEqual([])
})
