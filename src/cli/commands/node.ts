/** `t8s create node` and `t8s delete node`: nodes of a running cluster. They stay so after its next start. */

import { nearest } from '../../base/nearest.ts'
import { type CommandContext, clusterName } from '../context.ts'
import { openControl } from '../control.ts'
import { dockerObstacle } from '../docker-probe.ts'
import { Failure } from '../failure.ts'
import { changeState, runningStateOf } from '../state.ts'

export interface CreateNodeOptions {
  readonly simulated?: boolean
}

export interface DeleteNodeOptions {
  readonly ignoreNotFound?: boolean
}

export async function createNodes(context: CommandContext, names: readonly string[], options: CreateNodeOptions) {
  const { config } = await runningStateOf(context, clusterName(context, undefined))
  const runtime = options.simulated ? 'simulated' : config.runtime
  if (runtime === 'docker') {
    const obstacle = await dockerObstacle(config.dockerSocket)
    if (obstacle) throw obstacle
    // Known before the first container is made: whatever happens then, `down` looks for it.
    await changeState(config.directory, (state) => ({ ...state, usesDocker: true }))
  }
  using control = await openControl(config)
  for (const name of names) {
    const answer = await control.json(`/t8s/nodes/${encodeURIComponent(name)}`, {
      method: 'PUT',
      query: { runtime },
      signal: context.interrupted,
    })
    const { created } = answer as { readonly created: boolean }
    context.terminal.print(`node/${name} ${created ? 'created' : 'unchanged'}\n`)
  }
}

export async function deleteNodes(
  context: CommandContext,
  names: readonly string[],
  { ignoreNotFound = false }: DeleteNodeOptions,
) {
  const { config } = await runningStateOf(context, clusterName(context, undefined))
  using control = await openControl(config)
  const { nodes } = (await control.json('/t8s/status')) as { readonly nodes: readonly { readonly name: string }[] }
  const known = nodes.map(({ name }) => name)
  for (const name of names) {
    if (!known.includes(name)) {
      if (ignoreNotFound) continue
      throw unknownNode(name, known)
    }
    await control.json(`/t8s/nodes/${encodeURIComponent(name)}`, { method: 'DELETE', signal: context.interrupted })
    context.terminal.print(`node/${name} deleted\n`)
  }
}

function unknownNode(name: string, known: readonly string[]): Failure {
  const meant = nearest(name, known)
  return new Failure({
    reason: 'NotFound',
    message: `There is no node "${name}".${meant ? ` Did you mean "${meant}"?` : ''}`,
    next: [['t8s get nodes', 'what is there?']],
  })
}
