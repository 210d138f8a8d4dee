/**
 * What a cluster costs while nothing happens: resident memory of its one process, and processor time over a quiet
 * stretch, as a share of one core. With nodes alone, and with 20 running pods.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { type ClusterProcess, startCluster } from './cluster-process.ts'
import { type Connection, openConnection } from './connection.ts'
import type { Figure, Row } from './row.ts'
import { createSleepImage, removeSleepImage, SLEEP_IMAGE } from './sleep-image.ts'
import { dispersion } from './statistics.ts'
import { nodesReady, untilCount } from './world.ts'

const NODES = 2
const PODS = 20
/** Until what starting left to do is done, in ms. */
const SETTLE_MS = 10_000
const QUIET_MS = { quick: 20_000, full: 60_000 }
/** Looks at the resident set during the quiet stretch. */
const LOOKS = 10
const PODS_PATH = '/api/v1/namespaces/default/pods'

export const idle: Row = {
  name: 'idle',
  about: 'resident memory and processor time of a cluster in which nothing happens',
  async run({ quick, docker, say }) {
    const quietMs = quick ? QUIET_MS.quick : QUIET_MS.full
    const figures: Figure[] = []
    if (docker) createSleepImage()
    using _image = { [Symbol.dispose]: () => (docker ? removeSleepImage() : undefined) }
    for (const runtime of docker ? (['simulated', 'docker'] as const) : (['simulated'] as const)) {
      await using cluster = await startCluster({ runtime, nodes: NODES, data: 'disk' })
      using connection = await openConnection(await cluster.credentials())
      await nodesReady(connection, NODES)
      say(`idle, ${runtime} nodes: ${quietMs / 1_000} s`)
      figures.push(...(await quietly(cluster, `${runtime}, ${NODES} nodes`, quietMs)))
      await runPods(connection)
      say(`idle, ${runtime} nodes and ${PODS} pods: ${quietMs / 1_000} s`)
      figures.push(...(await quietly(cluster, `${runtime}, ${NODES} nodes, ${PODS} pods`, quietMs)))
    }
    return figures
  },
}

async function runPods(connection: Connection): Promise<void> {
  for (let index = 0; index < PODS; index++) {
    const { status, body } = await connection.send({ method: 'POST', path: PODS_PATH, body: sleeper(index) })
    if (status !== 201) throw new Error(`a pod was refused: ${body.toString().slice(0, 500)}`)
  }
  await untilCount(connection, PODS_PATH, (body) => body.match(/"phase":"Running"/g)?.length ?? 0, PODS)
}

function sleeper(index: number): string {
  const container = { name: 'main', image: SLEEP_IMAGE, imagePullPolicy: 'IfNotPresent' }
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `sleeper-${index}` },
    spec: { containers: [container], terminationGracePeriodSeconds: 0 },
  })
}

async function quietly(cluster: ClusterProcess, name: string, quietMs: number): Promise<readonly Figure[]> {
  await sleep(SETTLE_MS)
  const cpuBefore = cluster.process.cpuMs()
  const startedAt = performance.now()
  const resident: number[] = []
  for (let look = 0; look < LOOKS; look++) {
    await sleep(quietMs / LOOKS)
    resident.push(cluster.process.residentMb())
  }
  const share = ((cluster.process.cpuMs() - cpuBefore) / (performance.now() - startedAt)) * 100
  return [
    { name: `${name}: resident`, unit: 'MB', direction: 'lower', ...dispersion(resident) },
    { name: `${name}: peak`, unit: 'MB', direction: 'lower', ...dispersion([cluster.process.peakMb()]) },
    { name: `${name}: processor`, unit: '% of a core', direction: 'lower', ...dispersion([share]) },
  ]
}
