/** `t8s down` and `t8s stop`: a cluster's process ends, and with `down` everything it made goes. */

import { removeCluster } from '../../cluster/removal.ts'
import { endProcess } from '../background.ts'
import { type CommandContext, clusterName, directoryOf } from '../context.ts'
import { withdrawKubeconfig } from '../kubeconfig-entry.ts'
import { allStates, type ClusterState, phaseOf, readState, stateOf } from '../state.ts'

export interface DownOptions {
  readonly all?: boolean
}

export async function down(context: CommandContext, argument: string | undefined, { all = false }: DownOptions) {
  const name = clusterName(context, argument)
  const states = all ? await allStates(context) : [await readState(directoryOf(context, name))]
  for (const state of states) {
    if (state) await removeAll(context, state)
    else context.terminal.say(`t8s: there is no cluster "${name}"; nothing to do`)
  }
  if (states.length === 0) context.terminal.say('t8s: there are no clusters; nothing to do')
}

export async function stop(context: CommandContext, argument: string | undefined): Promise<void> {
  const state = await stateOf(context, clusterName(context, argument))
  const { name, storage } = state.config
  if (phaseOf(state) === 'Stopped') return context.terminal.say(`t8s: cluster "${name}" is stopped already`)
  if (storage === 'memory') context.terminal.warn('StateLost', `cluster "${name}" kept its objects in memory only`)
  await endRun(context, state)
  context.terminal.say(`t8s: cluster "${name}" is stopped; its state and containers are kept: t8s start`)
}

/** Everything that the cluster made, whether or not its process lives. */
export async function removeAll(context: CommandContext, state: ClusterState): Promise<void> {
  await endRun(context, state)
  await withdrawKubeconfig(context, state)
  await removeCluster(state.config, state.usesDocker)
  context.terminal.say(`t8s: cluster "${state.config.name}" is deleted`)
}

async function endRun({ clock, terminal }: CommandContext, { run, config }: ClusterState): Promise<void> {
  // In the foreground the process that deletes may be the one that ran it.
  if (!run || run.pid === process.pid) return
  if (await endProcess(run, clock)) terminal.warn('Killed', `cluster "${config.name}" did not end by itself`)
}
