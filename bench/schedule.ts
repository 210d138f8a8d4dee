/** 1,000 pods on 100 simulated nodes: from the first create until the last is bound, and until the last runs. */

import { startCluster } from './cluster-process.ts'
import { openConnection } from './connection.ts'
import { drive } from './load.ts'
import { pod } from './objects.ts'
import type { Figure, Row } from './row.ts'
import { dispersion } from './statistics.ts'
import { nodesReady, untilNone } from './world.ts'

const NODES = 100
const PODS = 1_000
const WORKERS = 20
const ROUNDS = { quick: 1, full: 5 }
const PATH = '/api/v1/namespaces/default/pods'

interface Round {
  readonly boundPerSecond: number
  readonly runningPerSecond: number
  readonly cpuMs: number
}

export const schedule: Row = {
  name: 'schedule',
  about: `${PODS} pods on ${NODES} simulated nodes, created, bound and running`,
  async run({ quick, say }) {
    const rounds: Round[] = []
    for (let round = 0; round < (quick ? ROUNDS.quick : ROUNDS.full); round++) {
      rounds.push(await once())
      say(`schedule: ${rounds.at(-1)?.boundPerSecond.toFixed(0)} pods bound per second`)
    }
    const of = (pick: (round: Round) => number) => dispersion(rounds.map(pick))
    const figures: readonly Figure[] = [
      { name: 'created and bound', unit: '1/s', direction: 'higher', ...of(({ boundPerSecond }) => boundPerSecond) },
      {
        name: 'created to running',
        unit: '1/s',
        direction: 'higher',
        ...of(({ runningPerSecond }) => runningPerSecond),
      },
      { name: 'CPU of everything per running pod', unit: 'ms', direction: 'lower', ...of(({ cpuMs }) => cpuMs) },
    ]
    return figures
  },
}

async function once(): Promise<Round> {
  await using cluster = await startCluster({ runtime: 'simulated', nodes: NODES, data: 'disk' })
  const credentials = await cluster.credentials()
  using connection = await openConnection(credentials)
  await nodesReady(connection, NODES)
  const cpuBefore = cluster.process.cpuMs()
  const startedAt = performance.now()
  const call = (index: number) =>
    ({ method: 'POST', path: PATH, body: pod(`pod-${index}`).replace('{c}', '0') }) as const
  await drive(cluster, credentials, { calls: PODS, workers: WORKERS, call })
  await untilNone(connection, `${PATH}?limit=1&fieldSelector=spec.nodeName%3D`)
  const boundMs = performance.now() - startedAt
  await untilNone(connection, `${PATH}?limit=1&fieldSelector=status.phase!%3DRunning`)
  const runningMs = performance.now() - startedAt
  return {
    boundPerSecond: (PODS / boundMs) * 1_000,
    runningPerSecond: (PODS / runningMs) * 1_000,
    cpuMs: (cluster.process.cpuMs() - cpuBefore) / PODS,
  }
}
