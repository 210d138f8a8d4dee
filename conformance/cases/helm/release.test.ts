/** The story of a release of several charts, from its first rendering to its end, told with both Helms. */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe } from 'vitest'
import type { TestCluster } from '../kubectl/support/cluster.ts'
import { begins } from './release/begins.ts'
import { fails } from './release/fails.ts'
import { installs } from './release/installs.ts'
import { isAsked } from './release/is-asked.ts'
import { renders } from './release/renders.ts'
import { onStage } from './release/stage.ts'
import { uninstalls } from './release/uninstalls.ts'
import { upgrades } from './release/upgrades.ts'
import { works } from './release/works.ts'
import { onHelmCluster, type Player } from './support/on-helm-cluster.ts'

/** Volumes of two members of the store for each of the Helms. */
const VOLUMES = 4

onHelmCluster({ name: 'release', range: 166 }, (...players) => {
  beforeAll(() => makeVolumes(players[0].cluster()))
  for (const player of players) describe(`Helm ${player.major}`, () => tellStory(player))
})

/** A class without a provisioner and volumes for it: folders of this machine, which all nodes are on. */
async function makeVolumes(cluster: TestCluster): Promise<void> {
  const folder = join(cluster.directory, 'volumes')
  const volumes = Array.from({ length: VOLUMES }, (_, number) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `shop-${number}` },
    spec: {
      storageClassName: 'shop',
      capacity: { storage: '16Mi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path: join(folder, String(number)) },
    },
  }))
  for (const { spec } of volumes) await mkdir(spec.hostPath.path, { recursive: true })
  const storageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'shop' },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  }
  await cluster.kubectl('default').apply([storageClass, ...volumes].map((object) => JSON.stringify(object)).join('\n'))
}

function tellStory(player: Player): void {
  const stage = onStage(player)
  describe('the chart that Helm writes', () => begins(onStage(player, 'starter')))
  describe('a chart of several', () => renders(stage))
  describe('install', () => installs(stage))
  describe('what is installed', () => works(stage))
  describe('a release', () => isAsked(stage))
  describe('upgrade', () => upgrades(stage))
  describe('an upgrade that fails', () => fails(stage))
  describe('uninstall', () => uninstalls(stage))
}
