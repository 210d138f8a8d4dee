/** Starts a cluster whose state is written, here or in the background, and sees it through until it is ready. */

import { DeadlineExceeded, deadline, orAborted } from '../base/deadline.ts'
import { type ClusterConfig, contextName } from '../cluster/config.ts'
import { KUBERNETES_VERSION, T8S_VERSION } from '../cluster/version.ts'
import { formatDuration } from '../machinery/meta/time.ts'
import { type Background, endProcess, nodesFailure, startInBackground } from './background.ts'
import { runtimeText } from './cluster-plan.ts'
import type { CommandContext } from './context.ts'
import { Failure } from './failure.ts'
import { ownKubeconfigPath } from './kubeconfig-path.ts'
import { createProgress, type Progress } from './output/progress.ts'
import { type RunEvent, runCluster } from './run.ts'
import { readState } from './state.ts'

export interface BringUpOptions {
  readonly detach: boolean
  readonly wait: 'ready' | 'none'
  readonly timeoutMs: number
  readonly keepContext: boolean
  readonly kubeconfig?: string | undefined
  readonly verbosity: number
  /** The cluster is new: it goes again when it cannot be brought up. */
  readonly created: boolean
}

/** What a started cluster is, for `-o json`. */
export interface ClusterInfo {
  readonly apiVersion: 't8s.dev/v1alpha1'
  readonly kind: 'ClusterInfo'
  readonly metadata: { readonly name: string }
  readonly status: {
    readonly phase: string
    readonly server: string
    readonly kubernetesVersion: string
    readonly context: string
    readonly kubeconfig: string
    readonly nodes: readonly string[]
    readonly startSeconds: number
    readonly pid?: number | undefined
  }
}

/** A cluster on its way, here or in the background. */
interface Started extends Pick<Background, 'server' | 'nodes'> {
  /** In the foreground: when it has ended. In the background: at once. */
  readonly settled: () => Promise<void>
  readonly end: () => Promise<void>
}

/** Returns when the cluster runs in the background; in the foreground, when it has ended. */
export async function bringUp(
  context: CommandContext,
  config: ClusterConfig,
  options: BringUpOptions,
  onInfo: (info: ClusterInfo) => Promise<void>,
): Promise<void> {
  const progress = createProgress(context.terminal)
  progress.title(`t8s ${T8S_VERSION} · Kubernetes ${KUBERNETES_VERSION} API · Node ${process.version}`)
  const runtime = await runtimeText(config)
  const started = await start(context, config, options, (event) => show(progress, event, runtime))
  // Not before the cluster is on its way: what it needs comes first.
  const kubeconfig = import('./kubeconfig-entry.ts')
  try {
    using limit = deadline(context.clock, options.timeoutMs, context.interrupted)
    const server = await orAborted(started.server, limit.signal)
    const merged = await (await kubeconfig).publishKubeconfig(context, config, {
      path: options.kubeconfig,
      select: !options.keepContext,
    })
    const ready = options.wait === 'ready' ? await orAborted(started.nodes, limit.signal) : undefined
    if (merged) tellContext(progress, config, merged.previousContext, options)
    progress.end(endText(ready, options))
    await onInfo(await infoOf(config, server, merged?.path, ready))
  } catch (error) {
    await started.end()
    if (options.created) await takeBack(context, config)
    throw error instanceof DeadlineExceeded ? timeoutFailure(config, options) : error
  }
  await started.settled()
}

async function start(
  context: CommandContext,
  { directory }: ClusterConfig,
  { detach, verbosity }: BringUpOptions,
  onEvent: (event: RunEvent) => void,
): Promise<Started> {
  if (!detach) return startHere(context, directory, verbosity, onEvent)
  const { clock } = context
  const background = await startInBackground(directory, verbosity, onEvent)
  return {
    ...background,
    settled: async () => background.release(),
    end: async () => {
      await endProcess(background.run, clock)
      background.release()
    },
  }
}

