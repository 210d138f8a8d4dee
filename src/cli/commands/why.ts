/** `t8s why pod/NAME`: what keeps a pod from running, from the scheduler that decides it. */

import { contextName } from '../../cluster/config.ts'
import { ApiError } from '../../machinery/meta/api-error.ts'
import { type CommandContext, clusterName } from '../context.ts'
import { openControl } from '../control.ts'
import { Failure } from '../failure.ts'
import { currentContext, kubeconfigPaths } from '../kubeconfig-file.ts'
import { printable } from '../output/printable.ts'
import { allStates, runningStateOf } from '../state.ts'

const POD_NAMES: ReadonlySet<string> = new Set(['pod', 'pods', 'po'])

export async function why(context: CommandContext, reference: string): Promise<void> {
  const { namespace, output } = context.globals
  const name = podNameOf(reference)
  const { config } = await runningStateOf(context, await currentCluster(context))
  using control = await openControl(config)
  const path = `/t8s/why/pods/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`
  try {
    if (output === 'json') context.terminal.print(`${JSON.stringify(await control.json(path), undefined, 2)}\n`)
    else context.terminal.print(printable(await control.text(path)))
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 404) throw error
    throw new Failure({
      reason: 'NotFound',
      message: `There is no pod "${name}" in namespace "${namespace}".`,
      next: [[`kubectl get pods -n ${namespace}`, 'what is there?']],
    })
  }
}

/** Objects are kubectl's, so without a name the cluster is the one that kubectl talks to, if it is one of ours. */
async function currentCluster(context: CommandContext): Promise<string> {
  const { globals, variables } = context
  if (globals.cluster ?? variables.cluster) return clusterName(context, undefined)
  const current = await currentContext(kubeconfigPaths(undefined, variables.kubeconfig)).catch(() => undefined)
  const state = (await allStates(context)).find(({ config }) => contextName(config.name) === current)
  return state?.config.name ?? clusterName(context, undefined)
}

function podNameOf(reference: string): string {
  const [resource = '', name, ...rest] = reference.split('/')
  if (name !== undefined && name !== '' && rest.length === 0 && POD_NAMES.has(resource)) return name
  throw new Failure({
    reason: 'Usage',
    message: `t8s why explains pods, not "${reference}".`,
    next: [['t8s why pod/NAME -n NAMESPACE', 'why does it wait?']],
  })
}
