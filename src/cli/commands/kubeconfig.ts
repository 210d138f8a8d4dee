/** `t8s kubeconfig`: a cluster's kubeconfig, printed, merged, or for a user of one's own. */

import { type KubeconfigEntry, kubeconfigText } from '../../client/kubeconfig.ts'
import { contextName } from '../../cluster/config.ts'
import { issueCredentials } from '../../cluster/credentials.ts'
import { type CommandContext, clusterName } from '../context.ts'
import { Failure } from '../failure.ts'
import { administratorEntry, publishKubeconfig } from '../kubeconfig-entry.ts'
import { ownKubeconfigPath } from '../kubeconfig-path.ts'
import { type ClusterState, stateOf } from '../state.ts'

export interface KubeconfigOptions {
  readonly merge?: boolean
  readonly path?: boolean
  readonly user?: string
  readonly group?: readonly string[]
}

export async function kubeconfig(context: CommandContext, argument: string | undefined, options: KubeconfigOptions) {
  const state = await stateOf(context, clusterName(context, argument))
  const { config } = state
  if (options.path) return context.terminal.print(`${ownKubeconfigPath(config.directory)}\n`)
  if (options.user !== undefined || options.group !== undefined)
    return context.terminal.print(kubeconfigText(await userEntry(state, options)))
  if (!options.merge) return context.terminal.print(kubeconfigText(await administratorEntry(config)))
  const merged = await publishKubeconfig(context, config, { select: true })
  if (merged) context.terminal.say(`t8s: context "${contextName(config.name)}" in ${merged.path} is now current`)
}

async function userEntry({ config }: ClusterState, { user, group = [] }: KubeconfigOptions): Promise<KubeconfigEntry> {
  if (!user) throw new Failure({ reason: 'Usage', message: '--group needs a --user to be in it.' })
  const [issued, administrator] = await Promise.all([
    issueCredentials(config.directory, user, group),
    administratorEntry(config),
  ])
  if (!issued) throw new Failure({ reason: 'NotRunning', message: `Cluster "${config.name}" has never been started.` })
  const name = `${administrator.name}-${user}`
  return { ...administrator, name, clientCertificate: issued.certificate, clientKey: issued.key }
}
