/** K1: commands of kubectl, which do most of the work themselves: no goal hangs on them. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { openConnection } from '../connection.ts'
import { configMap } from '../objects.ts'
import { BEST_TUNING, onSides } from '../on-sides.ts'
import type { Sample, ScenarioParts } from '../scenario.ts'
import { median } from '../statistics.ts'
import { accountReady } from '../world.ts'
import { timed } from './measure.ts'

const NODES = 5
const MANIFESTS = 100
const REPLICAS = 10
const TIMES = { quick: 3, full: 7 }

export const kubectl = onSides({
  name: 'kubectl',
  about: 'K1: kubectl get, apply of 100 manifests, create deployment until rollout status says that it is there',
  wish: { nodes: NODES },
  tunings: BEST_TUNING,
  roundsMax: 3,
  async run(parts) {
    using connection = await openConnection(parts.side.access.credentials)
    await accountReady(connection)
    const times = parts.quick ? TIMES.quick : TIMES.full
    const command = commandsOn(parts)
    // It fills its cache of what the server serves.
    await command(['get', 'nodes'])
    const manifests = join(dirname(parts.side.access.kubeconfig), 'manifests.yaml')
    writeFileSync(manifests, Array.from({ length: MANIFESTS }, (_, index) => manifest(`map-${index}`)).join('---\n'))
    const create = ['create', 'deployment', 'web', '--image=registry.example/web:1', `--replicas=${REPLICAS}`]
    return {
      'K1 kubectl get nodes': await repeated(parts, times, () => command(['get', 'nodes'])),
      [`K1 kubectl apply, ${MANIFESTS} manifests`]: await repeated(parts, 1, () => command(['apply', '-f', manifests])),
      [`K1 kubectl create and rollout status, ${REPLICAS} replicas`]: await repeated(parts, 1, async () => {
        await command(create)
        await command(['rollout', 'status', 'deployment/web'])
      }),
    }
  },
})

/** JSON is YAML. */
function manifest(name: string): string {
  return `${configMap(name)}\n`
}

function commandsOn({ side, programs }: ScenarioParts) {
  const { kubeconfig } = side.access
  // Its cache lies in the home folder.
  const home = join(dirname(kubeconfig), 'kubectl-home')
  mkdirSync(home, { recursive: true })
  const env = { ...process.env, HOME: home, KUBECONFIG: kubeconfig }
  return async (words: readonly string[]): Promise<void> => {
    const child = spawn(programs.upstream('kubectl'), words, { env, stdio: ['ignore', 'ignore', 'pipe'] })
    const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
    if (code !== 0) throw new Error(`kubectl ${words[0]}: ${errors.trim()}`)
  }
}

async function repeated(parts: ScenarioParts, times: number, work: () => Promise<void>): Promise<Sample> {
  const samples: number[] = []
  const { cpuMs } = await timed(parts, async () => {
    for (let index = 0; index < times; index++) samples.push((await timed(parts, work)).ms)
  })
  return { ms: median(samples), cpuMs: cpuMs / times }
}
