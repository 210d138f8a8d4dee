/** `t8s up`, `t8s start` and the hidden command of the process in the background. */

import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { deadline } from '../../base/deadline.ts'
import type { ClusterConfig } from '../../cluster/config.ts'
import { parseDuration } from '../../machinery/meta/time.ts'
import { detachFromParent, tellParent } from '../background.ts'
import { bringUp } from '../bring-up.ts'
import { type ClusterFlags, planCluster } from '../cluster-plan.ts'
import { type CommandContext, clusterName, directoryOf, printValue } from '../context.ts'
import { answers } from '../control.ts'
import { Failure, failureOf } from '../failure.ts'
import { runCluster } from '../run.ts'
import { type ClusterState, isAlive, phaseOf, readState, stateOf, writeState } from '../state.ts'

export interface StartOptions {
  readonly keepContext?: boolean
  readonly kubeconfig?: string
  readonly wait: 'ready' | 'none'
  readonly timeout: string
  readonly verbosity: number
}

export interface UpOptions extends StartOptions, ClusterFlags {
  readonly detach?: boolean
  readonly dryRun?: boolean
  /** A file with a Cluster document; `-` is the standard input. */
  readonly config?: string
}

export async function up(context: CommandContext, argument: string | undefined, given: UpOptions): Promise<void> {
  const timeoutMs = timeoutOf(given)
  const file = given.config === undefined ? undefined : await fromFile(given.config)
  const options = file ? file.over(given) : given
  const name = clusterName(context, argument ?? context.globals.cluster ?? file?.name)
  const directory = directoryOf(context, name)
  const existing = await readState(directory)
  if (existing && (await staysRunning(context, existing))) return alreadyRunning(context, existing, options)
  const config = await planCluster(context, name, options, existing)
  if (options.dryRun) return printConfig(context, config)
  const created = (await makeDirectory(directory)) && !existing
  await writeState({
    createdMs: existing?.createdMs ?? context.clock.now(),
    ...existing,
    config,
    usesDocker: (existing?.usesDocker ?? false) || (config.runtime === 'docker' && config.nodes > 0),
  })
  const { detach = false, keepContext = false, wait, kubeconfig, verbosity } = options
  const bringUpOptions = { detach, keepContext, wait, kubeconfig, verbosity, timeoutMs, created }
  await bringUp(context, config, bringUpOptions, (info) => printValue(context, info, () => ''))
  if (!options.detach) await afterForeground(context, config)
}

async function fromFile(path: string) {
  const { readConfigFile, withFlags } = await import('../config-file.ts')
  const { name, flags } = await readConfigFile(path)
  return { name, over: (given: UpOptions) => withFlags(flags, given) }
}

/** `t8s start`: what `up` does for a cluster that exists, in the background. */
export async function start(context: CommandContext, argument: string | undefined, options: StartOptions) {
  const name = clusterName(context, argument)
  await stateOf(context, name)
  await up(context, name, { ...options, detach: true })
}

function timeoutOf({ timeout }: Pick<StartOptions, 'timeout'>): number {
  const ms = parseDuration(timeout)
  if (ms !== undefined && ms > 0) return ms
  throw new Failure({ reason: 'Usage', message: `--timeout=${timeout} is not a duration such as 60s or 2m.` })
}

/** How long a process that does not answer may still be dying, in ms. */
const DYING_MS = 2_000
const LOOK_MS = 50

/** A process that has just been killed is listed for a moment: it answers no more, and then it is gone. */
async function staysRunning({ clock, interrupted }: CommandContext, state: ClusterState): Promise<boolean> {
  const end = clock.monotonic() + DYING_MS
  while (phaseOf(state) === 'Running') {
    using limit = deadline(clock, DYING_MS, interrupted)
    if ((await answers(state.config, limit.signal)) || clock.monotonic() > end) return true
    await clock.sleep(LOOK_MS, interrupted)
  }
  return false
}

async function alreadyRunning(context: CommandContext, state: ClusterState, options: UpOptions): Promise<void> {
  const { config, run } = state
  const server = `https://${config.host}:${config.port}`
  const { publishKubeconfig } = await import('../kubeconfig-entry.ts')
  await publishKubeconfig(context, config, { path: options.kubeconfig, select: !options.keepContext })
  context.terminal.say(`t8s: cluster "${config.name}" is already running at ${server} (pid ${run?.pid})`)
}

/** True: it was not there, so this command is the one that makes the cluster. */
async function makeDirectory(directory: string): Promise<boolean> {
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 })
  try {
    await mkdir(directory, { mode: 0o700 })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

async function printConfig(context: CommandContext, config: ClusterConfig): Promise<void> {
  const { stringify } = await import('yaml')
  await printValue(context, config, () => stringify(config))
}

/** What is in memory only has ended with its process; the rest of it goes, too. */
async function afterForeground(context: CommandContext, config: ClusterConfig): Promise<void> {
  const state = await readState(config.directory)
  if (state && config.storage === 'memory') await (await import('./down.ts')).removeAll(context, state)
  else context.terminal.say(`t8s: stopped; its state is kept: t8s up goes on, t8s down deletes it`)
  if (context.interrupted.aborted) throw context.interrupted.reason
}

/** The process in the background. Its words go to the log, what its parent needs to know through the channel. */
export async function runDetached(context: CommandContext, directory: string, verbosity: number): Promise<void> {
  try {
    const state = await readState(directory)
    if (state?.run && isAlive(state.run)) throw new Failure({ reason: 'AlreadyRunning', message: 'It runs already.' })
    detachFromParent()
    await runCluster({
      directory,
      detached: true,
      clock: context.clock,
      logLevel: verbosity > 0 ? 'debug' : 'info',
      onEvent: tellParent,
      signal: context.interrupted,
    })
  } catch (error) {
    const failure = failureOf(error)
    tellParent({ type: 'failed', failure: failure.text })
    throw error
  }
}