function startHere(
  { clock, interrupted }: CommandContext,
  directory: string,
  verbosity: number,
  onEvent: (event: RunEvent) => void,
): Started {
  const api = Promise.withResolvers<string>()
  const ready = Promise.withResolvers<Extract<RunEvent, { type: 'ready' }>>()
  const own = new AbortController()
  api.promise.catch(() => {})
  ready.promise.catch(() => {})
  const finished = runCluster({
    directory,
    detached: false,
    clock,
    logLevel: verbosity > 0 ? 'debug' : 'info',
    signal: AbortSignal.any([own.signal, interrupted]),
    onEvent: (event) => {
      onEvent(event)
      if (event.type === 'api') api.resolve(event.server)
      else if (event.type === 'ready') ready.resolve(event)
      else ready.reject(nodesFailure(event))
    },
  })
  finished.catch((error: unknown) => {
    api.reject(error)
    ready.reject(error)
  })
  return {
    server: api.promise,
    nodes: ready.promise,
    settled: () => finished,
    end: async () => {
      own.abort()
      await finished.catch(() => {})
    },
  }
}

function show(progress: Progress, event: RunEvent, runtime: string): void {
  if (event.type === 'api') progress.done('API server', event.server, event.seconds)
  else if (event.type === 'ready') progress.done('Nodes', nodesText(event.nodes, runtime), event.seconds)
}

/** Names beyond these are counted. */
const NAMES_SHOWN = 3

function nodesText(names: readonly string[], runtime: string): string {
  const shown = names.toSorted().slice(0, NAMES_SHOWN).join(', ')
  const more = names.length > NAMES_SHOWN ? `, … (${names.length})` : ''
  return names.length === 0 ? 'none' : `${shown}${more}  ${runtime}`
}

function tellContext(
  progress: Progress,
  { name, directory }: ClusterConfig,
  previous: string | undefined,
  { keepContext }: BringUpOptions,
): void {
  const context = contextName(name)
  if (keepContext) progress.fact('kubectl', `kubectl --context ${context} get nodes`)
  else progress.fact('kubectl', `context "${context}" is now current${previous ? ` (was "${previous}")` : ''}`)
  progress.fact('kubeconfig', ownKubeconfigPath(directory))
}

function endText(ready: Extract<RunEvent, { type: 'ready' }> | undefined, { detach }: BringUpOptions): string {
  const text = ready ? `ready in ${ready.seconds.toFixed(2)} s` : 'the API answers; nodes follow'
  return detach ? text : `${text} · Ctrl-C stops`
}

async function infoOf(
  config: ClusterConfig,
  server: string,
  path: string | undefined,
  ready: Extract<RunEvent, { type: 'ready' }> | undefined,
): Promise<ClusterInfo> {
  const state = await readState(config.directory)
  return {
    apiVersion: 't8s.dev/v1alpha1',
    kind: 'ClusterInfo',
    metadata: { name: config.name },
    status: {
      phase: 'Running',
      server,
      kubernetesVersion: KUBERNETES_VERSION,
      context: contextName(config.name),
      kubeconfig: path ?? ownKubeconfigPath(config.directory),
      nodes: ready?.nodes ?? [],
      startSeconds: ready?.seconds ?? 0,
      pid: state?.run?.pid,
    },
  }
}

/** Deletes what a failed start made. Why it failed matters more than what goes wrong here. */
export async function takeBack(context: CommandContext, config: ClusterConfig): Promise<void> {
  try {
    const state = await readState(config.directory)
    const { withdrawKubeconfig } = await import('./kubeconfig-entry.ts')
    if (state) await withdrawKubeconfig(context, state)
    const { removeCluster } = await import('../cluster/removal.ts')
    await removeCluster(config, state?.usesDocker ?? false)
  } catch (error) {
    context.terminal.warn('RollbackFailed', `something was left behind (t8s down ${config.name}): ${String(error)}`)
  }
}

function timeoutFailure({ name }: ClusterConfig, { timeoutMs, created }: BringUpOptions): Failure {
  return new Failure({
    reason: 'Timeout',
    message: `Cluster "${name}" was not ready after ${formatDuration(timeoutMs)}.`,
    detail: created ? 'What was created has been removed again.' : 'It was stopped; its state is kept.',
    next: [
      [`t8s up ${name} --timeout=${formatDuration(timeoutMs * 4)}`, 'wait longer'],
      ['t8s doctor', 'is something missing?'],
    ],
  })
}
