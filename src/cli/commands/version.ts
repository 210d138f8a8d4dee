/** `t8s version`: this program, the API it serves, and the clusters that run. */

import { KUBERNETES_VERSION, T8S_VERSION } from '../../cluster/version.ts'
import { type CommandContext, printValue } from '../context.ts'
import { allStates, phaseOf } from '../state.ts'

export async function version(context: CommandContext): Promise<void> {
  const running = (await allStates(context)).filter((state) => phaseOf(state) === 'Running')
  const value = {
    t8s: T8S_VERSION,
    kubernetes: KUBERNETES_VERSION,
    node: process.version,
    clusters: running.map(({ config }) => config.name),
  }
  const clusters = value.clusters.length === 0 ? 'none' : value.clusters.join(', ')
  await printValue(
    context,
    value,
    () => `t8s ${value.t8s}\nKubernetes API ${value.kubernetes}\nNode ${value.node}\nRunning clusters: ${clusters}\n`,
  )
}
