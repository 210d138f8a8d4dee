/**
 * How long `t8s up` takes: from spawning the built command to 200 from /readyz over HTTPS, and on to Ready nodes. Every
 * round begins with an empty home; the first is thrown away, as it fills the compile cache of a fresh build.
 */

import { type ClusterWish, startCluster } from './cluster-process.ts'
import { openConnection } from './connection.ts'
import type { Figure, Row } from './row.ts'
import { dispersion } from './statistics.ts'
import { nodesReady } from './world.ts'

const NODES = 2
const ROUNDS = { quick: 5, full: 15 }

interface Start {
  readonly readyMs: number
  readonly cpuMs: number
  readonly nodesMs: number
}

export const startup: Row = {
  name: 'startup',
  about: '`t8s up` until /readyz answers 200, and until 2 nodes are Ready',
  async run({ quick, docker, say }) {
    const rounds = quick ? ROUNDS.quick : ROUNDS.full
    const figures: Figure[] = []
    for (const runtime of docker ? (['simulated', 'docker'] as const) : (['simulated'] as const)) {
      say(`startup, ${runtime} nodes: ${rounds} rounds`)
      const wish = { runtime, nodes: NODES, data: 'disk' } as const
      await once(wish)
      const starts: Start[] = []
      while (starts.length < rounds) starts.push(await once(wish))
      figures.push(...figuresOf(runtime, starts))
    }
    return figures
  },
}

async function once(wish: ClusterWish): Promise<Start> {
  const startedAt = performance.now()
  await using cluster = await startCluster(wish)
  using connection = await openConnection(await cluster.credentials())
  await nodesReady(connection, wish.nodes)
  return { readyMs: cluster.readyMs, cpuMs: cluster.readyCpuMs, nodesMs: performance.now() - startedAt }
}

function figuresOf(runtime: ClusterWish['runtime'], starts: readonly Start[]): readonly Figure[] {
  const of = (name: string, pick: (start: Start) => number): Figure => ({
    name: `${runtime}: ${name}`,
    unit: 'ms',
    direction: 'lower',
    ...dispersion(starts.map(pick)),
  })
  return [
    of('to /readyz', ({ readyMs }) => readyMs),
    of('CPU time to /readyz', ({ cpuMs }) => cpuMs),
    of(`to ${NODES} Ready nodes`, ({ nodesMs }) => nodesMs),
  ]
}
