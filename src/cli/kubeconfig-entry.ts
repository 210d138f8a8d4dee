/** A cluster's entry in kubeconfig files: made from its folder, merged where the user wants it, taken out again. */

import { type KubeconfigEntry, kubeconfigText } from '../client/kubeconfig.ts'
import { type ClusterConfig, contextName } from '../cluster/config.ts'
import { administratorCredentials } from '../cluster/credentials.ts'
import type { CommandContext } from './context.ts'
import { Failure } from './failure.ts'
import {
  KubeconfigLocked,
  kubeconfigPaths,
  type Merged,
  mergeEntry,
  removeEntry,
  writePrivately,
} from './kubeconfig-file.ts'
import { ownKubeconfigPath } from './kubeconfig-path.ts'
import { type ClusterState, changeState } from './state.ts'

export async function administratorEntry(config: ClusterConfig): Promise<KubeconfigEntry> {
  const credentials = await administratorCredentials(config.directory)
  if (!credentials)
    throw new Failure({ reason: 'NotRunning', message: `Cluster "${config.name}" has never been started.` })
  return {
    name: contextName(config.name),
    server: `https://${config.host}:${config.port}`,
    certificateAuthority: credentials.authority,
    clientCertificate: credentials.certificate,
    clientKey: credentials.key,
  }
}

export interface PublishOptions {
  /** Instead of the user's files. `-`: none, it is printed. */
  readonly path?: string | undefined
  /** Make it the current context. */
  readonly select: boolean
}

/** Writes the cluster's own copy and merges it. Undefined: nothing was merged, which was said where it matters. */
export async function publishKubeconfig(
  context: CommandContext,
  config: ClusterConfig,
  { path, select }: PublishOptions,
): Promise<Merged | undefined> {
  const entry = await administratorEntry(config)
  const own = ownKubeconfigPath(config.directory)
  await writePrivately(own, kubeconfigText(entry))
  if (path === '-') {
    context.terminal.print(kubeconfigText(entry))
    return undefined
  }
  try {
    const paths = kubeconfigPaths(path, context.variables.kubeconfig)
    const merged = await mergeEntry(paths, entry, { select, clock: context.clock })
    await changeState(config.directory, (state) => ({ ...state, kubeconfig: remembered(state, merged, select) }))
    return merged
  } catch (error) {
    if (!(error instanceof KubeconfigLocked)) throw error
    context.terminal.warn('KubeconfigLocked', `${error.message}; instead: export KUBECONFIG=${own}`)
    return undefined
  }
}

/** The context to go back to is the one of the first time; later ones may be our own doing. */
function remembered({ kubeconfig }: ClusterState, merged: Merged, select: boolean): Merged {
  const previousContext = kubeconfig?.previousContext ?? (select ? merged.previousContext : undefined)
  return { path: merged.path, ...(previousContext !== undefined && { previousContext }) }
}

export async function withdrawKubeconfig(context: CommandContext, { config, kubeconfig }: ClusterState): Promise<void> {
  const paths = new Set(kubeconfigPaths(undefined, context.variables.kubeconfig))
  if (kubeconfig) paths.add(kubeconfig.path)
  try {
    await removeEntry([...paths], contextName(config.name), {
      previousContext: kubeconfig?.previousContext,
      clock: context.clock,
    })
  } catch (error) {
    if (!(error instanceof KubeconfigLocked)) throw error
    context.terminal.warn('KubeconfigLocked', `${error.message}: context "${contextName(config.name)}" stays in it`)
  }
}
